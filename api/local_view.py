"""The clip viewer without a service: the same pages over clips of a local path, for this machine alone."""

import hmac
import importlib
import socket
from collections.abc import Callable, Mapping

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import Response

from api.app import add_problems
from api.dashboard.access import LoginNeeded, Viewer
from api.dashboard.assets import router as assets
from api.dashboard.pages import clip as clip_page
from api.dashboard.pages import login as login_page
from api.dashboard.routing import error_page
from api.dashboard.templating import page
from api.guard import Guard
from api.problems import ProblemError
from api.routes import clip_views
from api.routes.dependencies import Identity, opened_clip
from simfactory.dataset import Clip
from simfactory.errors import ServiceError

__all__ = ["OneToken", "loopback_socket", "make_view", "serve_view"]

LISTED_MAX = 500
LOOPBACK = "127.0.0.1"


class OneToken:
    """The one token of a viewer, which allows to read; it is written nowhere.

    Args:
        token: The token.
        port: Port of the viewer: browsers share cookies between the ports of a machine, so each has a name of its own.
    """

    def __init__(self, token: str, port: int) -> None:
        self._token, self.cookie = token, f"simfactory-view-{port}"

    def scopes(self, token: str) -> frozenset[str]:
        """Return what a token allows; nothing if it is another one."""
        return frozenset({"read"} if hmac.compare_digest(token.encode(), self._token.encode()) else ())


def make_view(clips: Mapping[str, Clip], tokens: OneToken) -> FastAPI:
    """Return the application.

    Args:
        clips: What can be looked at, by id; the order is that of the list.
        tokens: Whom it answers.
    """
    app = FastAPI(title="simfactory view", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.tokens, app.state.navigation = tokens, ()
    for router in (assets, login_page.router, clip_page.router, clip_views.router):
        app.include_router(router)

    def local(identity: Identity) -> Clip:
        if identity not in clips:
            raise ProblemError(404, f"there is no clip {identity!r} here")
        return clips[identity]

    app.dependency_overrides[opened_clip] = local
    app.dependency_overrides[clip_page.catalogued] = lambda: None

    @app.get("/")
    def listed(request: Request, viewer: Viewer) -> Response:
        shown = [{"id": identity, "path": str(clip.path)} for identity, clip in list(clips.items())[:LISTED_MAX]]
        return page(request, "local.html", title="Clips", clips=shown, count=len(clips))

    @app.exception_handler(LoginNeeded)
    async def stranger(request: Request, error: LoginNeeded) -> Response:
        return error_page(request, 401, "open the address that `simfactory view` printed: it holds the token")

    app.add_middleware(Guard)
    add_problems(app)
    return app


def loopback_socket(port: int) -> socket.socket:
    """Return a socket that listens on this machine's loopback alone; port 0 takes a free one.

    Raises:
        ServiceError: The port is taken.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except OSError as error:
        listener.close()
        raise ServiceError(
            f"port {port} cannot be had ({error.strerror}): choose another by --port, or none"
        ) from error
    return listener


def serve_view(app: FastAPI, listener: socket.socket, *, ready: Callable[[], None]) -> None:
    """Serve until Ctrl-C; `ready` is called once the first page can be had."""
    importlib.import_module("api.viewer")  # now rather than while somebody waits for the first page
    listener.listen(128)  # from here on a browser may come: it waits until the server answers
    ready()
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1, lifespan="off")
    uvicorn.Server(config).run(sockets=[listener])
