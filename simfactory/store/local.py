"""A dataset in a local folder: rename, link, fsync, and a lock that dies with its process."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import final

from simfactory.store.base import Volume
from simfactory.store.canonical import JSON
from simfactory.store.disk import disk_errors, sync_path, sync_tree, write_file
from simfactory.store.ulid import new_ulid

__all__ = ["LocalVolume"]

_STAGING = "staging"


@final
class LocalVolume(Volume):
    """A folder on a file system with `link` and `flock`.

    Attempts are staged in `staging/<name>`, whose lock its writer holds: a lock disappears with its process, so
    an attempt is abandoned exactly when its lock is free.
    """

    listing = "free"
    fences = True

    def __init__(self, root: Path) -> None:
        self.root = root
        self._locks: dict[str, int] = {}

    def __reduce__(self) -> tuple[type["LocalVolume"], tuple[Path]]:
        """Go to another process without the attempts held in this one."""
        return LocalVolume, (self.root,)

    def read(self, key: str, *, start: int | None = None, stop: int | None = None) -> bytes:
        """Return the bytes of the file `key`, or a part of them."""
        with (self.root / key).open("rb") as file:
            if start is not None:
                file.seek(start, os.SEEK_END if start < 0 else os.SEEK_SET)
            return file.read(-1 if stop is None else stop - (start or 0))

    def exists(self, key: str) -> bool:
        """Return whether the file or folder `key` exists."""
        return (self.root / key).exists()

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names in the folder `prefix`."""
        try:
            with os.scandir(self.root / prefix) as entries:
                yield from [entry.name for entry in entries]
        except (FileNotFoundError, NotADirectoryError):
            return

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the files at any depth below the folder `prefix`."""
        top = self.root / prefix
        for folder, _, files in os.walk(top):
            below = Path(folder).relative_to(top)
            yield from ((below / name).as_posix() for name in files)

    def kvstore(self, prefix: str) -> dict[str, JSON]:
        """Return tensorstore's spec of the folder `prefix`."""
        return {"driver": "file", "path": f"{self.root / prefix}/"}

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Write a temporary file and `link` it to `key`: the link is what can exist only once."""
        target = self.root / key
        temporary = self.root / _STAGING / f"{new_ulid()}.put"
        with disk_errors(target, needed=len(data)):
            self._make_folder(temporary.parent)
            self._make_folder(target.parent)
            try:
                write_file(temporary, data, durable=True)
                os.link(temporary, target)
            except FileExistsError:
                return False
            finally:
                temporary.unlink(missing_ok=True)
            sync_path(target.parent)
        return True

    def remove(self, key: str) -> None:
        """Remove a file or a whole folder."""
        path = self.root / key
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def stage(self, name: str) -> Path:
        """Create and lock `staging/<name>`."""
        folder = self.root / _STAGING / name
        with disk_errors(folder):
            while name not in self._locks:
                folder.mkdir(parents=True, exist_ok=True)
                self._lock(name, fcntl.LOCK_EX)
        return folder

    def publish(self, name: str, part: str, key: str) -> None:
        """Sync everything in the staged part, rename it to `key`, sync the parents."""
        source = self.root / _STAGING / name / part
        target = self.root / key
        with disk_errors(target):
            sync_tree(source)
            self._make_folder(target.parent)
            source.rename(target)
            sync_path(target.parent)

    def release(self, name: str) -> None:
        """Remove `staging/<name>`, then let go of its lock."""
        self.remove(f"{_STAGING}/{name}")
        descriptor = self._locks.pop(name, None)
        if descriptor is not None:
            os.close(descriptor)

    def abandoned(self, older_than_s: float) -> Iterator[str]:
        """Yield attempts and temporary files that nobody holds."""
        horizon = time.time() - older_than_s
        for name in sorted(self.names(_STAGING)):
            path = self.root / _STAGING / name
            if name in self._locks or _newest(path) > horizon:
                continue
            if path.is_dir() and not self._lock(name, fcntl.LOCK_EX | fcntl.LOCK_NB):
                continue
            try:
                yield name
            finally:
                descriptor = self._locks.pop(name, None)
                if descriptor is not None:
                    os.close(descriptor)

    def _lock(self, name: str, operation: int) -> bool:
        """Lock the folder behind `name`; False if somebody holds it or swept it in between."""
        path = self.root / _STAGING / name
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, operation)
            alive = path.stat().st_ino == os.fstat(descriptor).st_ino
        except (BlockingIOError, FileNotFoundError):
            alive = False
        if not alive:
            os.close(descriptor)
            return False
        self._locks[name] = descriptor
        return True

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        folder.mkdir(parents=True, exist_ok=True)
        sync_path(folder.parent)


def _newest(path: Path) -> float:
    """Return when anything at or below `path` last changed [s since the epoch]; 0 if it is gone."""
    newest = 0.0
    for folder, _, files in os.walk(path):
        for entry in (Path(folder), *(Path(folder, file) for file in files)):
            newest = max(newest, _changed(entry))
    return max(newest, _changed(path))


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
