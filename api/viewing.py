"""What many people look at at once, asked for once: workers, and the pictures that they show."""

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from simfactory.protocol import Worker
from simfactory.queue import AWAY, ShardQueue
from simfactory.telemetry import LiveFrame

__all__ = ["MODALITIES", "Body", "View", "as_body"]

MODALITIES = ("rgb", "depth", "flow_forward", "instance")
AGE_SECONDS = 1.0  # of what is good enough
WATCH_SECONDS = 2.0  # after which workers are told again that somebody looks
WORDS = ("count", "scene", "episode", "camera", "frame", "frames")
WORKERS, FRAMES = TypeAdapter(list[Worker]), TypeAdapter(list[LiveFrame])
Body = tuple[str, bytes]  # ETag and JSON
T = TypeVar("T")


class Kept(Generic[T]):
    """What a function returned, perhaps a moment ago; of many who ask at once one waits for it.

    Args:
        call: The function.
        age: Of what is good enough [s].
    """

    def __init__(self, call: Callable[[], T], age: float) -> None:
        self._call, self._age = call, age
        self._lock = threading.Lock()
        self._found: list[tuple[float, T]] = []

    def __call__(self) -> T:
        """Return it."""
        with self._lock:
            if not self._found or time.monotonic() - self._found[0][0] > self._age:
                self._found = [(time.monotonic(), self._call())]
            return self._found[0][1]


class View:
    """What workers tell, for many eyes.

    Args:
        queue: The queue.
        workers: Returns the workers that report.
    """

    def __init__(self, queue: ShardQueue, workers: Callable[[], list[Worker]]) -> None:
        self._queue = queue
        self._watch_due = 0.0
        self.workers = Kept(workers, AGE_SECONDS)
        self.spans_body = Kept(lambda: _body(WORKERS, self.workers()), AGE_SECONDS)
        self.frames = Kept(self._frames, AGE_SECONDS)
        self.frames_body = Kept(lambda: _body(FRAMES, self.frames()), AGE_SECONDS)
        self._pictures: dict[tuple[str, str], tuple[int, bytes]] = {}

    def watch(self) -> None:
        """Tell workers that somebody looks at what they do."""
        now = time.monotonic()
        if now > self._watch_due:
            self._watch_due = now + WATCH_SECONDS
            with contextlib.suppress(*AWAY):
                self._queue.watch()

    def picture(self, worker: str, modality: str) -> tuple[int, bytes] | None:
        """Return the latest picture that a worker shows, and its number; None if there is none.

        Each is read from the queue's server once, however many look at it.
        """
        frames = {frame.worker: frame for frame in self.frames()}
        for key in [key for key in list(self._pictures) if key[0] not in frames]:
            self._pictures.pop(key, None)
        frame = frames.get(worker)
        if frame is None or frame.count is None or modality not in frame.pictures:
            return None
        kept = self._pictures.get((worker, modality))
        if kept is None or kept[0] != frame.count:
            shown = self._queue.shown(worker, ("count", modality))
            if modality not in shown or "count" not in shown:
                return None
            kept = self._pictures[worker, modality] = int(shown["count"]), shown[modality]
        return kept

    def _frames(self) -> list[LiveFrame]:
        """Return what each worker shows."""
        workers = self.workers()
        if not workers:
            return []
        showing = self._queue.showing([worker.name for worker in workers], WORDS)
        return [_live_frame(worker, *showing[worker.name]) for worker in workers]


def as_body(workers: Sequence[Worker]) -> Body:
    """Return workers, without what their slots did, as JSON with its ETag."""
    return _body(WORKERS, [worker.model_copy(update={"spans": []}) for worker in workers])


def _live_frame(worker: Worker, words: dict[str, str], names: Sequence[str]) -> LiveFrame:
    pictures = [name for name in MODALITIES if name in names]
    try:
        return LiveFrame.model_validate({"worker": worker.name, "state": worker.state, "pictures": pictures, **words})
    except ValidationError:  # nobody else's pictures are lost for that
        return LiveFrame(worker=worker.name, state=worker.state)


def _body(kind: TypeAdapter[Any], value: object) -> Body:  # Any: of either list
    text = kind.dump_json(value)
    return f'"{hashlib.sha256(text).hexdigest()[:24]}"', text
