"""Drops black, white and badly exposed shots."""

import numpy as np

from training.videos.filters.base import Context, ShotFilter
from training.videos.shot import Shot

__all__ = ["FILTER"]

_CRUSHED, _BURNT = 3, 252  # of 255: luma of pixels that hold nothing any more, at most and at least


def _measure(shot: Shot, context: Context) -> dict[str, float]:
    clipped = (shot.gray <= _CRUSHED) | (shot.gray >= _BURNT)
    return {
        "brightness": float(np.median(shot.gray.mean(axis=(1, 2)))) / 255.0,
        "clipped": float(np.median(clipped.mean(axis=(1, 2)))),
    }


FILTER = ShotFilter(
    name="exposure",
    drops="black, white or badly exposed pictures",
    cost=1,
    ranges={"brightness": (0.06, 0.95), "clipped": (0.0, 0.6)},
    measure=_measure,
)
