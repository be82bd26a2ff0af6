"""Drops shots of a shaky camera."""

import numpy as np

from training.videos.filters.base import Context, ShotFilter
from training.videos.shot import Shot

__all__ = ["FILTER"]


def _measure(shot: Shot, context: Context) -> dict[str, float]:
    """Return how much the median flow of a frame changes to the next, root of the mean square [widths]."""
    if len(shot) < 3:
        return {"shake": float("nan")}
    camera = np.median(shot.flows, axis=(2, 3)) / shot.flows.shape[-1]
    return {"shake": float(np.sqrt((np.diff(camera, axis=0) ** 2).sum(axis=-1).mean()))}


FILTER = ShotFilter(name="shake", drops="shaky cameras", cost=3, ranges={"shake": (0.0, 0.01)}, measure=_measure)
