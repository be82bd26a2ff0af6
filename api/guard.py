"""What every request passes first: the right Host, a body within bounds, a token before a body is read; and its log."""

import logging
import secrets
import time

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import ProblemError, problem_response
from api.security import is_allowed_host, known_scopes

__all__ = ["BODY_MAX", "UPLOAD_MAX", "Guard"]

logger = logging.getLogger("api")

BODY_MAX = 1 << 20  # bytes of a request that is no upload
UPLOAD_MAX = 256 << 20
UPLOADS = "/v1/assets"
LOGIN = ("/v1/session", "/login")
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "content-security-policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
}


class Guard:
    """Checks requests, adds headers to what is answered, and answers what went wrong inside.

    Args:
        app: What is guarded.
        hosts: Names, beside those of this machine, under which the service may be addressed.
    """

    def __init__(self, app: ASGIApp, *, hosts: tuple[str, ...] = ()) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin, identity, status = time.perf_counter(), secrets.token_hex(8), 0

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update({**HEADERS, "x-request-id": identity})
            await send(message)

        request = Request(scope)
        try:
            refused = self._refused(request)
            await (refused or self._app)(scope, receive, marked)
        except Exception as error:
            if status:  # too late to say anything else
                raise
            # The whole story is for the log; a client learns where to look, never what the code looks like.
            logger.error("%s %s %s", request.method, scope["path"], identity, exc_info=error)
            response = problem_response(request, 500, f"an internal error; request {identity} in the service's log")
            await response(scope, receive, marked)
        finally:
            seconds = time.perf_counter() - begin
            logger.info("%s %s %d %.1f ms %s", request.method, scope["path"], status, 1e3 * seconds, identity)

    def _refused(self, request: Request) -> Response | None:
        """Return the answer to a request that goes no further."""
        if not is_allowed_host(request.headers.get("host", ""), self._hosts):
            return problem_response(request, 400, "the Host header names another service")
        path = request.scope["path"]
        limit = UPLOAD_MAX if path == UPLOADS else BODY_MAX
        if "transfer-encoding" in request.headers:  # of a length that nobody knows before
            return problem_response(request, 411, f"send a Content-Length, of at most {limit} bytes")
        length = request.headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            return problem_response(request, 400, "the Content-Length is no number")
        if len(length) > 18 or int(length) > limit:
            return problem_response(request, 413, f"the body has {length[:32]} bytes; at most {limit} are taken")
        if int(length) and path not in LOGIN:
            try:
                known_scopes(request)  # a stranger's body is not read
            except ProblemError as error:
                return problem_response(request, error.status, error.detail, headers=error.headers)
        return None
