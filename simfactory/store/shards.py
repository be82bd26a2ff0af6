"""Writes one array as it grows: full chunks are encoded at once, each file is written once, front to back."""

import dataclasses
import hashlib
import itertools
import math
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from simfactory.store.canonical import JSON
from simfactory.store.codecs import checksum, codec_documents, encode_chunk, shard_document
from simfactory.store.disk import disk_errors, write_all
from simfactory.store.layout import Layout
from simfactory.store.precision import Array

__all__ = ["FileRecord", "ShardStream"]

_ABSENT = (2**64 - 1, 2**64 - 1)


@final
@dataclass(frozen=True, slots=True)
class FileRecord:
    """What a commit promises about one file: its SHA-256 in hex and its size [bytes]."""

    sha256: str
    size: int


@final
class _ShardFile:
    """One file of chunks, hashed while it is written."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.index: list[tuple[int, int]] = []
        self.size = 0
        self._hash = hashlib.sha256()
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)

    def append(self, data: bytes) -> None:
        write_all(self._descriptor, data)
        self._hash.update(data)
        self.index.append((self.size, len(data)))
        self.size += len(data)

    def finish(self, *, index_length: int) -> FileRecord:
        """Close; `index_length` 0 leaves a plain chunk file without an index."""
        if index_length:
            entries = self.index + [_ABSENT] * (index_length - len(self.index))
            index = struct.pack(f"<{2 * index_length}Q", *itertools.chain.from_iterable(entries))
            self.append(index + checksum(index))
        self.close()
        return FileRecord(self._hash.hexdigest(), self.size)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1


@final
class ShardStream:
    """An array on its way to disk, one block of rows after the other.

    At most one chunk row is in memory. The array's length need not be known before `finish`.
    """

    def __init__(self, folder: Path, layout: Layout) -> None:
        self.folder = folder
        self.layout = layout
        self.row_count = 0
        self.files: dict[str, FileRecord] = {}
        self._buffer: Array = np.empty((layout.chunk[0], *layout.row_shape), dtype=layout.dtype)
        self._chunk_rows = 0
        self._file: _ShardFile | None = None

    def reserve(self, count: int) -> Array:
        """Return a view of up to `count` free rows; what is written there counts after `advance`."""
        start = self.row_count % self.layout.chunk[0]
        return self._buffer[start : start + count]

    def advance(self, count: int) -> None:
        """Take `count` reserved rows; a full chunk row goes to disk."""
        self.row_count += count
        if self.row_count % self.layout.chunk[0] == 0:
            self._flush()

    def finish(self) -> dict[str, JSON]:
        """Write what is left; return the grid and codec members of the array's metadata document."""
        rest = self.row_count % self.layout.chunk[0]
        if rest and not self._chunk_rows:  # the only chunk: as long as its rows
            self.layout = dataclasses.replace(self.layout, chunk=(rest, *self.layout.chunk[1:]))
            self._buffer = self._buffer[:rest]
            self._flush()
        elif rest:
            self._buffer[rest:] = self.layout.missing
            self._flush()
        layout = self.layout
        sharded = self._chunk_rows * layout.tile_count > 1
        shard_rows = min(self._chunk_rows, layout.shard_chunks)
        if self._file is not None:
            self._close_file(index_length=shard_rows * layout.tile_count if sharded else 0)
        codecs = codec_documents(layout.dtype, chunk=layout.chunk, shuffle=layout.shuffle)
        grid = list(layout.chunk)
        if sharded:
            codecs = shard_document(layout.chunk, codecs)
            spread = (shard_rows, *layout.tiles)
            grid = [size * count for size, count in zip(layout.chunk, spread, strict=True)]
        return {
            "shape": [self.row_count, *layout.row_shape],
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [*grid]}},
            "codecs": codecs,
        }

    def close(self) -> None:
        """Let go of the open file; what was written so far is worthless."""
        if self._file is not None:
            self._file.close()

    def _flush(self) -> None:
        layout = self.layout
        if math.prod(layout.row_shape) == 0:
            return
        if self._file is not None and self._chunk_rows % layout.shard_chunks == 0:
            self._close_file(index_length=layout.shard_chunks * layout.tile_count)
        if self._file is None:
            # Dots keep the file in the array's own folder: nested ones would each have to be made and synced.
            key = ".".join(["c", str(self._chunk_rows // layout.shard_chunks), *["0"] * len(layout.row_shape)])
            with disk_errors(self.folder / key):
                self._file = _ShardFile(self.folder / key)
        for corner in np.ndindex(*layout.tiles):
            data = encode_chunk(self._tile(corner), shuffle=layout.shuffle)
            with disk_errors(self._file.path, needed=len(data)):
                self._file.append(data)
        self._chunk_rows += 1

    def _tile(self, corner: tuple[int, ...]) -> Array:
        layout = self.layout
        if layout.tile_count == 1:
            return self._buffer
        cut = (slice(None), *(slice(i * n, (i + 1) * n) for i, n in zip(corner, layout.chunk[1:], strict=True)))
        part = self._buffer[cut]
        if part.shape == layout.chunk:
            return np.ascontiguousarray(part)
        tile = np.full(layout.chunk, layout.missing, dtype=layout.dtype)
        tile[tuple(slice(size) for size in part.shape)] = part
        return tile

    def _close_file(self, *, index_length: int) -> None:
        if self._file is None:
            return
        with disk_errors(self._file.path, needed=16 * index_length):
            record = self._file.finish(index_length=index_length)
        self.files[self._file.path.relative_to(self.folder).as_posix()] = record
        self._file = None
