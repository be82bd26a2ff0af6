"""What the disk answers, in our words: full disks, missing rights, whole writes."""

import errno
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from simfactory.errors import DiskFull, StoreError

__all__ = ["disk_errors", "sync_path", "sync_tree", "write_all", "write_file"]

_SYNC_THREADS = 8
_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def disk_errors(path: Path, *, needed: int = 0) -> Iterator[None]:
    """Turn an `OSError` about `path` into the project's own errors.

    Args:
        path: What was being read or written.
        needed: Size of the write [bytes], for the message of a full disk.

    Raises:
        DiskFull: The disk or the quota is full.
        StoreError: Anything else the system refused.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(
                f"{path}: the disk is full ({needed} bytes needed, {_free_bytes(path)} bytes free); "
                "make room or choose another dataset folder"
            ) from error
        raise StoreError(f"{path}: {error.strerror or error}") from error


def _free_bytes(path: Path) -> int:
    for folder in (path, *path.parents):
        if folder.exists():
            return shutil.disk_usage(folder).free
    return 0


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write every byte of `data`; a single `os.write` may take only a part."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def write_file(path: Path, data: bytes, *, durable: bool) -> None:
    """Create `path` with `data`, durably or for now only visibly; an existing file is an error."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        write_all(descriptor, data)
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(root: Path) -> None:
    """Make everything below `root` durable, many files at a time: the disk then writes them in few batches."""
    paths = [root, *root.rglob("*")]
    with ThreadPoolExecutor(_SYNC_THREADS) as pool:
        list(pool.map(sync_path, paths))


def sync_path(path: Path) -> None:
    """Make a file's bytes, or the names in a folder, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
