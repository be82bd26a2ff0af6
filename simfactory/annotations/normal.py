"""Normals: the direction that each visible surface faces."""

from simfactory.annotations.base import Annotation, Arrays, FrameContext
from simfactory.signals import Precision, Signal

__all__ = ["ANNOTATION"]


def _frame(context: FrameContext) -> Arrays:
    return {"normal": context.surface.normal}


ANNOTATION = Annotation(
    name="normal",
    signals=(
        Signal(
            name="normal",
            dims=("time", "y", "x", "xyz"),
            dtype="float32",
            unit="1",
            description="Geometric unit normal facing the camera, world frame; zero where nothing is hit.",
            precision=Precision(dtype="int8", scale=1.0 / 127.0),
        ),
    ),
    frame=_frame,
)
