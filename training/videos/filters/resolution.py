"""Drops what would have to be enlarged, or played at another speed, to fit the other clips."""

from training.videos.filters.base import Context, ShotFilter
from training.videos.shot import Shot

__all__ = ["FILTER"]


def _measure(shot: Shot, context: Context) -> dict[str, float]:
    height, width = context.size or (0, 0)
    return {
        "enlargement": max(height / shot.height, width / shot.width),
        "speed_change": 0.0 if context.fps is None else abs(context.fps / shot.fps - 1.0),
    }


FILTER = ShotFilter(
    name="resolution",
    drops="small pictures and other frame rates",
    cost=0,
    ranges={"enlargement": (0.0, 1.0), "speed_change": (0.0, 0.05)},
    measure=_measure,
)
