"""Drops shots in which nothing moves, or everything too fast to be followed."""

import cv2
import numpy as np

from training.videos.filters.base import Context, ShotFilter
from training.videos.shot import Shot

__all__ = ["FILTER"]

_STILL = 0.25  # [px of 240] shorter vectors are noise of the sensor and of the encoding
_CHANGE = 4.0  # of 255, averaged over 5 × 5 pixels: what changes less has not moved, whatever flow is seen there
_BOX = (5, 5)


def _measure(shot: Shot, context: Context) -> dict[str, float]:
    """Return the mean length of the flow [widths/s] where the picture changes: flat noise has flow, too."""
    if len(shot) < 2:
        return {"motion": float("nan")}
    means = [cv2.blur(picture, _BOX) for picture in shot.moving]
    total = 0.0
    for flow, one, two in zip(shot.flows, means, means[1:], strict=False):
        changed = cv2.dilate((cv2.absdiff(one, two) >= _CHANGE).astype(np.uint8), np.ones(_BOX, np.uint8))
        length = np.linalg.norm(flow, axis=0)
        total += float(np.where((length > _STILL) & (changed > 0), length, 0.0).mean())
    return {"motion": total / len(shot.flows) / shot.flows.shape[-1] * shot.fps}


FILTER = ShotFilter(
    name="motion",
    drops="static shots, and those too fast to follow",
    cost=3,
    ranges={"motion": (0.001, 2.0)},
    measure=_measure,
)
