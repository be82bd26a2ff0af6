"""How an array is cut: chunks of eight frames, tiles of large images, shards along the first axis."""

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from simfactory.signals import Signal

__all__ = ["CHUNK_BYTES", "CHUNK_FRAMES", "SHARD_BYTES", "Layout", "plan_layout"]

CHUNK_FRAMES = 8
CHUNK_BYTES = 4 << 20
SHARD_BYTES = 128 << 20
_STREAM_CHUNK_BYTES = 1 << 20


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """The cutting of one array; rows run along its first axis.

    Attributes:
        dtype: Stored type.
        row_shape: Shape of one row.
        chunk: Shape of one chunk, its rows first.
        shard_chunks: Chunks along the first axis that one file holds at most.
        shuffle: Whether bytes of equal significance are brought together before compressing.
        missing: Stored value of elements that were never written.
    """

    dtype: np.dtype[np.generic]
    row_shape: tuple[int, ...]
    chunk: tuple[int, ...]
    shard_chunks: int
    shuffle: bool
    missing: float | int

    @property
    def tiles(self) -> tuple[int, ...]:
        """Number of tiles along each axis of a row."""
        return tuple(-(-size // tile) for size, tile in zip(self.row_shape, self.chunk[1:], strict=True))

    @property
    def tile_count(self) -> int:
        """Number of tiles a row is cut into."""
        return math.prod(self.tiles)


def plan_layout(
    signal: Signal, *, dtype: np.dtype[np.generic], row_shape: tuple[int, ...], row_count: int | None, missing: float
) -> Layout:
    """Return how an array of `row_count` rows (None = not known yet) is cut.

    Images are cut by eight frames, anything else by what fits into a megabyte.
    """
    row_bytes = max(1, math.prod(row_shape) * dtype.itemsize)
    image = signal.dims[0] == "time" and {"y", "x"} <= set(signal.dims)
    if image:
        rows = CHUNK_FRAMES
    elif row_count is None:
        rows = max(1, _STREAM_CHUNK_BYTES // row_bytes)
    else:
        rows = max(CHUNK_FRAMES, _STREAM_CHUNK_BYTES // row_bytes)
    if row_count is not None:
        rows = min(rows, row_count)
    chunk = _tiled((max(1, rows), *(max(1, size) for size in row_shape)), itemsize=dtype.itemsize)
    return Layout(
        dtype=dtype,
        row_shape=row_shape,
        chunk=chunk,
        shard_chunks=max(1, SHARD_BYTES // (row_bytes * chunk[0])),
        shuffle=dtype.itemsize > 1,
        missing=missing,
    )


def _tiled(chunk: tuple[int, ...], *, itemsize: int) -> tuple[int, ...]:
    """Halve the longest axis of a row until the chunk is small enough; rows only if nothing else is left."""
    sizes = list(chunk)
    while math.prod(sizes) * itemsize > CHUNK_BYTES:
        rest = max(range(1, len(sizes)), key=lambda axis: sizes[axis], default=0)
        axis = rest if sizes[rest] > 1 else 0
        sizes[axis] = -(-sizes[axis] // 2)
    return tuple(sizes)
