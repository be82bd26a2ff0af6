"""Signals that ask a run to stop: noted, and obeyed after the step that is under way."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["StopRequest", "stop_requests"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Whether a run was asked to stop.

    Attributes:
        number: The signal; 0 = none yet.
    """

    def __init__(self) -> None:
        self.number = 0

    def note(self, number: int, _frame: FrameType | None) -> None:
        """Note a signal; the next one ends the process at once."""
        self.number = number
        for watched in SIGNALS:
            signal.signal(watched, signal.SIG_DFL if watched != signal.SIGINT else signal.default_int_handler)


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Note SIGINT and SIGTERM while the context lasts; in the main thread of the process."""
    request = StopRequest()
    before = {number: signal.signal(number, request.note) for number in SIGNALS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
