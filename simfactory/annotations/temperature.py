"""Temperature: how warm the surface is at each pixel's centre."""

import math

import numpy as np
import numpy.typing as npt

from simfactory.annotations.base import Annotation, Arrays, FrameContext
from simfactory.episode import FIRST_BODY, ROOM
from simfactory.signals import Precision, Signal
from simfactory.spec import BodySoft, SceneSpec
from simfactory.temperatures import kept_temperatures

__all__ = ["ANNOTATION"]


def _frame(context: FrameContext) -> Arrays:
    surface, clip = context.surface, context.clip
    shown = np.full(surface.instance.shape, math.nan, np.float32)
    kept = kept_temperatures(clip.spec)
    for each in clip.surfaces:
        if each.name in kept and each.instance != ROOM:
            shown[surface.instance == each.instance] = kept[each.name]
    for body, values in clip.trajectory.temperatures.items():
        pixels = surface.instance == FIRST_BODY + body
        triangles = next(each for each in clip.surfaces if each.body == body).mesh.triangles
        shown[pixels] = _interpolated(
            values[context.frame].astype(np.float64)[triangles[surface.triangle[pixels]]], surface.bary[pixels]
        )
    return {"temperature": shown}


def _interpolated(corners: npt.NDArray[np.float64], bary: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return Σ bᵏ Tᵏ `(point,)` of corners `(point, 3)` and the weights of the first two `(point, 2)`."""
    first, second = bary[:, 0].astype(np.float64), bary[:, 1].astype(np.float64)
    return corners[:, 0] * first + corners[:, 1] * second + corners[:, 2] * (1.0 - first - second)


def _tells(spec: SceneSpec) -> bool:
    return any(isinstance(body, BodySoft) and body.heat is not None for body in spec.bodies)


ANNOTATION = Annotation(
    name="temperature",
    signals=(
        Signal(
            name="temperature",
            dims=("time", "y", "x"),
            dtype="float32",
            unit="K",
            description="Temperature of the surface at the pixel's centre; NaN where it is not simulated. Only in "
            "scenes with heat in soft bodies.",
            fill=math.nan,
            precision=Precision(dtype="int16", scale=1.0 / 16.0, scale_max=1.0),
        ),
    ),
    frame=_frame,
    tells=_tells,
)
