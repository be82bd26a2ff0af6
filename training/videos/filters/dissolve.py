"""Drops shots that hold a dissolve, or a fade: pictures that are mixed from an earlier and a later one."""

import numpy as np

from training.videos.filters.base import Context, ShotFilter
from training.videos.shot import Shot
from training.videos.thumbnail import Thumbnail, difference, unexplained

__all__ = ["FILTER"]

_REACH = 5  # frames before and after a picture that it might be mixed from
_DIFFERENT = 6.0  # of 255: those two must differ by so much on average, motion apart


def _measure(shot: Shot, context: Context) -> dict[str, float]:
    """Return how well the best picture is the mean of those around it: 1 − 2 |mean − picture| / |later − earlier|.

    A mixed picture lies halfway between its neighbours in every pixel; where something moves instead, edges are in
    three places. 0 where nothing changes but by motion: slow motion of smooth pictures looks like a mixture, too.
    """
    pictures = [Thumbnail.of(picture) for picture in shot.pictures]
    best = 0.0
    for middle in range(_REACH, len(shot) - _REACH):
        earlier, later = pictures[middle - _REACH], pictures[middle + _REACH]
        changed = difference(earlier, later)
        if changed < _DIFFERENT:
            continue
        miss = float(np.abs((earlier.colour + later.colour) / 2.0 - pictures[middle].colour).mean())
        blend = 1.0 - 2.0 * miss / changed
        if blend > best and unexplained(earlier, later) >= _DIFFERENT:
            best = blend
    return {"blend": best}


FILTER = ShotFilter(
    name="dissolve", drops="dissolves and fades", cost=2, ranges={"blend": (0.0, 0.12)}, measure=_measure
)
