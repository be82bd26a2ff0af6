"""The seam between the store and the medium that holds a dataset's objects."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from simfactory.store.canonical import JSON

__all__ = ["Volume"]


class Volume(ABC):
    """Named byte strings with one atomic primitive: create a key only if it does not exist yet.

    Keys are relative, with `/` between parts. A local folder renames staged files into place and creates keys
    with `link`; an object store uploads them under their prefix and creates keys with put-if-absent. Everything
    above this class is the same for both. A dataset served over HTTP is a volume that can only be read.

    Attributes:
        listing: What it costs to list keys: `free` on a disk; `paid` where a request brings a thousand; `none` where
            only the catalogue's folder can be listed.
        fences: Whether `abandoned` keeps a writer that was only slow from committing what is being swept.
    """

    listing: ClassVar[Literal["free", "paid", "none"]]
    fences: ClassVar[bool]

    @abstractmethod
    def read(self, key: str, *, start: int | None = None, stop: int | None = None) -> bytes:
        """Return the bytes of `key`, or a part of them; the rest is not fetched.

        Args:
            key: What is read.
            start: First byte; negative = counted from the end, without `stop`.
            stop: Byte to stop before; needs a `start` from the beginning.

        Raises:
            FileNotFoundError: There is no such key.
            StoreError: A remote volume cannot be reached, or refuses.
        """

    @abstractmethod
    def exists(self, key: str) -> bool:
        """Return whether `key` exists."""

    @abstractmethod
    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names directly below `prefix`; none if there is no such prefix."""

    @abstractmethod
    def keys(self, prefix: str) -> Iterator[str]:
        """Yield every key below `prefix`, at any depth, relative to it; none if there is no such prefix."""

    @abstractmethod
    def kvstore(self, prefix: str) -> dict[str, JSON]:
        """Return the tensorstore key-value store (spec) of the keys below `prefix`."""

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
