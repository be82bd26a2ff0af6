"""Particle ids: which grain, or particle of a liquid, each pixel shows."""

import numpy as np
import numpy.typing as npt

from simfactory.annotations.base import Annotation, Arrays, FrameContext
from simfactory.episode import FIRST_BODY
from simfactory.grains import PARTICLE_KINDS, grain_ids
from simfactory.signals import Signal
from simfactory.spec import BodyFluid, BodyGranular
from simfactory.surfacing import body_surface

__all__ = ["ANNOTATION"]

NONE = -1


def _frame(context: FrameContext) -> Arrays:
    surface = context.surface
    ids = np.full(surface.instance.shape, NONE, np.int32)
    first = 0
    for index, body in enumerate(context.clip.spec.bodies):
        if isinstance(body, BodyGranular | BodyFluid):
            shown = surface.instance == FIRST_BODY + index
            ids[shown] = first + _shown(context, index, body, surface.triangle[shown], surface.bary[shown])
            first += context.clip.trajectory.particles[index].shape[1]
    return {"particle": ids}


def _shown(
    context: FrameContext,
    index: int,
    body: BodyGranular | BodyFluid,
    triangle: npt.NDArray[np.int32],
    bary: npt.NDArray[np.float32],
) -> npt.NDArray[np.int32]:
    """Return which particle of its body each point of a triangle shows: of a liquid, that nearest to its corner."""
    if isinstance(body, BodyGranular):
        return grain_ids(body, triangle)
    made = body_surface(body, context.clip.trajectory.particles[index][context.frame])
    weights = np.concatenate([bary, 1.0 - bary.sum(axis=-1, keepdims=True)], axis=-1)
    corner = made.triangles[triangle, weights.argmax(axis=-1)]
    return np.asarray(made.particles[corner, 0], np.int32)


ANNOTATION = Annotation(
    name="particle",
    signals=(
        Signal(
            name="particle",
            dims=("time", "y", "x"),
            dtype="int32",
            unit="id",
            description="Grain that the pixel shows, or particle of a liquid nearest to what it shows: its row in "
            "particles/*; -1 where it shows none. Only in scenes with granular or fluid bodies.",
            fill=NONE,
        ),
    ),
    frame=_frame,
    kinds=PARTICLE_KINDS,
)
