"""Scene flow: how far each visible surface point moves in the world until the next frame."""

import math

import numpy as np

from simfactory.annotations.base import Annotation, Arrays, FrameContext
from simfactory.episode import SKY
from simfactory.signals import Precision, Signal

__all__ = ["ANNOTATION"]


def _frame(context: FrameContext) -> Arrays:
    surface = context.surface
    field = np.full((3, *surface.depth.shape), np.nan, np.float32)
    if context.forward is not None:
        np.copyto(field, context.forward.displacement.transpose(2, 0, 1), where=surface.instance != SKY)
    return {"scene_flow": field}


ANNOTATION = Annotation(
    name="scene_flow",
    signals=(
        Signal(
            name="scene_flow",
            dims=("time", "xyz", "y", "x"),
            dtype="float32",
            unit="m",
            description=(
                "Displacement of the surface point from frame t to t + 1, world frame; NaN for sky and the last frame."
            ),
            fill=math.nan,
            precision=Precision(dtype="int16", scale=1e-4, scale_max=1e-2),
        ),
    ),
    frame=_frame,
    needs=frozenset({"forward"}),
)
