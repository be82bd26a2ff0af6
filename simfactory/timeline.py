"""What each environment slot and each later stage of the engine has been doing, span by span, for the last while."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

__all__ = ["Span", "Timeline", "Work"]

SPANS_KEPT = 256  # of a row
JOIN_SECONDS = 0.25  # a pause in the same work that is not worth a gap
WAIT_SECONDS = 0.02  # up to which a wait is none
ROWS_MAX = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """What a row is busy with.

    Attributes:
        stage: `load`, `simulate` or `wait` in a slot; `render`, `encode` or `commit` in the rows after them.
        scene: Base scene of the episode.
        episode: Number of the episode, after a point that of the replacement.
        frame: Frames done.
        frames: Frames that the episode has at most.
    """

    stage: str
    scene: str = ""
    episode: str = ""
    frame: int = 0
    frames: int = 0

    @property
    def label(self) -> str:
        """The episode, named for a person."""
        return f"{self.scene} {self.episode}".strip()


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A stretch of one row's time in which it did one thing for one episode.

    Attributes:
        row: Number of the slot, or name of the stage.
        stage: See `Work`.
        label: Scene and number of the episode; empty while it waits for one.
        begin: On this process's monotonic clock [s].
        end: Likewise; that of a span which goes on is now.
    """

    row: str
    stage: str
    label: str
    begin: float
    end: float


@dataclass(slots=True)
class _Row:
    """Spans that have ended, and what is being done."""

    ended: deque[Span]
    work: Work | None = None
    begin: float = 0.0


class Timeline:
    """Records what each row does; any thread may.

    A row does one thing at a time, so its spans never overlap, and where there is none it was idle.

    Args:
        clock: Returns the time [s].

    Attributes:
        clock: The same.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock, self._lock = clock, threading.Lock()
        self._rows: dict[str, _Row] = {}

    def enter(self, row: str, work: Work) -> None:
        """Say what a row does from now on; more of the same lets its span grow."""
        now = self.clock()
        with self._lock:
            found = self._rows.get(row)
            if found is None:
                if len(self._rows) >= ROWS_MAX:
                    return
                found = self._rows[row] = _Row(deque(maxlen=SPANS_KEPT))
            if found.work is not None and _is_same(found.work, work):
                found.work = work
                return
            _close(found, row, now)
            last = found.ended[-1] if found.ended else None
            begin = now
            if last is not None and _is_same(last, work) and now - last.end <= JOIN_SECONDS:
                begin = found.ended.pop().begin
            found.work, found.begin = work, begin

    def advance(self, row: str, frame: int) -> None:
        """Say how many frames of its episode a row has done."""
        with self._lock:
            found = self._rows.get(row)
            if found is not None and found.work is not None:
                found.work = replace(found.work, frame=frame)

    def leave(self, row: str) -> None:
        """Say that a row is idle."""
        now = self.clock()
        with self._lock:
            found = self._rows.get(row)
            if found is not None:
                _close(found, row, now)

    @contextmanager
    def during(self, row: str, work: Work) -> Iterator[None]:
        """Enter a row for the time of a block."""
        self.enter(row, work)
        try:
            yield
        finally:
            self.leave(row)

    def now(self) -> dict[str, Work]:
        """Return what each row does that is not idle."""
        with self._lock:
            return {row: found.work for row, found in self._rows.items() if found.work is not None}

    def spans(self, *, seconds: float, limit: int) -> list[Span]:
        """Return the spans of the last while in the order in which they began: the latest, if they are too many."""
        now = self.clock()
        since = now - seconds
        found: list[Span] = []
        with self._lock:
            for row, each in self._rows.items():
                for span in reversed(each.ended):
                    if span.end <= since:
                        break
                    found.append(span)
                if each.work is not None:
                    found.append(_span(row, each.work, each.begin, now))
        found.sort(key=lambda span: span.begin)
        return [replace(span, begin=max(span.begin, since)) for span in found[-limit:]]


def _is_same(first: Work | Span, second: Work) -> bool:
    return (first.stage, first.label) == (second.stage, second.label)


def _close(found: _Row, row: str, end: float) -> None:
    """End what a row does; what took no time was nothing, nor was a wait that nobody would notice."""
    least = WAIT_SECONDS if found.work is not None and found.work.stage == "wait" else 0.0
    if found.work is not None and end - found.begin > least:
        found.ended.append(_span(row, found.work, found.begin, end))
    found.work = None


def _span(row: str, work: Work, begin: float, end: float) -> Span:
    return Span(row=row, stage=work.stage, label=work.label, begin=begin, end=end)
