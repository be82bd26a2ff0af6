"""Particle ids: which grain each pixel shows."""

import numpy as np

from simfactory.annotations.base import Annotation, Arrays, FrameContext
from simfactory.episode import FIRST_BODY
from simfactory.grains import PARTICLE_KINDS, grain_ids
from simfactory.signals import Signal
from simfactory.spec import BodyGranular

__all__ = ["ANNOTATION"]

NONE = -1


def _frame(context: FrameContext) -> Arrays:
    surface = context.surface
    ids = np.full(surface.instance.shape, NONE, np.int32)
    first = 0
    for index, body in enumerate(context.clip.spec.bodies):
        if isinstance(body, BodyGranular):
            shown = surface.instance == FIRST_BODY + index
            ids[shown] = first + grain_ids(body, surface.triangle[shown])
            first += context.clip.trajectory.particles[index].shape[1]
    return {"particle": ids}


ANNOTATION = Annotation(
    name="particle",
    signals=(
        Signal(
            name="particle",
            dims=("time", "y", "x"),
            dtype="int32",
            unit="id",
            description="Grain that the pixel shows: its row in particles/*; -1 where it shows none. Only in scenes "
            "with granular bodies.",
            fill=NONE,
        ),
    ),
    frame=_frame,
    kinds=PARTICLE_KINDS,
)
