"""Drops blurred shots."""

import cv2
import numpy as np

from training.videos.filters.base import Context, ShotFilter
from training.videos.shot import Shot

__all__ = ["FILTER"]


def _measure(shot: Shot, context: Context) -> dict[str, float]:
    """Return the variance of the Laplacian over that of the picture, the median of eight pictures.

    The quotient does not depend on contrast. A picture without any is left to the other filters.

    **Source**: Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy"; the quotient is ours.
    """
    values = [
        float(cv2.Laplacian(gray, cv2.CV_32F).var()) / variance
        for gray in shot.gray
        if (variance := float(gray.var())) > 1.0
    ]
    return {"sharpness": float(np.median(values)) if values else float("nan")}


FILTER = ShotFilter(
    name="blur", drops="blurred pictures", cost=1, ranges={"sharpness": (0.015, float("inf"))}, measure=_measure
)
