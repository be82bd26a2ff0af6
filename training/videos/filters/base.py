"""What a filter is: figures of a shot, and the range that each must lie in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from training.videos.shot import Shot

__all__ = ["Context", "Range", "ShotFilter", "nothing_missing"]

Range = tuple[float, float]
Figures = Mapping[str, float]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What filters know beside the shot.

    Attributes:
        size: Height and width that clips are to have [px]; None = the video's own.
        fps: Frame rate that clips are to have [1/s]; None = the video's own.
        seen: Fingerprints `(picture,)` uint64 of the shots of other videos that were kept.
    """

    size: tuple[int, int] | None
    fps: float | None
    seen: Sequence[npt.NDArray[np.uint64]]


def nothing_missing() -> str:
    """Return that a filter needs nothing that could be missing."""
    return ""


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class ShotFilter:
    """One reason to drop shots.

    Attributes:
        name: Of the filter, the same as its file's.
        drops: What it drops, as a noun.
        cost: Filters run by rising cost, and none after the first that drops a shot.
        ranges: Figure → (least, most) that a shot must have, both included.
        measure: Gives the figures; NaN passes, for it says that there was nothing to measure.
        missing: What must be installed before it can run; empty = nothing.
        optional: Whether it runs only when it is asked for.
    """

    name: str
    drops: str
    cost: int
    ranges: Mapping[str, Range]
    measure: Callable[[Shot, Context], Figures]
    missing: Callable[[], str] = nothing_missing
    optional: bool = False

    def refuses(self, figures: Figures) -> str:
        """Return which figure lies outside its range, in words; empty if none does."""
        for name, (least, most) in self.ranges.items():
            value = figures[name]
            if value < least:  # NaN is neither
                return f"{name} {value:.4g} is below {least:g}"
            if value > most:
                return f"{name} {value:.4g} is above {most:g}"
        return ""
