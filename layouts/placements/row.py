"""Row: upright bodies one behind the other, like dominoes."""

import math
from dataclasses import dataclass

import numpy as np

from layouts.placements.base import Placement, Range
from layouts.solids import solid
from layouts.stage import Stage, heading, mass, rested, snapped, yaw
from layouts.streams import Streams
from simfactory.spec import BodySolid, Push

__all__ = ["Row"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Row(Placement):
    """Stands bodies on a line through the origin, local x along it; the first one gets a push.

    Attributes:
        spacing: Free distance between neighbours, in heights of the first body [1].
        push: Change of velocity [m/s] that an impulse along the line gives to the first body.
        push_time: When the impulse acts [s].
    """

    spacing: Range = (0.35, 0.5)
    push: Range = (0.0, 0.0)
    push_time: Range = (0.15, 0.3)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the row on it."""
        draw = streams("row", role)
        angle = draw.uniform(0.0, 2.0 * math.pi)
        way, turn = heading(angle), yaw(angle)
        upright = [rested(body, np.zeros(2), orientation=turn) for body in bodies]
        gap = draw.uniform(*self.spacing) * 2.0 * upright[0].position[2]
        depths = [2.0 * solid(body).extent(way) for body in upright]
        station = -0.5 * (sum(depths) + gap * (len(bodies) - 1))
        placed = []
        for body, depth in zip(upright, depths, strict=True):
            placed.append(rested(body, ((station + depth / 2) * way)[:2]))
            station += depth + gap
        push, when = draw.uniform(*self.push), round(draw.uniform(*self.push_time), 3)
        triggers = []
        if push > 0.0:
            impulse = snapped(mass(placed[0]) * push * way)
            triggers = [Push.model_validate({"body": placed[0].name, "time": when, "impulse": impulse})]
        last = np.asarray(placed[-1].position)
        fallen = last + way * (last[2] + gap)
        return stage.extended(groups={role: tuple(placed)}, triggers=triggers, waypoints=[(fallen, last[2])])
