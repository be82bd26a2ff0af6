"""The application: routes, errors as problems, and the control plane's life.

What samples scenes takes seconds to import. Modules here import it inside functions, so that the service answers at
once; a thread imports it meanwhile.
"""

import contextlib
import importlib
import logging
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path

import anyio
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from api.buckets import picture_buckets
from api.control import Control
from api.dashboard import add_dashboard
from api.dashboard.routing import error_page, is_for_people
from api.database import Database
from api.document import allowed_methods, described, operation_id
from api.guard import Guard
from api.problems import ProblemError, RequestError, printable, problem_response
from api.routes import routers
from api.security import Tokens
from api.settings import Settings
from api.tail import Tail
from api.training_runs import Runs
from simfactory.errors import BackendUnavailable, ClipNotFound, ResourceError, SimfactoryError, StoreError
from simfactory.protocol import ProblemItem
from simfactory.queue import AWAY
from simfactory.simulators import backend_class

__all__ = ["add_problems", "make_app"]

logger = logging.getLogger("api")

STATUS: tuple[tuple[type[Exception], int], ...] = (
    (ClipNotFound, 404),
    (StoreError, 409),  # what is stored cannot be read: nothing that the client can change, nor a fault of the service
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
        app.state.tail = Tail(app.state.database, app.state.control.history)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(app.state.tail.run)
            yield
            tasks.cancel_scope.cancel()
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
        generate_unique_id_function=operation_id,
        strict_content_type=True,
    )
    app.state.settings, app.state.tokens = settings, Tokens(settings.state)
    app.state.runs = Runs(settings.runs or settings.state / "runs")
    app.state.pictures = picture_buckets()
    for router in routers():
        app.include_router(router)
    add_dashboard(app)
    app.openapi = partial(described, app)  # type: ignore[method-assign]  # FastAPI's own way to change the document
    app.add_middleware(Guard, hosts=hosts)
    add_problems(app)
    return app


def _import_planner() -> None:
    importlib.import_module("api.planner")
    importlib.import_module("api.viewer")
    with contextlib.suppress(BackendUnavailable):
        backend_class("newton")


def _answer(
    request: Request,
    status: int,
    detail: str,
    *,
    errors: Sequence[ProblemItem] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an error: a page to a browser that asked for one, a problem to programs."""
    if is_for_people(request):
        response = error_page(request, status, detail)
        response.headers.update(headers or {})
        return response
    return problem_response(request, status, detail, errors=errors, headers=headers)


def add_problems(app: FastAPI) -> None:
    """Have whatever goes wrong answered as a problem, or as a page to people."""

    @app.exception_handler(ProblemError)
    async def problem(request: Request, error: ProblemError) -> Response:
        return _answer(request, error.status, error.detail, errors=error.errors, headers=error.headers)

    @app.exception_handler(RequestError)
    async def impossible(request: Request, error: RequestError) -> Response:
        return _answer(request, 422, str(error), errors=error.errors)

    @app.exception_handler(SimfactoryError)
    async def ours(request: Request, error: SimfactoryError) -> Response:
        status = next(status for kind, status in STATUS if isinstance(error, kind))
        return _answer(request, status, str(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        items = [
            ProblemItem(pointer=_pointer(each["loc"]), detail=printable(str(each["msg"])).removeprefix("Value error, "))
            for each in error.errors()
        ]
        return _answer(request, 422, "the request does not have the form of the schema", errors=items)

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        if error.status_code == 405:  # a path's methods are spread over routes, of which this one was the first
            headers = {"allow": ", ".join(sorted(allowed_methods(request.scope)))}
        return _answer(request, error.status_code, str(error.detail), headers=headers)

    for kind in AWAY:

        @app.exception_handler(kind)
        async def away(request: Request, error: Exception) -> Response:
            detail = "the queue's server is away; nothing is lost, try again"
            return _answer(request, 503, detail, headers={"retry-after": "2"})

    for cause in (OperationalError, InterfaceError, PoolTimeout):

        @app.exception_handler(cause)
        async def lost(request: Request, error: Exception) -> Response:
            logger.error("the database does not answer: %s", error)
            detail = "the database does not answer; nothing is lost, try again"
            return _answer(request, 503, detail, headers={"retry-after": "2"})


def _pointer(location: tuple[int | str, ...]) -> str:
    """Return the JSON pointer of a place in a request: of the body from its root, of others after their kind."""
    parts = location[1:] if location and location[0] == "body" else location
    return printable("".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts))
