"""Drops what is too short to show a motion."""

from training.videos.filters.base import Context, ShotFilter
from training.videos.shot import Shot

__all__ = ["FILTER"]


def _measure(shot: Shot, context: Context) -> dict[str, float]:
    return {"frames": float(len(shot))}


FILTER = ShotFilter(
    name="duration", drops="short shots", cost=0, ranges={"frames": (17.0, float("inf"))}, measure=_measure
)
