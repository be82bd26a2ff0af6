"""What a worker shows of itself while somebody looks: what its slots do, and small pictures of what it renders."""

import contextlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simfactory.annotations import FrameContext
from simfactory.exporters.painting import Image, paint_frame
from simfactory.queue import AWAY, ShardQueue, connect
from simfactory.timeline import Timeline

__all__ = ["LiveFrames", "told_slots", "told_spans"]

SHOW_SECONDS = 2.0  # between two pictures
SIDE_MAX = 160  # of a picture [px]
SPAN_SECONDS = 90.0
SPANS_MAX = 400
SLOTS_MAX = 64


def told_slots(timeline: Timeline) -> list[dict[str, object]]:
    """Return what each slot in use does, as `protocol.Slot`."""
    now = timeline.now()
    rows = sorted(int(row) for row in now if row.isdigit())[:SLOTS_MAX]
    return [
        {
            "slot": row,
            "stage": work.stage,
            "scene": work.scene,
            "episode": work.episode,
            "frame": work.frame,
            "frames": work.frames,
        }
        for row, work in ((row, now[str(row)]) for row in rows)
    ]


def told_spans(timeline: Timeline) -> list[dict[str, object]]:
    """Return the spans of the last while, as `protocol.Span`."""
    found = timeline.spans(seconds=SPAN_SECONDS, limit=SPANS_MAX)
    return [
        {
            "row": span.row,
            "stage": span.stage,
            "label": span.label,
            "begin": round(span.begin, 2),
            "end": round(span.end, 2),
        }
        for span in found
        if not span.row.isdigit() or int(span.row) < SLOTS_MAX
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Look:
    """One frame, small: copies that nobody else writes."""

    signals: Mapping[str, npt.NDArray[Any]]  # Any: uint8, uint16 or float32
    words: Mapping[str, str | int]


class LiveFrames:
    """Publishes the latest frame of one clip, now and then; the recording never waits for it.

    Args:
        url: Address of the queue's server.
        worker: Name of the worker.

    Attributes:
        watched: Whether somebody looks; nothing is done while nobody does.
    """

    def __init__(self, url: str, worker: str) -> None:
        self.watched = False
        self._queue, self._worker = ShardQueue(connect(url)), worker
        self._due, self._count = 0.0, int(time.time())  # which is beyond where an earlier worker of this name ended
        self._there = threading.Condition()
        self._next: _Look | None = None
        self._closed = False
        self._thread: threading.Thread | None = None

    def look(self, context: FrameContext) -> None:
        """Take a frame if one is due; the thread that renders calls it."""
        if not self.watched or context.forward is None or time.monotonic() < self._due:
            return  # the last frame of a clip has no flow to show
        self._due = time.monotonic() + SHOW_SECONDS
        found = _reduced(context)
        with self._there:
            self._next = found
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="live", daemon=True)
                self._thread.start()
            self._there.notify()

    def close(self) -> None:
        """End; what has not been shown yet is dropped."""
        with self._there:
            self._closed = True
            self._there.notify()

    def _run(self) -> None:
        while True:
            with self._there:
                self._there.wait_for(lambda: self._next is not None or self._closed)
                found, self._next = self._next, None
            if found is None or self._closed:
                return
            pictures = {name: _png(image) for name, image in paint_frame(found.signals).items()}
            self._count += 1
            with contextlib.suppress(*AWAY):  # pictures that nobody could see anyway
                self._queue.show(self._worker, {**found.words, **pictures, "count": self._count})


def _reduced(context: FrameContext) -> _Look:
    """Return a small copy of what is shown of a frame: its colours averaged, the rest sampled."""
    import cv2

    spec = context.clip.spec
    height, width = context.surface.depth.shape
    step = -(-max(height, width) // SIDE_MAX)
    assert context.forward is not None
    signals: dict[str, npt.NDArray[Any]] = {  # Any: as above
        "depth": context.surface.depth[::step, ::step].copy(),
        "flow_forward": np.ascontiguousarray(context.forward.flow[::step, ::step].transpose(2, 0, 1)),
        "instance": context.surface.instance[::step, ::step].copy(),
    }
    rows, columns = signals["depth"].shape
    if context.rgb is not None:
        averaged = cv2.resize(np.ascontiguousarray(context.rgb), (columns, rows), interpolation=cv2.INTER_AREA)
        signals["rgb"] = averaged.copy()
    words: dict[str, str | int] = {
        "scene": spec.scene,
        "episode": spec.episode,
        "camera": context.clip.camera.name,
        "frame": context.frame,
        "frames": context.clip.trajectory.frame_count,
        "width": columns,
        "height": rows,
    }
    return _Look(signals=signals, words=words)


def _png(image: Image) -> bytes:
    import cv2

    _, encoded = cv2.imencode(".png", np.ascontiguousarray(image[..., ::-1]), [cv2.IMWRITE_PNG_COMPRESSION, 3])
    return encoded.tobytes()
