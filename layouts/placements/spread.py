"""Spread: cloth is laid out level, tilted or upright, in the air, above something, or where it is held."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from layouts.placements.base import Placement, Range, first_free
from layouts.solids import solid
from layouts.stage import Stage, heading, moved, yaw
from layouts.streams import Streams
from simfactory.rng import Stream
from simfactory.spec import BodySolid
from simfactory.transforms import quat_from_axis_angle, quat_multiply

__all__ = ["Spread"]

UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread(Placement):
    """Lays cloth out flat; what is not held falls from there.

    Attributes:
        pose: "level": local z up; "upright": local y up.
        height: Height of the lowest point above the floor, or above `over` [m].
        rise: How much higher each further body begins [m].
        spread: Radius of the disc in which they begin [m].
        tilt: Angle by which the pose is turned about a level axis [deg].
        speed: Initial speed, level [m/s]; of bodies that are not held.
        over: Role above whose first body they hang; empty = above the floor.
        gap: Distance between bodies [m].
    """

    height: Range
    pose: Literal["level", "upright"] = "level"
    rise: float = 0.0
    spread: float = 0.0
    tilt: Range = (0.0, 0.0)
    speed: Range = (0.0, 0.0)
    over: str = ""
    gap: float = 0.02

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the cloth in the air."""
        placed: list[BodySolid] = []
        for rank, body in enumerate(bodies):
            draw = streams("spread", role, body.name)
            turn = yaw(draw.uniform(0.0, 2.0 * math.pi))
            if self.pose == "upright":
                turn = quat_multiply(turn, quat_from_axis_angle((1.0, 0.0, 0.0), math.pi / 2))
            axis, angle = heading(draw.uniform(0.0, 2.0 * math.pi)), math.radians(draw.uniform(*self.tilt))
            turned = moved(body, orientation=quat_multiply(quat_from_axis_angle(axis, angle), turn))
            way = draw.uniform(*self.speed) * heading(draw.uniform(0.0, 2.0 * math.pi))
            if not getattr(body, "held", ()):
                turned = moved(turned, linear_velocity=way)
            candidate = partial(self._candidate, turned, draw, rank, stage)
            placed.append(first_free(body.name, candidate, (*stage.bodies, *placed), gap=self.gap))
        # What is held swings about where it is.
        return stage.extended(
            groups={role: tuple(placed)},
            waypoints=[
                (np.asarray(body.position), 0.8 * solid(body).radius) for body in placed if getattr(body, "held", ())
            ],
        )

    def _candidate(self, body: BodySolid, draw: Stream, rank: int, stage: Stage) -> BodySolid:
        center, floor = np.zeros(3), 0.0
        if self.over:
            support = solid(stage.groups[self.over][0])
            center, floor = support.center * np.array([1.0, 1.0, 0.0]), support.reach(UP)
        level = moved(body, position=np.zeros(3))
        height = floor + draw.uniform(*self.height) + rank * self.rise + solid(level).extent(-UP)
        offset = self.spread * math.sqrt(draw.uniform()) * heading(draw.uniform(0.0, 2.0 * math.pi))
        return moved(body, position=center + offset + height * UP)
