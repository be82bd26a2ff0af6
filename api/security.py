"""Who may do what: bearer tokens with scopes, a cookie for browsers, and checks of Host and Origin.

A token is kept as its SHA-256 alone. The first start makes one with all scopes and leaves it in the state folder, for
this user to read; `SIMFACTORY_TOKEN` sets it from outside.
"""

import hashlib
import hmac
import ipaddress
import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import Request, Response

from api.problems import ProblemError
from simfactory.errors import ServiceError

__all__ = [
    "COOKIE",
    "SCOPES",
    "Requirement",
    "Tokens",
    "check_bind",
    "check_origin",
    "is_allowed_host",
    "keep_token",
    "known_scopes",
    "needs",
]

SCOPES = ("read", "submit", "admin", "worker")
COOKIE = "simfactory"
TOKEN_MIN = 16  # characters of one that is given


class Tokens:
    """The tokens of a state folder.

    Args:
        state: The folder.

    Attributes:
        cookie: Name of the cookie that keeps one in a browser.
    """

    cookie = COOKIE

    def __init__(self, state: Path) -> None:
        self._file = state / "tokens.json"
        self._scopes: dict[str, list[str]] = {}
        if self._file.exists():
            self._scopes = _read_tokens(self._file)
        given = os.environ.get("SIMFACTORY_TOKEN")
        if given:
            self._scopes[_digest(given)] = [*SCOPES]
        elif not (state / "token").exists():
            token = self.add(SCOPES)
            _write_private(state / "token", token)

    def add(self, scopes: Iterable[str]) -> str:
        """Make a token; it is told this once.

        Raises:
            ServiceError: There is no such scope.
        """
        wanted = sorted(set(scopes))
        unknown = [scope for scope in wanted if scope not in SCOPES]
        if unknown or not wanted:
            raise ServiceError(f"scopes {unknown or 'none'}: choose from {', '.join(SCOPES)}")
        token = secrets.token_urlsafe(32)
        self._scopes[_digest(token)] = wanted
        _write_private(self._file, json.dumps(self._scopes, indent=1))
        return token

    def scopes(self, token: str) -> frozenset[str]:
        """Return what a token allows; nothing if it is none of ours."""
        digest, found = _digest(token), frozenset[str]()
        for known, scopes in self._scopes.items():  # all of them, so that time tells nothing
            if hmac.compare_digest(known, digest):
                found = frozenset(scopes)
        return found


def check_bind(host: str, *, has_token: bool) -> None:
    """Refuse to listen beyond this machine without a token that was set on purpose.

    Raises:
        ServiceError: It would.
    """
    if not _is_loopback(host) and not has_token:
        raise ServiceError(
            f"--host {host} can be reached from other machines: set SIMFACTORY_TOKEN to a secret of at least 16 "
            "characters first, or leave --host at 127.0.0.1"
        )
    token = os.environ.get("SIMFACTORY_TOKEN", "")
    if has_token and len(token) < TOKEN_MIN:
        raise ServiceError(f"SIMFACTORY_TOKEN has {len(token)} characters; give at least {TOKEN_MIN}")


def is_allowed_host(header: str, allowed: Iterable[str]) -> bool:
    """Tell whether a Host header names this service: what a page of another site resolves to us is refused."""
    try:
        name = urlsplit(f"//{header}").hostname or ""
    except ValueError:  # brackets that are no IPv6 address
        return False
    return "@" not in header and (name in set(allowed) or _is_loopback(name))


def needs(scope: str) -> "Requirement":
    """Return a dependency that requires a scope."""
    return Requirement(scope)


class Requirement:
    """Requires a scope of a request's token."""

    def __init__(self, scope: str) -> None:
        self.scope = scope

    def __call__(self, request: Request) -> frozenset[str]:
        """Return the scopes of a request.

        Raises:
            ProblemError: It has no token (401), or one without this scope (403).
        """
        scopes = known_scopes(request)
        if self.scope not in scopes:
            detail = f"this token allows {', '.join(sorted(scopes))}; {self.scope} is needed"
            needed = f'Bearer error="insufficient_scope", scope="{self.scope}"'
            raise ProblemError(403, detail, headers={"www-authenticate": needed})
        return scopes


def known_scopes(request: Request) -> frozenset[str]:
    """Return what a request's token allows: its bearer token, else its cookie.

    Raises:
        ProblemError: It has no token that is known here (401), or comes from another site's page (403).
    """
    tokens: Tokens = request.app.state.tokens
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        token = request.cookies.get(tokens.cookie, "")
        if token and request.method not in ("GET", "HEAD"):
            check_origin(request)
    scopes = tokens.scopes(token.strip()) if token else frozenset[str]()
    if not scopes:
        detail = "this token is not known here" if token else "send `Authorization: Bearer TOKEN`"
        raise ProblemError(401, detail, headers={"www-authenticate": "Bearer"})
    return scopes


def keep_token(request: Request, response: Response, token: str) -> None:
    """Keep a token in a browser's cookie, which no script can read and no other site can use."""
    secure = request.url.scheme == "https"
    tokens: Tokens = request.app.state.tokens
    response.set_cookie(tokens.cookie, token, httponly=True, samesite="strict", secure=secure, path="/")
    response.headers["cache-control"] = "no-store"


def check_origin(request: Request) -> None:
    """Refuse what a page of another site sends with our cookie.

    Raises:
        ProblemError: It does.
    """
    origin = request.headers.get("origin")
    host = request.headers.get("host", "")
    if origin is None or origin not in (f"http://{host}", f"https://{host}"):
        raise ProblemError(403, f"Origin {origin!r} is not this service's own")


def _read_tokens(file: Path) -> dict[str, list[str]]:
    try:
        found = json.loads(file.read_text())
        if not isinstance(found, dict) or not all(isinstance(scopes, list) for scopes in found.values()):
            raise ValueError("no list of scopes for each token")
    except ValueError as error:
        raise ServiceError(f"{file}: damaged ({error}); remove it and make new tokens by `simfactory token`") from error
    return found


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return name == "localhost"


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, 0o600)  # a leftover keeps the mode it had
        file.write(text + "\n")
    temporary.replace(path)
