"""Table: what carries a heap turns or shakes."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from layouts.building import UP
from layouts.placements.base import Placement, Range, first_free
from layouts.solids import solid
from layouts.stage import Stage, heading, moved, rested, snapped, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid, Motion, MotionOscillation, MotionRotation

__all__ = ["Table"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Table(Placement):
    """Puts bodies onto a kinematic table in the middle of the floor, which turns about the vertical or shakes.

    The first body of the role is the table, the others stand on each other on it, the first one at the bottom.

    Attributes:
        motion: "turn" or "shake" along a level direction.
        rate: How fast it turns [rad/s], either way, or shakes [Hz].
        swing: How far it shakes to either side [m].
        start: When it sets off [s].
        drop: Height from which the bodies above the first one fall [m].
    """

    motion: Literal["turn", "shake"]
    rate: Range
    swing: Range = (0.0, 0.0)
    start: Range = (0.15, 0.35)
    drop: Range = (0.01, 0.03)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the table, what stands on it, and its motion.

        Raises:
            SpecError: Nothing stands on the table, or its place is taken.
        """
        if len(bodies) < 2:
            raise SpecError(f"a table for {role!r} carries nothing: give it a body to carry")
        draw = streams("table", role)
        table = rested(bodies[0], np.zeros(2), orientation=yaw(draw.uniform(0.0, 2.0 * math.pi)))
        table = first_free(table.name, lambda: table, stage.bodies, gap=0.02)
        floor, carried = solid(table).reach(UP), []
        for number, body in enumerate(bodies[1:]):
            gap = draw.uniform(*self.drop) if number else 0.0
            placed = rested(body, np.zeros(2), orientation=yaw(draw.uniform(0.0, 2.0 * math.pi)), floor=floor + gap)
            carried.append(placed)
            floor = solid(placed).reach(UP)
        start, rate = round(draw.uniform(*self.start), 3), draw.uniform(*self.rate)
        motion: Motion
        reach = solid(table).radius + 0.15
        if self.motion == "turn":
            spin = snapped(rate * draw.choice((-1.0, 1.0)) * UP)
            motion = MotionRotation.model_validate({"body": table.name, "start": start, "angular_velocity": spin})
        else:
            swing = draw.uniform(*self.swing) * heading(draw.uniform(0.0, 2.0 * math.pi))
            motion = MotionOscillation.model_validate(
                {"body": table.name, "start": start, "amplitude": snapped(swing), "frequency": rate}
            )
        return stage.extended(
            groups={f"{role}_table": (table,), role: tuple(moved(body) for body in carried)},
            motions=[motion],
            waypoints=[(np.asarray(table.position), reach)],
        )
