"""JSON bodies read strictly: nothing in them that JSON's next reader, a database or a browser would trip over."""

import json
import math
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from api.problems import ProblemError
from simfactory.protocol import MAX_INT, ProblemItem

__all__ = ["StrictRoute", "read_json"]

DEPTH_MAX = 64
FORM = "the body is JSON that not every reader understands"
JSON = Any  # Any: JSON


class StrictRequest(Request):
    """A request whose body was read already."""

    value: JSON = None

    async def json(self) -> JSON:
        """Return the body."""
        return self.value


class StrictRoute(APIRoute):
    """A route that reads its JSON body strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:  # Any: asyncio's own
        """Return what answers a request."""
        answer = super().get_route_handler()

        async def strict(request: Request) -> Response:
            read = StrictRequest(request.scope, request.receive)
            body = await read.body()
            if body and "json" in request.headers.get("content-type", "").lower():
                read.value = read_json(body)
            return await answer(read)

        return strict


def read_json(body: bytes) -> JSON:
    """Return the value of a JSON text.

    Raises:
        ProblemError: It is no JSON (400), or holds numbers or strings that do not survive the way (422).
    """
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise ProblemError(400, f"the body is no JSON: {error.msg} at character {error.pos}") from error
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ProblemError(400, f"the body is no JSON in UTF-8: {str(error)[:200]}") from error
    open_values: list[tuple[str, int, JSON]] = [("", 0, value)]
    while open_values:
        pointer, depth, value_inside = open_values.pop()
        if depth > DEPTH_MAX:
            raise _problem(pointer, f"this is nested more than {DEPTH_MAX} deep")
        if (wrong := _wrong(value_inside)) is not None:
            raise _problem(pointer, wrong)
        if isinstance(value_inside, dict):
            for key, inner in value_inside.items():
                if (wrong := _wrong(key)) is not None:
                    raise _problem(pointer, f"a name in it: {wrong}")
                step = key.replace("~", "~0").replace("/", "~1")
                open_values.append((f"{pointer}/{step}", depth + 1, inner))
        elif isinstance(value_inside, list):
            open_values += [(f"{pointer}/{number}", depth + 1, inner) for number, inner in enumerate(value_inside)]
    return value


def _wrong(value: object) -> str | None:
    """Return what is wrong with a single value."""
    if isinstance(value, str):
        if "\x00" in value:
            return "the string holds a NUL character"
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            return "the string holds half of a surrogate pair"
    elif isinstance(value, bool):
        return None
    elif isinstance(value, int) and abs(value) > MAX_INT:
        return "the integer is beyond ±(2⁵³ − 1), which not every reader keeps exactly"
    elif isinstance(value, float) and not math.isfinite(value):
        return "the number is too large for 64 bits"
    return None


def _problem(pointer: str, detail: str) -> ProblemError:
    return ProblemError(422, FORM, errors=[ProblemItem(pointer=pointer[:500], detail=detail)])


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
