"""Files of datasets as answers: from a disk or from an object store, whole or by Range."""

import re

from fastapi import Request
from fastapi.responses import FileResponse, Response

from api.clips import safe_file
from api.problems import ProblemError
from simfactory.store import open_folder
from simfactory.store.location import Location, Url

__all__ = ["send_file"]

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def send_file(
    request: Request, dataset: Location, key: str, *, etag: str | None = None, lasting: bool = False
) -> Response:
    """Return a file of a dataset as an answer.

    Args:
        request: What was asked.
        dataset: Where the dataset lies.
        key: The file, relative to it.
        etag: Its digest, if it is known.
        lasting: Whether it never changes.

    Raises:
        ProblemError: There is no such file (404), or not this part of it (416).
    """
    headers = {"cache-control": "private, max-age=86400, immutable"} if lasting else {}
    if etag is not None:
        headers["etag"] = f'"{etag[:32]}"'
    if not isinstance(dataset, Url):
        return FileResponse(safe_file(dataset, key), headers=headers, media_type="application/octet-stream")
    try:
        return _from_store(request.headers.get("range"), dataset, key, {**headers, "accept-ranges": "bytes"})
    except FileNotFoundError:
        raise ProblemError(404, f"there is no file {key!r}") from None


def _from_store(asked: str | None, dataset: Url, key: str, headers: dict[str, str]) -> Response:
    volume = open_folder(dataset).volume
    part = _RANGE.fullmatch(asked or "")
    if part is None or part.groups() == ("", ""):
        return Response(volume.read(key), headers=headers, media_type="application/octet-stream")
    first, last = part.groups()
    if not first:
        data = volume.read(key, start=-int(last))
    else:
        data = volume.read(key, start=int(first), stop=int(last) + 1 if last else None)
        headers["content-range"] = f"bytes {int(first)}-{int(first) + len(data) - 1}/*"
    if not data:
        raise ProblemError(416, f"{asked}: there is nothing there")
    return Response(data, status_code=206, headers=headers, media_type="application/octet-stream")
