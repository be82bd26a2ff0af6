"""Depth: distance of the first surface along the optical axis."""

import math

from simfactory.annotations.base import Annotation, Arrays, FrameContext
from simfactory.signals import Precision, Signal

__all__ = ["ANNOTATION"]


def _frame(context: FrameContext) -> Arrays:
    return {"depth": context.surface.depth}


ANNOTATION = Annotation(
    name="depth",
    signals=(
        Signal(
            name="depth",
            dims=("time", "y", "x"),
            dtype="float32",
            unit="m",
            description="z along the optical axis of the surface at the pixel's centre; inf where nothing is hit.",
            fill=math.inf,
            precision=Precision(dtype="float16"),
        ),
    ),
    frame=_frame,
)
