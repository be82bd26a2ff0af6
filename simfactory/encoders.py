"""Threads that encode frames beside the one that renders them."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self, final

__all__ = ["Encoders", "Encoding"]

WAITING = 8  # pieces of work that may wait for a thread: as many frames of all signals are in memory


class _Lane:
    """One thread and what waits for it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self.room = threading.BoundedSemaphore(WAITING)


@final
class Encoding:
    """The work on one clip, done in the order in which it is given.

    Attributes:
        name: Of the thread that does it.
    """

    def __init__(self, lane: _Lane) -> None:
        self.name = lane.name
        self._lane, self._last = lane, Future[None]()
        self._last.set_result(None)

    def add(self, work: Callable[[], None]) -> None:
        """Give more work; wait while there is no room. Work after one that failed is not done."""
        self._lane.room.acquire()
        before = self._last

        def run() -> None:
            try:
                before.result()
                work()
            finally:
                self._lane.room.release()

        self._last = self._lane.thread.submit(run)

    def wait(self) -> None:
        """Wait until all work is done; raise what it failed with."""
        self._last.result()


@final
class Encoders:
    """Threads that share the clips of a run; use it as a context manager.

    Args:
        count: Number of threads.
    """

    def __init__(self, count: int) -> None:
        self._lanes = [_Lane("encode" if count == 1 else f"encode {number}") for number in range(count)]
        self._given = 0

    def encoding(self) -> Encoding:
        """Return the work on a new clip: the next thread's."""
        self._given += 1
        return Encoding(self._lanes[self._given % len(self._lanes)])

    def __enter__(self) -> Self:
        """Return the threads themselves."""
        return self

    def __exit__(self, *error: object) -> None:
        """End the threads; what waits is dropped."""
        for lane in self._lanes:
            lane.thread.shutdown(wait=True, cancel_futures=True)
