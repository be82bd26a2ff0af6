"""What went wrong, in one sentence: from an answer, or from a connection."""

from typing import Any, TypeVar

import httpx
from pydantic import ConfigDict, ValidationError

from simfactory.client.endpoint import Endpoint
from simfactory.client.wire import Schema
from simfactory.errors import ServiceError
from simfactory.protocol import Problem

__all__ = ["parsed", "parsed_text", "refusal", "unreachable"]

T = TypeVar("T")

_HINTS = {
    401: "the token is missing or wrong: put the right one into SIMFACTORY_TOKEN, or name the state folder",
    403: "this token does not allow it",
}


class _Foreign(Problem):
    """A problem that may say more than ours do, as RFC 9457 allows."""

    model_config = ConfigDict(extra="ignore")


def refusal(response: httpx.Response) -> ServiceError:
    """Return the error that an answer means; its body has been read."""
    request, status = response.request, response.status_code
    detail, errors = "", ""
    try:
        problem = _Foreign.model_validate_json(response.content)
    except ValidationError:
        detail = response.reason_phrase.lower()  # of a proxy, say
    else:
        detail = problem.detail or problem.title
        errors = "".join(f"; {item.pointer}: {item.detail}" for item in problem.errors)
    if response.has_redirect_location:
        detail = f"it is at {response.headers['Location']}: give that address"
    hint = f"; {_HINTS[status]}" if status in _HINTS else ""
    wait = response.headers.get("Retry-After")
    later = f"; try again in {wait} s" if wait is not None and wait.isdecimal() else ""
    return ServiceError(f"{detail} ({status}, {request.method} {request.url.path}){errors}{hint}{later}", status=status)


def unreachable(endpoint: Endpoint, error: httpx.TransportError) -> ServiceError:
    """Return the error that a broken connection means."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        remedy = "start it with `simfactory up`, or name another with --url or SIMFACTORY_URL"
        return ServiceError(f"no service answers at {endpoint.url}: {remedy}")
    said = str(error) or type(error).__name__
    return ServiceError(f"the connection to {endpoint.url} broke: {said}; try again, or look at the service's log")


def parsed(schema: Schema[T], response: httpx.Response) -> T:
    """Return an answer's body as what it should be.

    Raises:
        ServiceError: It is something else.
    """
    return parsed_text(schema, response.content, asked=f"{response.request.method} {response.request.url.path}")


def parsed_text(schema: Schema[T], text: bytes | str, *, asked: str) -> T:
    """Return JSON as what it should be; see `parsed`."""
    try:
        return schema.validate_json(text)
    except ValidationError as error:
        first: Any = error.errors(include_url=False)[0]  # Any: pydantic's error details
        where = "/".join(str(part) for part in first["loc"])
        raise ServiceError(
            f"the answer to {asked} is not what this version knows ({where or 'it'}: {first['msg']}): is this the "
            "address of a simfactory service, and are both of the same version?"
        ) from None
