"""Time: when each frame is."""

import numpy as np

from simfactory.annotations.base import Annotation, Arrays, ClipContext
from simfactory.signals import Signal

__all__ = ["ANNOTATION"]


def _clip(context: ClipContext) -> Arrays:
    return {"time": np.asarray(context.trajectory.time, np.float64)}


ANNOTATION = Annotation(
    name="time",
    signals=(
        Signal(
            name="time",
            dims=("time",),
            dtype="float64",
            unit="s",
            description="Time since the episode began; frame k is at k / fps.",
        ),
    ),
    clip=_clip,
)
