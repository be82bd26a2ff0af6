"""Sweep: a bar moves along a prescribed path through what is in place."""

import math
from dataclasses import dataclass

import numpy as np

from layouts.placements.base import Placement, Range
from layouts.solids import solid
from layouts.stage import Stage, heading, is_free, moved, rested, snapped, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid, MotionLinear

__all__ = ["Sweep"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep(Placement):
    """Moves a kinematic bar (long along local y) at a constant speed across the origin.

    Attributes:
        speed: Speed of the bar [m/s].
        distance: Free distance between the bar and the first body in its way [m].
        travel: How far the bar goes [m].
        start: When it sets off [s].
        lift: Height of the bar above the floor [m].
    """

    speed: Range
    distance: Range = (0.1, 0.3)
    travel: Range = (0.9, 1.3)
    start: Range = (0.1, 0.3)
    lift: float = 0.01

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the bar in place and its motion.

        Raises:
            SpecError: The bar's start is taken.
        """
        (bar,) = bodies
        draw = streams("sweep", role)
        angle = draw.uniform(0.0, 2.0 * math.pi)
        way = heading(angle)
        bar = rested(bar, np.zeros(2), orientation=yaw(angle), floor=self.lift)
        front = max((solid(body).reach(-way) for body in stage.bodies), default=0.0)
        station = -(front + draw.uniform(*self.distance) + solid(bar).extent(way))
        bar = moved(bar, position=np.asarray(bar.position) + station * way)
        if not is_free(bar, stage.bodies, gap=0.02):
            raise SpecError(f"no place for body {role!r}: its start is taken; use a larger `distance`")
        speed, start = draw.uniform(*self.speed), round(draw.uniform(*self.start), 3)
        stop = round(start + draw.uniform(*self.travel) / speed, 3)
        motion = MotionLinear.model_validate(
            {"body": bar.name, "start": start, "stop": stop, "velocity": snapped(speed * way)}
        )
        return stage.extended(groups={role: (bar,)}, motions=[motion])
