"""Files of datasets over HTTP: registered ones alone, whole or in part, and not again to those who have them."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from fastapi import Request
from fastapi.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from api.paging import has_tag
from api.problems import ProblemError
from simfactory.store import open_folder, read_record
from simfactory.store.commit import clip_key
from simfactory.store.location import Location

__all__ = ["FILE_RESPONSES", "checked_path", "clip_files", "registered", "send_file", "send_stored"]

MEDIA = "application/octet-stream"  # nothing that a browser would run
BINARY: dict[str, Any] = {"content": {MEDIA: {"schema": {"type": "string", "format": "binary"}}}}  # Any: OpenAPI
FILE_RESPONSES: dict[int | str, dict[str, Any]] = {  # Any: OpenAPI
    200: BINARY,
    206: {"description": "The part that Range asks for", **BINARY},
    304: {"description": "What If-None-Match names is what there is"},
    409: {},
    416: {},
}
RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
# What trainers read. Names are checked against these forms, those of clips also against their commit record.
CLIP_FILE = re.compile(r"clips/[0-9a-f]{3}/([0-9a-f]{32})\.([0-9A-Za-z]+)\.zarr/(.+)")
OTHER_FILES = re.compile(
    r"dataset\.json|catalog/part-[0-9A-Za-z]+\.parquet|commits/[0-9a-f]{3}/[0-9a-f]{32}\.json"
    r"|(rejections|runs|siblings)/[0-9a-zA-Z_.-]{1,128}\.json"
)


class _SentFile(FileResponse):
    """A file, or the one part of it that is asked for; several parts, or nonsense, are answered with all of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"range"]
        if values and (len(values) > 1 or _span(values[0], 1 << 62) is None):
            scope = {**scope, "headers": [each for each in scope["headers"] if each[0] != b"range"]}
        await super().__call__(scope, receive, send)


def send_stored(
    request: Request, root: Location, name: str, *, etag: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a registered file of a dataset as an answer, from a disk or from an object store; see `send_file`.

    Raises:
        ProblemError: There is no such file, or not this part of it.
    """
    if isinstance(root, Path):
        return send_file(request, checked_path(root, name), etag=etag, headers=headers)
    sent = {**(headers or {}), "accept-ranges": "bytes", **({} if etag is None else {"etag": etag})}
    if etag is not None and has_tag(request, etag):
        return Response(status_code=304, headers=sent)
    volume, span = open_folder(root).volume, _span(request.headers.get("range", ""), 1 << 62)
    try:
        if span is None or request.headers.get("if-range", etag) != etag:
            return Response(volume.read(name), headers=sent, media_type=MEDIA)
        start, stop = span
        tail = start >= (1 << 62) - (1 << 60)  # `bytes=-n`
        data = volume.read(name, start=start - (1 << 62)) if tail else volume.read(name, start=start, stop=stop)
    except FileNotFoundError:
        raise _missing(name) from None
    if not data:
        raise ProblemError(416, f"{request.headers['range'][:80]} begins behind the end of the file")
    if not tail:
        sent["content-range"] = f"bytes {start}-{start + len(data) - 1}/*"
    return Response(data, status_code=206, headers=sent, media_type=MEDIA)


def send_file(
    request: Request, path: Path, *, etag: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a file as an answer: 200, a part of it (206), 304 or 416.

    Args:
        request: Who asks.
        path: A file that `checked_path` gave.
        etag: Its ETag, with quotes; None = by its size and when it was written.
        headers: Further headers.

    Raises:
        ProblemError: The part lies behind its end.
    """
    found = path.stat()
    tag = etag or f'"{found.st_mtime_ns:x}-{found.st_size:x}"'
    sent = {"etag": tag, **(headers or {})}
    if has_tag(request, tag):
        return Response(status_code=304, headers=sent)
    wanted = request.headers.get("range")
    if wanted is not None and request.headers.get("if-range", tag) == tag:
        span = _span(wanted, found.st_size)
        if span is not None and span[0] >= span[1]:
            detail = f"the file has {found.st_size} bytes; {wanted[:80]} begins behind them"
            raise ProblemError(416, detail, headers={"content-range": f"bytes */{found.st_size}"})
    return _SentFile(path, headers=sent, media_type=MEDIA, stat_result=found)


def clip_files(root: Location, clip: str) -> tuple[str, dict[str, dict[str, Any]]]:  # Any: JSON
    """Return the folder of a committed clip, relative to its dataset, and its files by name, with `bytes` and `sha256`.

    Raises:
        ClipNotFound: It is not committed.
        CorruptClip: Its commit record is damaged.
    """
    record = read_record(root, clip)
    files = cast(dict[str, dict[str, Any]], record["files"])  # Any: JSON
    return clip_key(clip, str(record["attempt"])), files


def registered(root: Location, name: str) -> str:
    """Return the name of a file that a dataset registers: what trainers read, and of clips what their record names.

    Raises:
        ProblemError: It is none.
    """
    if found := CLIP_FILE.fullmatch(name):
        folder, files = clip_files(root, found[1])
        if not name.startswith(f"{folder}/") or found[3] not in files:
            raise _missing(name)
    elif not OTHER_FILES.fullmatch(name):
        raise _missing(name)
    return name


def checked_path(root: Path, name: str) -> Path:
    """Return a regular file below a folder; no way leads out of it, by dots or links.

    Raises:
        ProblemError: There is none.
    """
    path = _walked(root, name)
    if path is None or not path.is_file():
        raise _missing(name)
    return path


def _walked(root: Path, name: str) -> Path | None:
    """Return what a name below a folder leads to, if no step of it is a link; None if one is, or makes no sense."""
    path = root
    try:
        for part in name.split("/"):
            if part in ("", ".", "..") or "\\" in part or "\x00" in part:
                return None
            path = path / part
            if path.is_symlink():
                return None
        return path if path.resolve().is_relative_to(root.resolve()) else None
    except OSError:  # longer than a name can be
        return None


def _missing(name: str) -> ProblemError:
    return ProblemError(404, f"there is no file {name[:200]!r}")


def _span(header: str, size: int) -> tuple[int, int] | None:
    """Return the first byte that a Range asks for and the one after its last; None if it is not one range of bytes."""
    found = RANGE.fullmatch(header.strip())
    if found is None or found[0] == "bytes=-":
        return None
    first, last = found[1], found[2]
    if not first:
        return max(0, size - int(last)), size
    if last and int(last) < int(first):
        return None
    return int(first), min(size, int(last) + 1) if last else size
