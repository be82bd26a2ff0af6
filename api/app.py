"""The application: routes, errors as problems, and the control plane's life.

What samples scenes takes seconds to import. Modules here import it inside functions, so that the service answers at
once; a thread imports it meanwhile.
"""

import contextlib
import importlib
import logging
import secrets
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from api.control import Control
from api.database import Database
from api.problems import ProblemError, RequestError, problem_response
from api.routes import routers
from api.security import Tokens, is_allowed_host
from api.settings import Settings
from simfactory.errors import BackendUnavailable, ClipNotFound, CorruptClip, ResourceError, SimfactoryError
from simfactory.protocol import Problem, ProblemItem
from simfactory.queue import AWAY
from simfactory.simulators import backend_class

__all__ = ["make_app"]

logger = logging.getLogger("api")

BODY_MAX = 1 << 20  # bytes of a request that is no upload
UPLOAD_MAX = 256 << 20
PROBLEM = {"model": Problem, "content": {"application/problem+json": {}}}
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'self'; frame-ancestors 'none'",
}
STATUS: tuple[tuple[type[Exception], int], ...] = (
    (ClipNotFound, 404),
    (CorruptClip, 409),
    (ResourceError, 507),
    (SimfactoryError, 422),
)


def make_app(settings: Settings, *, hosts: tuple[str, ...] = ()) -> FastAPI:
    """Return the application.

    Args:
        settings: Settings.
        hosts: Names, beside those of this machine, under which it may be addressed.
    """

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        if isinstance(settings.data, Path):
            settings.data.mkdir(parents=True, exist_ok=True)
        app.state.database = Database(settings.database)
        app.state.secret = app.state.database.secret()
        app.state.control = Control(app.state.database, settings)
        app.state.control.start()
        threading.Thread(target=_import_planner, name="imports", daemon=True).start()
        yield
        app.state.stopping = True
        app.state.control.stop()
        app.state.database.close()

    app = FastAPI(
        title="simfactory",
        version=version("simfactory"),
        summary="A simulation data factory: jobs in, clips with exact ground truth out.",
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        responses={"default": PROBLEM},
    )
    app.state.settings, app.state.tokens, app.state.stopping = settings, Tokens(settings.state), False
    for router in routers():
        app.include_router(router)
    _add_guards(app, hosts)
    _add_problems(app)
    return app


def _import_planner() -> None:
    importlib.import_module("api.planner")
    with contextlib.suppress(BackendUnavailable):
        backend_class("newton")


def _add_guards(app: FastAPI, hosts: tuple[str, ...]) -> None:
    @app.middleware("http")
    async def guard(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        """Check what every request must be, and give it an id."""
        begin, identity = time.perf_counter(), secrets.token_hex(8)
        if not is_allowed_host(request.headers.get("host", ""), hosts):
            response: Response = problem_response(request, 400, "the Host header names another service")
        elif refused := _refused_body(request):
            response = problem_response(request, *refused)
        else:
            response = await answer(request)
        response.headers.update({**HEADERS, "x-request-id": identity})
        seconds = time.perf_counter() - begin
        logger.info(
            "%s %s %d %.1f ms %s", request.method, request.url.path, response.status_code, 1e3 * seconds, identity
        )
        return response


def _refused_body(request: Request) -> tuple[int, str] | None:
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return None
    limit = UPLOAD_MAX if request.url.path == "/v1/assets" else BODY_MAX
    length = request.headers.get("content-length")
    if length is None and "transfer-encoding" in request.headers:
        return 411, "send a Content-Length"
    if length is not None and (not length.isdigit() or int(length) > limit):
        return 413, f"the body has {length} bytes; at most {limit} are taken"
    return None


def _add_problems(app: FastAPI) -> None:
    @app.exception_handler(ProblemError)
    async def problem(request: Request, error: ProblemError) -> Response:
        return problem_response(request, error.status, error.detail, errors=error.errors, headers=error.headers)

    @app.exception_handler(RequestError)
    async def impossible(request: Request, error: RequestError) -> Response:
        return problem_response(request, 422, str(error), errors=error.errors)

    @app.exception_handler(SimfactoryError)
    async def ours(request: Request, error: SimfactoryError) -> Response:
        status = next(status for kind, status in STATUS if isinstance(error, kind))
        return problem_response(request, status, str(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        items = [
            ProblemItem(pointer=_pointer(each["loc"]), detail=str(each["msg"]).removeprefix("Value error, "))
            for each in error.errors()
        ]
        return problem_response(request, 422, "the request does not have the form of the schema", errors=items)

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> Response:
        return problem_response(request, error.status_code, str(error.detail), headers=error.headers)

    for kind in AWAY:

        @app.exception_handler(kind)
        async def away(request: Request, error: Exception) -> Response:
            detail = "the queue's server is away; nothing is lost, try again"
            return problem_response(request, 503, detail, headers={"retry-after": "2"})

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        logger.error("%s %s", request.method, request.url.path, exc_info=error)
        return problem_response(request, 500, f"{type(error).__name__}; the log has more")


def _pointer(location: tuple[int | str, ...]) -> str:
    """Return the JSON pointer of a place in a request: of the body from its root, of others after their kind."""
    parts = location[1:] if location and location[0] == "body" else location
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
