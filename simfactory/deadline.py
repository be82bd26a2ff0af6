"""When work has to stop."""

import time
from typing import final

__all__ = ["Deadline"]


@final
class Deadline:
    """When work has to stop; nothing must until it is asked to.

    Args:
        within: A deadline of the whole, which holds for this part of it as well.
    """

    def __init__(self, *, within: "Deadline | None" = None) -> None:
        self._end: float | None = None
        self._within = within

    def set(self, seconds: float) -> None:
        """Ask for the end of all work after so many seconds; the earliest wish counts."""
        end = time.monotonic() + seconds
        self._end = end if self._end is None else min(self._end, end)

    @property
    def is_set(self) -> bool:
        """Whether an end was asked for."""
        return self._end is not None or (self._within is not None and self._within.is_set)

    def allows(self, seconds: float) -> bool:
        """Tell whether work that takes so many seconds ends in time."""
        if self._within is not None and not self._within.allows(seconds):
            return False
        return self._end is None or time.monotonic() + seconds <= self._end
