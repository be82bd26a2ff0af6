"""Joints between bodies: what moves against what, how far, with which friction, and what drives it."""

import math
from bisect import bisect_right
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from simfactory.spec.base import Model, Name, Vec3

__all__ = ["Drive", "Joint", "JointBall", "JointHinge", "JointSlider", "JointWeld", "Waypoint"]

TURN = 0.95 * math.pi  # [rad] limits of a hinge lie within a turn


class Waypoint(Model):
    """Where a drive wants its joint to be at one time."""

    time: float = Field(ge=0.0, le=3600.0, description="When [s], 0–3,600")
    position: float = Field(ge=-1e4, le=1e4, description="Joint position [rad or m], ±10,000; 0 = as at t = 0")


class Drive(Model):
    """A motor: pulls its joint along a path of waypoints like a spring and a damper, with limited strength.

    Force or torque: stiffness · (wanted − position) + damping · (wanted rate − rate), at most `strength`. Between
    waypoints the wanted position goes along straight lines; before the first and after the last it stands still.
    """

    waypoints: tuple[Waypoint, ...] = Field(min_length=1, max_length=100_001, description="1–100,001, by rising time")
    stiffness: float = Field(ge=0.0, le=1e7, description="[N·m/rad or N/m], 0–1e7; 0 = the rate alone is followed")
    damping: float = Field(ge=0.0, le=1e6, description="[N·m·s/rad or N·s/m], 0–1e6")
    strength: float = Field(gt=0.0, le=1e6, description="Largest torque or force [N·m or N], 0 < s ≤ 1e6")

    @model_validator(mode="after")
    def _rising(self) -> Self:
        times = [point.time for point in self.waypoints]
        if any(later <= earlier for earlier, later in pairwise(times)):
            raise ValueError(f"waypoints are given by rising time, these are at {times}: order them")
        if self.stiffness == 0.0 and self.damping == 0.0:
            raise ValueError("a drive with neither stiffness nor damping does nothing: give one of them, or no drive")
        return self

    def wanted(self, time: float) -> tuple[float, float]:
        """Return the wanted position [rad or m] and its rate at a time [s]."""
        after = bisect_right(self.waypoints, time, key=lambda point: point.time)
        if after in (0, len(self.waypoints)):
            return self.waypoints[max(after - 1, 0)].position, 0.0
        before, point = self.waypoints[after - 1 : after + 1]
        rate = (point.position - before.position) / (point.time - before.time)
        return before.position + rate * (time - before.time), rate


class _Joint(Model):
    """What all joints share. Positions are measured from how the bodies lie at t = 0."""

    name: Name = Field(description="Unique name among the joints of the scene")
    parent: Name | None = Field(default=None, description="Name of a rigid body; none = the fixed world")
    child: Name = Field(description="Name of a rigid body that obeys physics (mobility 'dynamic')")
    anchor: Vec3 = Field(description="A point of the joint at t = 0, world frame [m], ±10,000")


class _Sliding(_Joint):
    """A joint with one free direction."""

    axis: Vec3 = Field(description="Direction of the axis at t = 0, world frame, unit length")
    lower: float | None = Field(
        default=None, ge=-100.0, le=0.0, description="Lowest position [rad or m], −100–0; none = free"
    )
    upper: float | None = Field(
        default=None, ge=0.0, le=100.0, description="Highest position [rad or m], 0–100; none = free"
    )
    damping: float = Field(default=0.0, ge=0.0, le=1e5, description="[N·m·s/rad or N·s/m], 0–1e5")
    friction: float = Field(default=0.0, ge=0.0, le=1e5, description="Dry friction [N·m or N], 0–1e5")
    drive: Drive | None = Field(default=None, description="What moves it, if anything does")

    @field_validator("axis")
    @classmethod
    def _unit(cls, value: Any) -> Any:  # Any: pydantic passes the parsed tuple
        norm = math.hypot(*value)
        if not 0.99 < norm < 1.01:
            raise ValueError(f"an axis has length 1, this one has {norm:.4g}: normalise it")
        return value


class JointHinge(_Sliding):
    """Turns about an axis through the anchor; positive turns follow the right hand."""

    kind: Literal["hinge"] = "hinge"

    @model_validator(mode="after")
    def _within_a_turn(self) -> Self:
        for bound in (self.lower, self.upper):
            if bound is not None and abs(bound) > TURN:
                raise ValueError(
                    f"hinge {self.name!r} has a limit of {bound:.4g} rad, allowed is up to ±{TURN:.4g}: take it away "
                    "to let the hinge turn freely"
                )
        return self


class JointSlider(_Sliding):
    """Moves along an axis and does not turn."""

    kind: Literal["slider"] = "slider"


class JointBall(_Joint):
    """Holds two bodies together in one point about which they turn freely."""

    kind: Literal["ball_joint"] = "ball_joint"


class JointWeld(_Joint):
    """Holds two bodies as they are."""

    kind: Literal["weld"] = "weld"


Joint = Annotated[JointBall | JointHinge | JointSlider | JointWeld, Field(discriminator="kind")]
