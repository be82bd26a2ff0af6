"""CPU-seconds of a process by stage of the work."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Stages"]


class Stages:
    """CPU-seconds by stage, of whatever threads do the work."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._lock = threading.Lock()

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Add the CPU time that this thread takes for a block to a stage [s]."""
        begin = time.thread_time()
        try:
            yield
        finally:
            spent = time.thread_time() - begin
            with self._lock:
                self._seconds[stage] = self._seconds.get(stage, 0.0) + spent

    def taken(self) -> dict[str, float]:
        """Return what was added since the last call [s]."""
        with self._lock:
            seconds, self._seconds = self._seconds, {}
        return seconds
