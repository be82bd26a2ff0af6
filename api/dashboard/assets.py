"""Static files, under addresses that change with what they hold, so that browsers keep them for good."""

import gzip
import hashlib
import mimetypes
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.problems import ProblemError

__all__ = ["asset_address", "has_asset", "router"]

router = APIRouter(include_in_schema=False)
FOLDER = Path(__file__).with_name("static")
KEPT = "public, max-age=31536000, immutable"
COMPRESSED = {".css", ".js", ".svg", ".LICENSE"}
TYPES = {".js": "text/javascript", ".LICENSE": "text/plain"}


@cache
def _files() -> dict[str, Path]:
    return {path.relative_to(FOLDER).as_posix(): path for path in sorted(FOLDER.rglob("*")) if path.is_file()}


@cache
def _version() -> str:
    """Return a digest of all files: modules import each other by relative addresses, so they change together."""
    digest = hashlib.sha256()
    for name, path in _files().items():
        digest.update(f"{name}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def asset_address(name: str) -> str:
    """Return the address of a static file.

    Raises:
        KeyError: There is none of this name.
    """
    if name not in _files():
        raise KeyError(f"there is no static file {name!r} in {FOLDER.name}/")
    return f"/static/{_version()}/{name}"


def has_asset(name: str) -> bool:
    """Tell whether there is a static file of this name."""
    return name in _files()


@cache
def _compressed(name: str) -> bytes:
    return gzip.compress(_files()[name].read_bytes(), 9, mtime=0)


@router.get("/static/{version}/{name:path}")
def asset(version: str, name: str, request: Request) -> Response:
    """Send a static file; of an older version the newest there is, not to be kept."""
    path = _files().get(name)
    if path is None:
        raise ProblemError(404, "there is no such static file")
    headers = {"cache-control": KEPT if version == _version() else "no-cache", "vary": "accept-encoding"}
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    if path.suffix in COMPRESSED and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(_compressed(name), media_type=kind, headers={**headers, "content-encoding": "gzip"})
    return Response(path.read_bytes(), media_type=kind, headers=headers)
