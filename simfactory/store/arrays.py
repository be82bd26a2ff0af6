"""Arrays of a clip on their way to disk: each quantised, cut into chunks, spooled while its range is unknown."""

from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from simfactory.signals import Signal
from simfactory.store.folder import Profile
from simfactory.store.layout import plan_layout
from simfactory.store.precision import Array, Quantiser, Stored
from simfactory.store.schema import Document, array_document
from simfactory.store.shards import ShardStream
from simfactory.store.spool import Spool

__all__ = ["ArrayWriter"]


@final
class ArrayWriter:
    """Writes one signal row by row; rows run along its first axis.

    Args:
        folder: Where the array's chunks go.
        spool: File for exact rows of a signal whose step is not known before the end.
        signal: What is written.
        profile: How precisely.
        row_count: Rows the array will have; None = as many as come.
    """

    def __init__(self, folder: Path, *, spool: Path, signal: Signal, profile: Profile, row_count: int | None) -> None:
        self.signal = signal
        self.quantiser = Quantiser(signal, profile=profile)
        self._folder = folder
        self._spool_path = spool
        self._row_count = row_count
        self._stream: ShardStream | None = None
        self._spool: Spool | None = None

    @property
    def row_count(self) -> int:
        """Number of rows written so far."""
        return 0 if self._stream is None else self._stream.row_count

    def write(self, rows: Array) -> NDArray[np.bool_] | None:
        """Quantise and store `rows`; return which values saturated, or None.

        Raises:
            StoreError: A value is neither finite nor the signal's missing value.
            ResourceError: The disk is full.
        """
        stream = self._started(rows.shape[1:])
        flags: list[NDArray[np.bool_]] = []
        any_beyond = False
        start = 0
        while start < len(rows):
            target = stream.reserve(len(rows) - start)
            block = rows[start : start + len(target)]
            beyond = self.quantiser.encode(block, target)
            any_beyond |= beyond is not None
            flags.append(np.zeros(block.shape, dtype=bool) if beyond is None else beyond)
            stream.advance(len(block))
            start += len(block)
        return np.concatenate(flags) if any_beyond else None

    def put(self, rows: Stored) -> None:
        """Store rows that are quantised already."""
        stream = self._started(rows.elements.shape[1:])
        start = 0
        while start < len(rows.elements):
            target = stream.reserve(len(rows.elements) - start)
            np.copyto(target, rows.elements[start : start + len(target)])
            stream.advance(len(target))
            start += len(target)
        self.quantiser.saturated += rows.saturated

    def spool(self, rows: Array) -> None:
        """Keep `rows` exactly, and remember how far their values reach."""
        if self._spool is None:
            self._spool = Spool(self._spool_path, rows.dtype)
        if self.quantiser.scalable:
            self._spool.peak = max(self._spool.peak, self.quantiser.peak(rows))
        self._spool.append(rows)

    def settle(self) -> int:
        """Choose the step for what was spooled; return the number of spooled blocks."""
        if self._spool is None:
            return 0
        self.quantiser.widen(self._spool.peak)
        return len(self._spool)

    def spooled(self, index: int) -> Array:
        """Return spooled block `index`."""
        if self._spool is None:
            raise IndexError(f"{self.signal.name}: nothing is spooled")
        return self._spool.read(index)

    def finish(self) -> Document:
        """Write what is left; return the array's metadata document."""
        storage = self._started(()).finish() if self._stream is None else self._stream.finish()
        return array_document(self.signal, self.quantiser.encoding, storage, saturated=self.quantiser.saturated)

    @property
    def stream(self) -> ShardStream | None:
        """The stream of chunks, once the first row came."""
        return self._stream

    def close(self) -> None:
        """Close files; remove the spool."""
        for part in (self._stream, self._spool):
            if part is not None:
                part.close()

    def _started(self, row_shape: tuple[int, ...]) -> ShardStream:
        if self._stream is None:
            encoding = self.quantiser.encoding
            layout = plan_layout(
                self.signal,
                dtype=encoding.stored,
                row_shape=row_shape,
                row_count=self._row_count,
                missing=encoding.stored_missing,
            )
            self._stream = ShardStream(self._folder, layout)
        return self._stream
