"""A robot in a scene: which bodies and joints it consists of, what it is told to do, and when that is done."""

import math
from typing import Annotated, Literal

from pydantic import Field, field_validator

from simfactory.robots import robot_names
from simfactory.spec.base import Model, Name, Vec3

__all__ = [
    "Condition",
    "ConditionFolded",
    "ConditionJoint",
    "ConditionPlace",
    "ConditionUpright",
    "ConditionWithin",
    "Phase",
    "RobotArm",
]


class _Condition(Model):
    """Something that holds or does not at each frame."""

    once: bool = Field(default=False, description="Whether it is enough that it held at some frame before")


class ConditionPlace(_Condition):
    """Bodies are at a place: in an upright cylinder about a point, fixed in the world or to another body."""

    kind: Literal["place"] = "place"
    bodies: tuple[Name, ...] = Field(min_length=1, max_length=1000, description="Names of rigid bodies")
    share: float = Field(default=1.0, gt=0.0, le=1.0, description="Share of them that must be there [1], 0 < s ≤ 1")
    target: Vec3 = Field(
        description="Middle of the place, world frame, or from the origin of `relative_to` [m], ±10,000"
    )
    radius: float = Field(gt=0.0, le=100.0, description="Level distance of a body's origin from it [m], 0 < r ≤ 100")
    height: float = Field(gt=0.0, le=100.0, description="Difference of heights allowed [m], 0 < h ≤ 100")
    relative_to: Name | None = Field(default=None, description="Name of a body; none = the fixed world")


class ConditionJoint(_Condition):
    """A hinge or a slider is within bounds."""

    kind: Literal["joint"] = "joint"
    joint: Name = Field(description="Name of a hinge or slider")
    lower: float = Field(default=-1e4, ge=-1e4, le=1e4, description="Lowest position [rad or m], ±10,000")
    upper: float = Field(default=1e4, ge=-1e4, le=1e4, description="Highest position [rad or m], ±10,000")


class ConditionUpright(_Condition):
    """The local z axis of a body leans by no more than an angle from the vertical."""

    kind: Literal["upright"] = "upright"
    body: Name = Field(description="Name of a rigid body")
    angle: float = Field(gt=0.0, le=math.pi, description="Largest lean [rad], 0 < a ≤ π")


class ConditionWithin(_Condition):
    """A share of a cloth or a rope is in an upright box: of its vertices, which are evenly spread."""

    kind: Literal["within"] = "within"
    body: Name = Field(description="Name of a cloth or a rope")
    share: float = Field(gt=0.0, le=1.0, description="Share of it that must be there [1], 0 < s ≤ 1")
    center: Vec3 = Field(description="Middle of the box, world frame [m], ±10,000")
    size: Vec3 = Field(description="Extents of the box along its own axes [m], more than 0")
    bearing: float = Field(
        default=0.0, ge=-2.0 * math.pi, le=2.0 * math.pi, description="Turn of the box about the vertical [rad], ±2π"
    )

    @field_validator("size")
    @classmethod
    def _has_volume(cls, value: Vec3) -> Vec3:
        if min(value) <= 0.0:
            raise ValueError(f"size is {value} m; allowed is more than 0 along each axis: give the box a volume")
        return value


class ConditionFolded(_Condition):
    """A cloth lies double: so much of it is above or below another part of it.

    A part lies so if some part that is `apart` from it or more, along the cloth, is level within `radius` of it and
    within `height` above or below. Shares are of the area at rest; of a cloth that is folded in half nearly all lies
    double, of one that is spread or hangs nothing.
    """

    kind: Literal["folded"] = "folded"
    body: Name = Field(description="Name of a cloth that is a rectangle")
    share: float = Field(gt=0.0, le=1.0, description="Share of its area that must lie double [1], 0 < s ≤ 1")
    radius: float = Field(gt=0.0, le=10.0, description="Level distance allowed [m], 0 < r ≤ 10")
    height: float = Field(gt=0.0, le=10.0, description="Difference of heights allowed [m], 0 < h ≤ 10")
    apart: float = Field(gt=0.0, le=10.0, description="Least way between the two along the cloth [m], 0 < a ≤ 10")


Condition = Annotated[
    ConditionPlace | ConditionJoint | ConditionUpright | ConditionWithin | ConditionFolded,
    Field(discriminator="kind"),
]


class Phase(Model):
    """One action of a plan: it lasts until the next one begins."""

    action: Name = Field(description="What the robot does, e.g. reach, grasp, lift")
    start: float = Field(ge=0.0, le=3600.0, description="When it begins [s], 0–3,600")


class RobotArm(Model):
    """An arm with a gripper. Its bodies, joints and drives stand among those of the scene; this says what they are.

    Commands are the waypoints of the joints' drives, measured from `start`. Bodies of one robot pass through each
    other.
    """

    kind: Literal["robot_arm"] = "robot_arm"
    name: Name = Field(default="robot", description="Its name")
    model: Name = Field(description="Robot of the package, e.g. panda")
    bodies: tuple[Name, ...] = Field(min_length=3, description="Its bodies, in the order of the model's parts")
    joints: tuple[Name, ...] = Field(min_length=2, description="Its joints, in the order of the parts that move")
    start: tuple[Annotated[float, Field(ge=-10.0, le=10.0)], ...] = Field(
        description="Joint positions of the model at t = 0 [rad or m], ±10; those of the spec's joints are 0 then"
    )
    phases: tuple[Phase, ...] = Field(default=(), max_length=1000, description="What it does when, by rising time")
    success: tuple[Condition, ...] = Field(default=(), max_length=16, description="What must hold, all at a time")

    @field_validator("model")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in robot_names():
            raise ValueError(f"robot {value!r} is unknown; allowed are {list(robot_names())}: name one of them")
        return value
