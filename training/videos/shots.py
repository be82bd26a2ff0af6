"""Shots: runs of frames without a cut between them, found while the frames come."""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.videos.thumbnail import Thumbnail, difference, unexplained

__all__ = ["split_shots"]

UInt8 = npt.NDArray[np.uint8]
Float64 = npt.NDArray[np.float64]

_AROUND = 3  # frames before and after that a frame's change is compared with
_CHANGE = 4.0  # least change of a cut, of 255
_QUIET = 0.5  # change of neighbours that hardly change, of 255
_TIMES = 4.0  # a cut changes so many times what its neighbours do on average
_TIMES_COLOURED, _COLOURS = 1.7, 0.2  # or so many times, with new colours in such a share of its pixels
_BLACK, _BLACK_SPREAD = 16.0, 6.0  # of 255: mean of a black frame and its standard deviation, at most


@dataclass(frozen=True, kw_only=True, slots=True)
class _Look:
    """What a frame is compared by: its thumbnail, the share of pixels of each colour, whether it is black."""

    thumbnail: Thumbnail
    colours: Float64
    black: bool

    @classmethod
    def of(cls, picture: UInt8) -> "_Look":
        thumbnail = Thumbnail.of(picture)
        bins = (thumbnail.colour.astype(np.int64) >> 5) @ np.array([64, 8, 1])
        dark = thumbnail.gray.mean() < _BLACK and thumbnail.gray.std() < _BLACK_SPREAD
        return cls(thumbnail=thumbnail, colours=np.bincount(bins.ravel(), minlength=512) / bins.size, black=bool(dark))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Step:
    """A frame and how it differs from the one before.

    Attributes:
        picture: The frame.
        change: What motion does not explain of the difference, of 255; NaN of the first frame.
        colours: Share of the pixels whose colour is new [1].
        blackens: Whether one of the two is black and the other is not.
    """

    picture: UInt8
    change: float
    colours: float
    blackens: bool

    @classmethod
    def between(cls, picture: UInt8, last: _Look | None, look: _Look) -> "_Step":
        if last is None:
            return cls(picture=picture, change=math.nan, colours=0.0, blackens=False)
        change = difference(last.thumbnail, look.thumbnail)
        if change >= _CHANGE:
            change = min(change, unexplained(last.thumbnail, look.thumbnail))
        return cls(
            picture=picture,
            change=change,
            colours=float(np.maximum(look.colours - last.colours, 0.0).sum()),
            blackens=look.black != last.black,
        )


def split_shots(pictures: Iterable[UInt8], *, longest: int) -> Iterator[tuple[int, UInt8]]:
    """Yield shots: the number of their first frame, and their pictures `(time, height, width, 3)`.

    A cut is where a frame differs from the one before, motion apart, by at least 4 of 255 and four times as much as
    the three frames on either side do; or 1.7 times as much, with new colours in a fifth of its pixels; or where black
    begins or ends. Fades through black are split there; dissolves are left to a filter. Memory holds one shot.

    Args:
        pictures: `(height, width, 3)` uint8 RGB, all of one size.
        longest: A shot of more frames is cut into several.
    """
    shot: list[UInt8] = []
    start = 0
    for number, (picture, cut) in enumerate(_marked(pictures)):
        if shot and (cut or len(shot) == longest):
            yield start, np.stack(shot)
            shot, start = [], number
        shot.append(picture)
    if shot:
        yield start, np.stack(shot)


def _marked(pictures: Iterable[UInt8]) -> Iterator[tuple[UInt8, bool]]:
    """Yield every picture, and whether a cut is before it."""
    recent: deque[_Step] = deque(maxlen=2 * _AROUND + 1)
    place = 0  # of the next one to be yielded, among the recent ones
    for step in _steps(pictures):
        if len(recent) == recent.maxlen:
            place -= 1
        recent.append(step)
        if len(recent) - place > _AROUND:
            yield recent[place].picture, _is_cut(recent, place)
            place += 1
    for rest in range(place, len(recent)):
        yield recent[rest].picture, _is_cut(recent, rest)


def _steps(pictures: Iterable[UInt8]) -> Iterator[_Step]:
    before: _Look | None = None
    for picture in pictures:
        look = _Look.of(picture)
        yield _Step.between(picture, before, look)
        before = look


def _is_cut(steps: deque[_Step], place: int) -> bool:
    step = steps[place]
    if step.blackens:
        return True
    near = [other.change for number, other in enumerate(steps) if 0 < abs(number - place) <= _AROUND]
    around = [change for change in near if not math.isnan(change)]
    times = step.change / max(float(np.mean(around)), _QUIET) if around else _TIMES_COLOURED
    return step.change >= _CHANGE and (times >= _TIMES or (times >= _TIMES_COLOURED and step.colours >= _COLOURS))
