"""Drops what another video shows already: copies, also when they were encoded again."""

from training.videos.filters.base import Context, ShotFilter
from training.videos.fingerprint import FAR, distance, fingerprint
from training.videos.shot import Shot

__all__ = ["FILTER"]


def _measure(shot: Shot, context: Context) -> dict[str, float]:
    return {"novelty": distance(fingerprint(shot), context.seen)}


FILTER = ShotFilter(
    name="duplicate", drops="copies of shots that were kept", cost=5, ranges={"novelty": (7.0, FAR)}, measure=_measure
)
