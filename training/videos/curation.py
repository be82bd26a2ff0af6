"""Which shots of a video are kept, and why the others are not."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import cast, final

import numpy as np
import numpy.typing as npt

from simfactory.errors import StoreError
from simfactory.store import JSON
from training.videos.filters import Context, ShotFilter
from training.videos.fingerprint import fingerprint
from training.videos.shot import Shot, small
from training.videos.shots import split_shots
from training.videos.video import Video
from training.videos.wanted import Wanted

__all__ = ["Verdict", "judged_shots", "used_frames"]

UInt8 = npt.NDArray[np.uint8]
UInt64 = npt.NDArray[np.uint64]

_DIGITS = 6  # of figures, after the point


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What became of one shot.

    Attributes:
        start: Number of its first frame among the used frames of its video.
        stop: Number of the frame after its last.
        figures: What the filters measured, by figure; NaN where there was nothing to measure.
        filter: The filter that dropped it; empty = it was kept.
        reason: Which figure lay where, in words; empty = it was kept.
        hashes: Its fingerprint, if it was kept.
    """

    start: int
    stop: int
    figures: dict[str, float]
    filter: str
    reason: str
    hashes: tuple[int, ...] = ()

    @property
    def kept(self) -> bool:
        """Whether it becomes a clip."""
        return not self.filter

    @property
    def fingerprint(self) -> UInt64:
        """Its fingerprint `(picture,)`."""
        return np.array(self.hashes, np.uint64)

    def record(self) -> dict[str, JSON]:
        """Return the verdict as JSON."""
        figures: dict[str, JSON] = {n: None if math.isnan(v) else v for n, v in self.figures.items()}
        return {
            "frames": [self.start, self.stop],
            "figures": figures,
            "filter": self.filter,
            "reason": self.reason,
            "hashes": [f"{value:016x}" for value in self.hashes],
        }

    @classmethod
    def of(cls, record: dict[str, JSON]) -> "Verdict":
        """Return the verdict that a record tells of."""
        start, stop = cast(list[int], record["frames"])
        figures = cast("dict[str, float | None]", record["figures"])
        return cls(
            start=start,
            stop=stop,
            figures={name: math.nan if value is None else value for name, value in figures.items()},
            filter=str(record["filter"]),
            reason=str(record["reason"]),
            hashes=tuple(int(text, 16) for text in cast(list[str], record["hashes"])),
        )


def used_frames(video: Video, wanted: Wanted) -> Iterator[UInt8]:
    """Yield the frames of a video that its clips are made of, at their own size.

    Raises:
        StoreError: The video cannot be read, or is damaged.
    """
    return islice(video.frames(), 0, None, wanted.stride(video.fps()))


def judged_shots(
    video: Video, filters: Sequence[ShotFilter], *, wanted: Wanted, seen: Sequence[UInt64]
) -> Iterator[Verdict]:
    """Yield the verdict on every shot of a video; memory holds the small pictures of one shot.

    Args:
        video: The video.
        filters: In the order in which they run.
        wanted: The form of the clips.
        seen: Fingerprints of the shots of other videos that were kept.

    Raises:
        StoreError: The video cannot be read, or is damaged: what was yielded before must not be used.
    """
    rate = video.fps() / wanted.stride(video.fps())
    size: list[tuple[int, int]] = []

    def pictures() -> Iterator[UInt8]:
        for frame in used_frames(video, wanted):
            size.append(frame.shape[:2]) if not size else None
            if frame.shape[:2] != size[0]:
                raise StoreError(
                    f"{video.name} changes its size from {size[0]} to {frame.shape[:2]} px (height, width)"
                )
            yield small(frame)

    context = Context(size=wanted.size, fps=wanted.fps, seen=seen)
    for start, shot in split_shots(pictures(), longest=wanted.longest):
        height, width = size[0]
        yield _judged(Shot(shot, start=start, fps=rate, height=height, width=width), filters, context)


def _judged(shot: Shot, filters: Sequence[ShotFilter], context: Context) -> Verdict:
    figures: dict[str, float] = {}
    for each in filters:
        measured = each.measure(shot, context)
        figures |= measured
        if reason := each.refuses(measured):
            return _verdict(shot, figures, each.name, reason)
    return _verdict(shot, figures, "", "")


def _verdict(shot: Shot, figures: dict[str, float], name: str, reason: str) -> Verdict:
    hashes = () if name else tuple(int(value) for value in fingerprint(shot))
    return Verdict(
        start=shot.start,
        stop=shot.start + len(shot),
        figures={figure: round(value, _DIGITS) for figure, value in figures.items()},
        filter=name,
        reason=reason,
        hashes=hashes,
    )
