"""Errors as `application/problem+json` (RFC 9457), every one of them."""

from collections.abc import Mapping, Sequence

from fastapi import Request
from fastapi.responses import JSONResponse

from simfactory.errors import SpecError
from simfactory.protocol import Problem, ProblemItem

__all__ = ["ProblemError", "RequestError", "printable", "problem_response"]

TITLES = {
    400: "Bad request",
    401: "Who are you?",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    411: "Length required",
    412: "Precondition failed",
    413: "Too large",
    415: "Unsupported media type",
    416: "Range not satisfiable",
    422: "Invalid request",
    428: "Precondition required",
    429: "Too many requests",
    500: "Internal error",
    503: "Not ready",
    507: "Insufficient storage",
}


class RequestError(SpecError):
    """A request is impossible; `errors` says what is wrong, by JSON pointer."""

    def __init__(self, message: str, errors: Sequence[ProblemItem]) -> None:
        super().__init__(message)
        self.errors = list(errors)


class ProblemError(Exception):
    """Ends a request with a problem."""

    def __init__(
        self, status: int, detail: str, *, errors: Sequence[ProblemItem] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors = status, detail, list(errors)
        self.headers = dict(headers or {})


def printable(text: str) -> str:
    """Return a text with a mark in place of what cannot be encoded: halves of surrogate pairs, as JSON may hold."""
    return text.encode("utf-8", "replace").decode()


def problem_response(
    request: Request,
    status: int,
    detail: str,
    *,
    errors: Sequence[ProblemItem] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return a problem as an answer."""
    problem = Problem(
        title=TITLES.get(status, "Error"),
        status=status,
        detail=printable(detail),
        instance=printable(request.scope["path"]),  # not request.url: that trusts the Host header
        errors=list(errors),
    )
    return JSONResponse(
        problem.model_dump(), status_code=status, headers=dict(headers or {}), media_type="application/problem+json"
    )
