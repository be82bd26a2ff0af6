"""Frames of one signal, kept exactly in the staged folder until the clip's range is known."""

import os
from pathlib import Path
from typing import final

import numpy as np
from numcodecs import blosc

from simfactory.store.disk import disk_errors, write_all
from simfactory.store.precision import Array

__all__ = ["Spool"]


@final
class Spool:
    """A file of blocks that are written once and read back in order or at random.

    Attributes:
        peak: Largest magnitude seen so far; kept by the owner.
    """

    def __init__(self, path: Path, dtype: np.dtype[np.generic]) -> None:
        self.path = path
        self.dtype = dtype
        self.peak = 0.0
        self._blocks: list[tuple[int, int, tuple[int, ...]]] = []
        self._size = 0
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)

    def __len__(self) -> int:
        """Return the number of blocks."""
        return len(self._blocks)

    def append(self, block: Array) -> None:
        """Keep one block, whatever its shape."""
        # Lightly packed: still surfaces are zeros, and the disk is slower than lz4.
        data = blosc.compress(np.ascontiguousarray(block, dtype=self.dtype), b"lz4", 1) if block.size else b""
        with disk_errors(self.path, needed=len(data)):
            write_all(self._descriptor, data)
        self._blocks.append((self._size, len(data), block.shape))
        self._size += len(data)

    def read(self, index: int) -> Array:
        """Return block `index`, bit for bit."""
        offset, length, shape = self._blocks[index]
        block: Array = np.empty(shape, dtype=self.dtype)
        if length:
            blosc.decompress(os.pread(self._descriptor, length, offset), block)
        return block

    def close(self) -> None:
        """Forget the blocks."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            self.path.unlink(missing_ok=True)
