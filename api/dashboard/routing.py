"""Puts the dashboard into an application: its pages, static files, and errors as pages."""

import importlib
import pkgutil

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import RedirectResponse, Response

import api.dashboard.pages
from api.dashboard.access import LoginNeeded, login_address
from api.dashboard.assets import router as assets
from api.dashboard.templating import Link, page
from api.problems import TITLES

__all__ = ["NAVIGATION", "add_dashboard", "error_page", "is_for_people", "routers"]

NAVIGATION = (
    Link("Overview", "/"),
    Link("Jobs", "/jobs"),
    Link("Clips", "/clips"),
    Link("Scenes", "/scenes"),
    Link("Datasets", "/datasets"),
    Link("Workers", "/workers"),
    Link("Live wall", "/wall"),
    Link("Training", "/training"),
)
NOT_PAGES = ("/v1/", "/static/", "/healthz", "/readyz", "/metrics")


def routers() -> list[APIRouter]:
    """Return the routers of all pages; found, not listed."""
    package = api.dashboard.pages
    names = [info.name for info in pkgutil.iter_modules(package.__path__)]
    modules = [importlib.import_module(f"{package.__name__}.{name}") for name in names]
    return [module.router for module in modules if hasattr(module, "router")]


def add_dashboard(app: FastAPI) -> None:
    """Add all pages, and the way to the login for those who have to go there."""
    app.state.navigation = NAVIGATION
    app.include_router(assets)
    for router in routers():
        app.include_router(router, include_in_schema=False)

    @app.exception_handler(LoginNeeded)
    async def login_first(request: Request, error: LoginNeeded) -> Response:
        return RedirectResponse(login_address(request), status_code=303)


def is_for_people(request: Request) -> bool:
    """Tell whether a browser asks for a page, not a program for data."""
    path: str = request.scope["path"]
    return not path.startswith(NOT_PAGES) and "text/html" in request.headers.get("accept", "")


def error_page(request: Request, status: int, detail: str) -> Response:
    """Return an error as a page."""
    title = TITLES.get(status, "Error")
    return page(request, "error.html", title=title, status=status, detail=detail)
