"""Particles: where every grain, or particle of a liquid, is at every frame, and how fast it moves."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from simfactory.annotations.base import Annotation, Arrays, ClipContext
from simfactory.episode import FIRST_BODY
from simfactory.grains import PARTICLE_KINDS
from simfactory.signals import Signal

__all__ = ["ANNOTATION"]


def _clip(context: ClipContext) -> Arrays:
    states = context.trajectory
    counts = {body: rows.shape[1] for body, rows in states.particles.items()}
    return {
        "particles/instance": np.repeat(
            np.array([FIRST_BODY + body for body in counts], np.uint16), np.array(list(counts.values()), np.int64)
        ),
        "particles/position": _joined(states.particles, states.frame_count),
        "particles/velocity": _joined(states.particle_velocities, states.frame_count),
    }


def _joined(rows: Mapping[int, npt.NDArray[np.float32]], frame_count: int) -> npt.NDArray[np.float32]:
    return np.concatenate([np.zeros((frame_count, 0, 3), np.float32), *rows.values()], axis=1)


def _state(name: str, unit: str, description: str) -> Signal:
    return Signal(
        name=f"particles/{name}",
        dims=("time", "particle", "xyz"),
        dtype="float32",
        unit=unit,
        description=description,
    )


ANNOTATION = Annotation(
    name="particles",
    signals=(
        Signal(
            name="particles/instance",
            dims=("particle",),
            dtype="uint16",
            unit="id",
            description="Instance id of the body that each grain or particle belongs to, body by body. Only in "
            "scenes with granular or fluid bodies.",
        ),
        _state("position", "m", "Position of the grain's or particle's centre, world frame."),
        _state("velocity", "m/s", "Velocity of the grain or particle, world frame."),
    ),
    clip=_clip,
    kinds=PARTICLE_KINDS,
)
