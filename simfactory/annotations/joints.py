"""Joints at every frame, read from the bodies' poses: position, rate, and what their drives want."""

import math

import numpy as np

from simfactory.annotations.base import Annotation, Arrays, ClipContext
from simfactory.joints import drive_of, joint_states
from simfactory.signals import Signal

__all__ = ["ANNOTATION"]


def _clip(context: ClipContext) -> Arrays:
    path = context.trajectory
    states = joint_states(context.spec, **path.motion())
    wanted = np.full(states.position.shape, np.nan)
    for index, joint in enumerate(context.spec.joints):
        drive = drive_of(joint)
        if drive is not None:
            wanted[:, index] = [drive.wanted(time)[0] for time in path.time.tolist()]
    return {
        "joints/position": states.position.astype(np.float32),
        "joints/velocity": states.rate.astype(np.float32),
        "joints/target": wanted.astype(np.float32),
    }


def _signal(name: str, unit: str, description: str) -> Signal:
    return Signal(
        name=f"joints/{name}",
        dims=("time", "joint"),
        dtype="float32",
        unit=unit,
        description=description,
        fill=math.nan,
    )


ANNOTATION = Annotation(
    name="joints",
    signals=(
        _signal(
            "position",
            "rad or m",
            "Position of hinges [rad] and sliders [m], 0 at t = 0; NaN for other joints. Only in scenes with joints.",
        ),
        _signal("velocity", "rad/s or m/s", "Its rate."),
        _signal("target", "rad or m", "Position that the joint's drive wants; NaN without a drive."),
    ),
    clip=_clip,
    kinds=frozenset({"ball_joint", "hinge", "slider", "weld"}),
)
