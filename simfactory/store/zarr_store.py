"""A volume as a store of zarr-python, read only: for datasets that are not in a local folder."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Never, final

from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import Buffer, BufferPrototype

from simfactory.store.base import Volume

__all__ = ["VolumeStore"]


@final
class VolumeStore(Store):
    """The keys of a volume below a prefix.

    A chunk file that is missing is an error here: every file of a clip was written, and zarr-python would take the
    missing one for fill values.
    """

    supports_writes = False
    supports_deletes = False
    supports_listing = False

    def __init__(self, volume: Volume, prefix: str) -> None:
        super().__init__(read_only=True)
        self._volume = volume
        self._prefix = prefix

    def __eq__(self, other: object) -> bool:
        """Return whether both read the same keys of the same volume."""
        return isinstance(other, VolumeStore) and self._volume is other._volume and self._prefix == other._prefix

    __hash__ = None  # type: ignore[assignment]  # equal by what it reads, as zarr's own stores

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Return a file, or the part of it that is asked for; None if it is a missing document."""
        start, stop = _bounds(byte_range)
        try:
            data = await asyncio.to_thread(self._volume.read, f"{self._prefix}/{key}", start=start, stop=stop)
        except FileNotFoundError:
            if key.endswith("zarr.json"):
                return None
            raise
        return prototype.buffer.from_bytes(data)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return several parts, fetched together."""
        return list(await asyncio.gather(*(self.get(key, prototype, part) for key, part in key_ranges)))

    async def exists(self, key: str) -> bool:
        """Return whether a file exists."""
        return await asyncio.to_thread(self._volume.exists, f"{self._prefix}/{key}")

    async def set(self, key: str, value: Buffer) -> None:
        """Refuse: clips are written by `ClipWriter`."""
        self._refuse()

    async def delete(self, key: str) -> None:
        """Refuse: clips are written by `ClipWriter`."""
        self._refuse()

    def list(self) -> AsyncIterator[str]:
        """Refuse: what a clip holds is in its consolidated metadata."""
        self._refuse()

    def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Refuse: what a clip holds is in its consolidated metadata."""
        self._refuse()

    def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Refuse: what a clip holds is in its consolidated metadata."""
        self._refuse()

    def _refuse(self) -> Never:
        raise NotImplementedError(f"{self._prefix}: a clip is only read, by the names in its metadata")


def _bounds(part: ByteRequest | None) -> tuple[int | None, int | None]:
    """Return start and stop as `Volume.read` takes them."""
    match part:
        case RangeByteRequest(start, end):
            return start, end
        case OffsetByteRequest(offset):
            return offset, None
        case SuffixByteRequest(suffix):
            return -suffix, None
        case _:
            return None, None
