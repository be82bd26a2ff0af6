"""Body states at every frame, and the physical parameters that the solver used."""

import math

import numpy as np

from simfactory.annotations.base import Annotation, Arrays, ClipContext
from simfactory.episode import FIRST_BODY
from simfactory.signals import Signal

__all__ = ["ANNOTATION"]


def _clip(context: ClipContext) -> Arrays:
    states, properties = context.trajectory, context.trajectory.properties
    body_count = states.position.shape[1]
    return {
        "bodies/instance": np.arange(FIRST_BODY, FIRST_BODY + body_count, dtype=np.uint16),
        "bodies/position": states.position,
        "bodies/quat_xyzw": states.quat_xyzw,
        "bodies/linear_velocity": states.linear_velocity,
        "bodies/angular_velocity": states.angular_velocity,
        "bodies/mass": properties.mass,
        "bodies/inertia": properties.inertia,
        "bodies/friction": properties.friction,
        "bodies/restitution": properties.restitution,
    }


def _state(name: str, axis: str, unit: str, description: str) -> Signal:
    return Signal(
        name=f"bodies/{name}", dims=("time", "body", axis), dtype="float32", unit=unit, description=description
    )


def _parameter(name: str, unit: str, description: str, *, axes: tuple[str, ...] = (), fill: float) -> Signal:
    return Signal(
        name=f"bodies/{name}",
        dims=("body", *axes),
        dtype="float64",
        unit=unit,
        description=description,
        fill=fill,
    )


ANNOTATION = Annotation(
    name="bodies",
    signals=(
        Signal(
            name="bodies/instance",
            dims=("body",),
            dtype="uint16",
            unit="id",
            description="Instance id of each body, in the order of the spec's bodies.",
        ),
        _state("position", "xyz", "m", "Position of the body's local origin, world frame."),
        _state("quat_xyzw", "quat_xyzw", "1", "Body-to-world rotation."),
        _state("linear_velocity", "xyz", "m/s", "Velocity of the centre of mass, world frame."),
        _state("angular_velocity", "xyz", "rad/s", "Angular velocity, world frame."),
        _parameter("mass", "kg", "Mass the solver used; inf for bodies that do not react.", fill=math.inf),
        _parameter(
            "inertia",
            "kg m2",
            "Inertia about the centre of mass, body frame; 0 where the mass is inf.",
            axes=("row", "column"),
            fill=math.nan,
        ),
        _parameter("friction", "1", "Coulomb coefficient the solver used; NaN where it has none.", fill=math.nan),
        _parameter("restitution", "1", "Restitution the solver used; NaN where it has none.", fill=math.nan),
    ),
    clip=_clip,
)
