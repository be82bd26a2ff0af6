"""The seam between the store and the medium that holds a dataset's objects."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

__all__ = ["Volume"]


class Volume(ABC):
    """Named byte strings with one atomic primitive: create a key only if it does not exist yet.

    Keys are relative, with `/` between parts. A local folder renames staged files into place and creates keys
    with `link`; an object store uploads them under their prefix and creates keys with put-if-absent. Everything
    above this class is the same for both.
    """

    @abstractmethod
    def read(self, key: str) -> bytes:
        """Return the bytes of `key`.

        Raises:
            FileNotFoundError: There is no such key.
        """

    @abstractmethod
    def exists(self, key: str) -> bool:
        """Return whether `key` (or anything below it) exists."""

    @abstractmethod
    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names directly below `prefix`; none if there is no such prefix."""

    @abstractmethod
    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Create `key` durably and atomically; return False, and change nothing, if it exists."""

    @abstractmethod
    def remove(self, key: str) -> None:
        """Remove `key` and everything below it; nothing happens if it does not exist."""

    @abstractmethod
    def stage(self, name: str) -> Path:
        """Return a new, empty local folder for the attempt `name`, held alive until `release`."""

    @abstractmethod
    def publish(self, name: str, part: str, key: str) -> None:
        """Make the staged folder `part` of the attempt `name` durable under `key`."""

    @abstractmethod
    def release(self, name: str) -> None:
        """Remove what is left of the staged attempt `name`."""

    @abstractmethod
    def abandoned(self, older_than_s: float) -> Iterator[str]:
        """Yield attempts whose writer is gone and whose newest file is older than `older_than_s` [s].

        Each is held while the caller looks at it, so its writer cannot come back; `release` it to remove it.
        """
