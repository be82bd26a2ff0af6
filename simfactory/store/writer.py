"""Writes one clip: frames come one by one, everything appears at once with the commit or not at all."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from simfactory.errors import StoreError
from simfactory.signals import SATURATED, Signal
from simfactory.store.arrays import ArrayWriter
from simfactory.store.canonical import JSON
from simfactory.store.commit import Attempt
from simfactory.store.folder import open_folder
from simfactory.store.precision import Array, Stored
from simfactory.store.shapes import OFFSETS, AxisSizes, check_names, group_of

__all__ = ["ClipWriter"]

_SURE_SIDE = 511
_MASK = "mask"
_PIXEL = {"time", "y", "x"}


@final
class ClipWriter:
    """Writes one clip into a dataset; use it as a context manager.

    Leaving the block without `commit`, or with an exception, removes every trace of the attempt. Memory holds one
    chunk (eight frames) per array, whatever the clip's length.

    Args:
        dataset: Folder or `s3://` address of an existing dataset, or its handle.
        clip_id: 32 hex characters, from `simfactory.store.clip_id`.
        signals: What the clip holds. One whose first axis is `time` comes frame by frame or whole at the commit,
            a ragged one frame by frame, any other at the commit.
        frame_count: Number of frames.
        height: Image height [px].
        width: Image width [px].
        attributes: JSON attributes of the clip (fps, spec, caption, …); `commit` may add more.

    Raises:
        StoreError: The dataset is missing or cannot be written, or a signal is malformed.
        ResourceError: The disk is full.
    """

    def __init__(
        self,
        dataset: str | os.PathLike[str],
        clip_id: str,
        *,
        signals: Sequence[Signal],
        frame_count: int,
        height: int,
        width: int,
        attributes: Mapping[str, JSON],
    ) -> None:
        if min(frame_count, height, width) < 1:
            raise StoreError(f"a clip of {frame_count} frames, {height} x {width}: each must be at least 1")
        check_names(signals)
        folder = open_folder(dataset)
        self._signals = {signal.name: signal for signal in signals}
        self._size: dict[str, JSON] = {"frame_count": frame_count, "height": height, "width": width}
        self._attributes = dict(attributes)
        self._frame_count = frame_count
        self._axes = AxisSizes({"time": frame_count, "y": height, "x": width})
        self._offsets: dict[str, list[int]] = {group_of(s.name): [0] for s in signals if s.ragged}
        self._appended: frozenset[str] | None = None
        self._frames = 0
        self._attempt = Attempt(folder, clip_id)
        self._arrays = {
            signal.name: ArrayWriter(
                self._attempt.clip / signal.name,
                spool=self._attempt.spool / signal.name,
                signal=signal,
                profile=folder.profile,
                row_count=frame_count if signal.dims[0] == "time" else None,
            )
            for signal in signals
        }
        self._spooled = self._to_spool(max(height, width))

    def __enter__(self) -> Self:
        """Return the writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the attempt unless it was committed."""
        self.abort()

    @property
    def steps(self) -> Mapping[str, float]:
        """Signals whose step is known from the start, and that step: their frames may come in stored form."""
        scales = {name: array.quantiser.encoding.scale for name, array in self._arrays.items()}
        fixed = {name: scale for name, scale in scales.items() if name not in self._spooled}
        return {
            name: scale for name, scale in fixed.items() if scale is not None and self._signals[name].dims[0] == "time"
        }

    def append(self, frame: Mapping[str, Array | Stored]) -> None:
        """Store the next frame.

        Args:
            frame: One slice per per-frame signal (its dims without `time`), and (n, …) rows per ragged signal, n
                free but equal within a group. Every frame brings the same signals. Those of `steps` may be `Stored`;
                whoever quantised flow has marked in the mask what saturated.

        Raises:
            StoreError: Something is missing, unknown or mis-shaped, or a value is not finite where it must be.
            ResourceError: The disk is full.
        """
        with self._attempt:
            if self._frames >= self._frame_count:
                raise StoreError(f"frame {self._frames + 1} of a clip of {self._frame_count} frames")
            self._check_appended(frozenset(frame))
            kept = {name: self._stored_rows(name, value) for name, value in frame.items() if isinstance(value, Stored)}
            rows = {name: self._frame_rows(self._signals[name], frame[name]) for name in frame.keys() - kept.keys()}
            self._note_offsets(rows)
            for name in self._spooled & rows.keys():
                self._arrays[name].spool(rows.pop(name))
            self._write_rows(rows)
            for name, stored in kept.items():
                self._arrays[name].put(stored)
            self._frames += 1

    def commit(self, *, arrays: Mapping[str, Array], attributes: Mapping[str, JSON], row: Mapping[str, JSON]) -> bool:
        """Finish the clip and publish it, exactly once.

        Args:
            arrays: Whole arrays of the signals that were not appended.
            attributes: Final attributes; they win over those given at the start.
            row: Catalogue row (see `simfactory.store.COLUMNS`); sizes and ids are filled in.

        Returns:
            True if this attempt became the clip, False if the clip was already committed.

        Raises:
            StoreError: Frames or signals are missing or malformed, or the attributes are not JSON.
            ResourceError: The disk is full.
        """
        with self._attempt:
            self._check_complete(frozenset(arrays))
            self._write_whole(arrays)
            self._drain(self._spooled & (self._appended or frozenset()))
            self._write_offsets()
            documents = {name: array.finish() for name, array in self._arrays.items()}
            return self._attempt.commit(
                documents=documents,
                streams={name: array.stream for name, array in self._arrays.items()},
                attributes={**self._attributes, **attributes, **self._size},
                row={**row, **self._size},
            )

    def abort(self) -> None:
        """Give the attempt up and remove what it wrote; nothing happens after a commit."""
        for array in self._arrays.values():
            array.close()
        self._attempt.abort()

    def _to_spool(self, side: int) -> frozenset[str]:
        """Return the signals whose step is known only at the end, and the mask if it must wait for one of them.

        A pixel displacement that stays in a small frame fits the smallest step, and beyond it saturation is marked.
        """
        names = {
            name
            for name, array in self._arrays.items()
            if array.quantiser.scalable and not (array.signal.unit == "px" and side <= _SURE_SIDE)
        }
        if _MASK in self._arrays and any(self._marks(name) for name in names):
            names.add(_MASK)
        return frozenset(names)

    def _marks(self, name: str) -> bool:
        """Return whether saturation of this signal is marked in the mask: it is a flow field."""
        signal = self._signals[name]
        field = signal.dims[0] == "time" and set(signal.dims) >= _PIXEL
        return field and signal.unit == "px" and self._arrays[name].quantiser.encoding.scale is not None

    def _check_appended(self, given: frozenset[str]) -> None:
        unknown = given - self._signals.keys()
        if unknown:
            raise StoreError(f"unknown signals {sorted(unknown)}; this clip has {sorted(self._signals)}")
        late = sorted(n for n in given if self._signals[n].dims[0] != "time" and not self._signals[n].ragged)
        if late:
            raise StoreError(f"signals {late} have no frames; give them to commit(arrays=...)")
        wanted = self._appended
        if wanted is None:
            wanted = given | {name for name, signal in self._signals.items() if signal.ragged}
        if given != wanted:
            raise StoreError(
                f"frame {self._frames}: missing {sorted(wanted - given)}, unexpected {sorted(given - wanted)}; "
                "every frame brings the same signals"
            )
        self._appended = given

    def _check_complete(self, given: frozenset[str]) -> None:
        appended = self._appended or frozenset()
        wanted = self._signals.keys() - appended
        if given != wanted:
            raise StoreError(
                f"commit: missing arrays {sorted(wanted - given)}, unexpected {sorted(given - wanted)}; "
                f"appended were {sorted(appended)}"
            )
        if appended and self._frames != self._frame_count:
            raise StoreError(f"commit after {self._frames} of {self._frame_count} frames")
        ragged = sorted(name for name in given if self._signals[name].ragged)
        if ragged:
            raise StoreError(f"ragged signals {ragged} come frame by frame; append them")
        fields = {name for name in self._signals if self._marks(name)}
        if (_MASK in given and fields & appended) or (_MASK in appended and fields & given):
            raise StoreError(f"{_MASK} and {sorted(fields)} must come the same way: all appended or all at the commit")

    def _stored_rows(self, name: str, value: Stored) -> Stored:
        if name not in self.steps:
            raise StoreError(f"{name}: its step is known only at the end, or it has none; give values, not stored ones")
        signal = replace(self._signals[name], dtype=self._arrays[name].quantiser.encoding.stored.name)
        elements = self._axes.checked(signal, value.elements, dims=signal.dims[1:])
        return replace(value, elements=elements[np.newaxis])

    def _frame_rows(self, signal: Signal, value: object) -> Array:
        if signal.ragged:
            return self._axes.checked(signal, value, dims=signal.dims)
        return self._axes.checked(signal, value, dims=signal.dims[1:])[np.newaxis]

    def _note_offsets(self, rows: Mapping[str, Array]) -> None:
        for group, offsets in self._offsets.items():
            counts = {name: len(rows[name]) for name in rows if self._signals[name].ragged and group_of(name) == group}
            if len(set(counts.values())) > 1:
                raise StoreError(f"{group}: ragged signals of one group need equally many rows, given {counts}")
            offsets.append(offsets[-1] + next(iter(counts.values())))

    def _write_rows(self, rows: Mapping[str, Array]) -> None:
        """Write rows of the same frames; the mask comes last and learns what saturated."""
        marked: NDArray[np.bool_] | None = None
        for name in sorted(rows, key=lambda name: name == _MASK):
            values = rows[name]
            if name == _MASK and marked is not None:
                values = np.bitwise_or(values, SATURATED, where=marked, out=values.copy())
            beyond = self._arrays[name].write(values)
            if beyond is not None and self._marks(name):
                dims = self._signals[name].dims
                pixels = np.logical_or.reduce(beyond, axis=tuple(dims.index(axis) for axis in set(dims) - _PIXEL))
                marked = pixels if marked is None else marked | pixels

    def _write_whole(self, arrays: Mapping[str, Array]) -> None:
        checked = {
            name: self._axes.checked(self._signals[name], value, dims=self._signals[name].dims)
            for name, value in arrays.items()
        }
        for name in checked.keys() & self._spooled:
            array = self._arrays[name]
            if array.quantiser.scalable:
                array.quantiser.widen(array.quantiser.peak(checked[name]))
        self._write_rows(checked)

    def _drain(self, names: Iterable[str]) -> None:
        """Write what was spooled, now that every step is known."""
        blocks = {name: self._arrays[name].settle() for name in names}
        for index in range(max(blocks.values(), default=0)):
            self._write_rows({name: self._arrays[name].spooled(index) for name in blocks})

    def _write_offsets(self) -> None:
        for group, offsets in self._offsets.items():
            item = next(s.dims[0] for s in self._signals.values() if s.ragged and group_of(s.name) == group)
            signal = Signal(
                name=f"{group}/{OFFSETS}",
                dims=("time_edge",),
                dtype="int64",
                unit="1",
                description=f"Rows offsets[k] to offsets[k + 1] along {item} belong to frame k.",
            )
            folder = self._attempt.clip / signal.name
            array = ArrayWriter(folder, spool=folder, signal=signal, profile="archive", row_count=len(offsets))
            array.write(np.asarray(offsets, dtype=np.int64))
            self._arrays[signal.name] = array
