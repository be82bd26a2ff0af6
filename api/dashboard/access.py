"""Who may look at a page or send its forms: the session's cookie, whose lack leads to the login."""

from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request

from api.problems import ProblemError
from api.security import Requirement, known_scopes

__all__ = ["LoginNeeded", "Viewer", "local_address", "login_address", "sender"]


class LoginNeeded(Exception):
    """A page was asked for without a session."""


def _viewer(request: Request) -> frozenset[str]:
    """Return what a session allows, if that is to read.

    Raises:
        LoginNeeded: There is no session, or its token is known no more.
        ProblemError: Its token does not allow to read (403).
    """
    try:
        known_scopes(request)
    except ProblemError as error:
        if error.status == 401:
            raise LoginNeeded from None
        raise
    return Requirement("read")(request)


Viewer = Annotated[frozenset[str], Depends(_viewer)]


def sender(scope: str) -> Requirement:
    """Return a dependency for forms: a session with a scope, and a page of this very service that sends it."""
    return Requirement(scope)


def login_address(request: Request) -> str:
    """Return where to log in, and come back from."""
    wanted = request.scope["path"] + (f"?{query}" if (query := request.url.query) else "")
    return "/login" if wanted == "/" or request.method != "GET" else f"/login?next={quote(wanted)}"


def local_address(address: str) -> str:
    """Return an address of this service, or its first page for any other."""
    parts = urlsplit(address.replace("\\", "/"))
    is_local = not parts.scheme and not parts.netloc and parts.path.startswith("/") and not parts.path.startswith("//")
    return address if is_local and address.isprintable() else "/"
