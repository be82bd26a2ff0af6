"""One file from the service onto the disk: taken up where it broke off, checked, and only then under its name."""

import hashlib
import re
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import httpx

from simfactory.client.session import QUIET_SECONDS, Session
from simfactory.client.wire import Call, FileEntry
from simfactory.errors import CorruptClip, ServiceError
from simfactory.store.disk import disk_errors

__all__ = ["download", "is_whole", "local_path"]

_BLOCK = 1 << 20
_RANGE_START = re.compile(r"bytes (\d+)-")


async def download(session: Session, path: str, target: Path, entry: FileEntry) -> None:
    """Write a file, unless it is there already.

    What came so far lies in `<target>.part`, from which a later call goes on.

    Args:
        session: Connection to the service.
        path: Where the service has it, quoted.
        target: Where it goes; folders are made.
        entry: Its size and digest.

    Raises:
        CorruptClip: What came is not what the digest says, even from the start.
        ServiceError: The service is not there, or refuses.
        ResourceError: The disk is full.
    """
    if is_whole(target, entry):
        return
    part = target.with_name(target.name + ".part")
    with disk_errors(target, needed=entry.bytes):
        target.parent.mkdir(parents=True, exist_ok=True)
    resumed = _size(part) > 0
    await _fill(session, path, part, entry.bytes)
    if not is_whole(part, entry) and resumed:
        part.unlink()  # what was there before may have been another file
        await _fill(session, path, part, entry.bytes)
    if not is_whole(part, entry):
        part.unlink()
        raise CorruptClip(
            f"{path}: what came is not the {entry.bytes} bytes with SHA-256 {entry.sha256} that were promised: "
            "the clip is damaged where it is kept, or on the way; `simfactory verify` there tells which"
        )
    with disk_errors(target):
        part.replace(target)


def is_whole(path: Path, entry: FileEntry) -> bool:
    """Return whether a file is there with its size and digest."""
    if _size(path) != entry.bytes:
        return False
    if entry.sha256 is None:
        return True
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest() == entry.sha256


def local_path(folder: Path, path: str) -> Path:
    """Return where a file of the service goes below a folder.

    Raises:
        ServiceError: Its path leads out of the folder.
    """
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
        raise ServiceError(f"the service names a file {path!r}, which leads out of its folder: it is not fetched")
    return folder.joinpath(*parts)


async def _fill(session: Session, path: str, part: Path, size: int) -> None:
    """Fetch what is missing of a file; it may end up with more bytes than it should have, by one block."""
    with disk_errors(part, needed=size):
        part.touch()
    failures = 0
    while (start := _size(part)) < size:
        headers = {"Range": f"bytes={start}-"} if start > 0 else {}
        call = Call(method="GET", path=path, headers={"Accept": "*/*", **headers})
        failure: httpx.Response | httpx.TransportError
        try:
            async with session.transport.stream(call, quiet=QUIET_SECONDS) as (response, chunks):
                failure = response
                if response.is_success:
                    with disk_errors(part, needed=size), part.open("ab") as file:
                        _seek(file, response, start)
                        async for chunk in chunks:
                            file.write(chunk)
                            if file.tell() > size:
                                return
                    failure = httpx.RemoteProtocolError("the file ended early")
        except httpx.TransportError as error:
            failure = error
        if _size(part) < size:
            failures = 1 if _size(part) > start else failures + 1
            await session.pause_after(failure, call, failures)


def _seek(file: BinaryIO, response: httpx.Response, start: int) -> None:
    """Make the file end where the answer begins."""
    begins = 0
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        match = _RANGE_START.match(response.headers.get("Content-Range", ""))
        begins = int(match[1]) if match else start
    if begins > start:
        raise ServiceError(f"{response.request.url.path}: asked for bytes from {start}, got those from {begins}")
    file.truncate(begins)


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return -1
