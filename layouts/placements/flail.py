"""Flail: rods joined end to end, thrown or dropped as a whole."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from layouts.building import UP, bar, check_free
from layouts.placements.base import Placement, Range
from layouts.stage import Stage, heading, moved, snapped
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid, JointBall

__all__ = ["Flail"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Flail(Placement):
    """Throws a chain of rods, which starts as a level zigzag that turns as one.

    Attributes:
        length: Of each rod [m].
        bend: Between neighbours at the start [deg].
        height: Above the floor [m].
        toss: Speed upwards and along the floor [m/s].
        spin: Of the whole about the vertical [rad/s].
    """

    length: Range = (0.2, 0.3)
    bend: Range = (20.0, 80.0)
    height: Range = (0.5, 0.9)
    toss: Range = (0.0, 1.5)
    spin: Range = (1.0, 5.0)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the chain in the air.

        Raises:
            SpecError: There are fewer than two rods, or the place is taken.
        """
        if len(bodies) < 2:
            raise SpecError(f"the chain of {role!r} has {len(bodies)} rods; allowed are two or more")
        draw = streams("flail", role)
        angle, length, bend = (
            draw.uniform(0.0, 2.0 * math.pi),
            draw.uniform(*self.length),
            math.radians(draw.uniform(*self.bend)),
        )
        rise, along, rate = draw.uniform(*self.toss), draw.uniform(*self.toss), draw.uniform(*self.spin)
        center = draw.uniform(*self.height) * UP
        knots = [np.zeros(3)]
        for number in range(len(bodies)):
            knots.append(knots[-1] + length * heading(angle + (0.5 - number % 2) * bend))
        points = [center + knot - np.mean(knots, axis=0) for knot in knots]
        velocity, spin = rise * UP + along * heading(angle + 1.0), draw.choice((-1.0, 1.0)) * rate * UP
        rods = []
        for body, (start, end) in zip(bodies, pairwise(points), strict=True):
            rod = bar(body, start, end, 0.05)
            moving = velocity + np.cross(spin, 0.5 * (start + end) - center)
            rods.append(moved(rod, linear_velocity=moving, angular_velocity=spin))
        joints = [
            JointBall.model_validate(
                {"name": f"{b.name}_joint", "parent": a.name, "child": b.name, "anchor": snapped(points[k + 1])}
            )
            for k, (a, b) in enumerate(pairwise(rods))
        ]
        check_free(role, rods, stage)
        return stage.extended(groups={role: tuple(rods)}, joints=joints)
