"""Drops shots whose pictures do not follow from each other: flicker, broken frames, cuts that were missed."""

import numpy as np

from training.flow_consistency import flow_reliability
from training.videos.filters.base import Context, ShotFilter
from training.videos.shot import Shot

__all__ = ["FILTER"]

_WORST = 0.9


def _measure(shot: Shot, context: Context) -> dict[str, float]:
    """Return the share of pixels whose backward flow does not undo the forward flow, that of the tenth worst frame."""
    if len(shot) < 2:
        return {"inconsistent": float("nan")}
    shares = []
    for there, back in zip(shot.flows, shot.returns, strict=True):
        inside, reliable = flow_reliability(there, back)
        shares.append(float((inside & ~reliable).sum()) / max(int(inside.sum()), 1))
    return {"inconsistent": float(np.quantile(shares, _WORST))}


FILTER = ShotFilter(
    name="consistency",
    drops="pictures that do not follow from each other",
    cost=4,
    ranges={"inconsistent": (0.0, 0.4)},
    measure=_measure,
)
