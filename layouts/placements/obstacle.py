"""Obstacle: a body rests at the foot of a ramp, in the way of what comes down."""

import math
from dataclasses import dataclass

import numpy as np

from layouts.placements.base import Placement, Range
from layouts.solids import solid
from layouts.stage import Stage, is_free, moved, rested, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid
from simfactory.transforms import quat_rotate

__all__ = ["Obstacle"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Obstacle(Placement):
    """Rests one body on the floor beyond the lower end of a plank.

    Attributes:
        ramp: Role whose first body is the plank; its local x points downhill.
        distance: Free distance between the plank's foot and the body [m].
        aside: Largest offset from the plank's middle line, to either side [m].
    """

    ramp: str
    distance: Range = (0.1, 0.35)
    aside: float = 0.05

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the body at the foot of the ramp.

        Raises:
            SpecError: Something is there already.
        """
        (body,) = bodies
        draw = streams("obstacle", role)
        plank = stage.groups[self.ramp][0]
        downhill = quat_rotate(plank.orientation, np.array([1.0, 0.0, 0.0])) * np.array([1.0, 1.0, 0.0])
        downhill /= np.linalg.norm(downhill)
        side = np.array([-downhill[1], downhill[0], 0.0]) * draw.uniform(-self.aside, self.aside)
        upright = rested(body, np.zeros(2), orientation=yaw(draw.uniform(0.0, 2.0 * math.pi)))
        along = solid(plank).reach(downhill) + draw.uniform(*self.distance) + solid(upright).extent(-downhill)
        middle = np.asarray(plank.position) - float(np.asarray(plank.position) @ downhill) * downhill
        offset = (middle + side + along * downhill) * np.array([1.0, 1.0, 0.0])
        placed = moved(upright, position=np.asarray(upright.position) + offset)
        if not is_free(placed, stage.bodies, gap=0.02):
            raise SpecError(f"no place for body {role!r} at the foot of {self.ramp!r}: use a larger `distance`")
        radius = solid(placed).radius
        return stage.extended(
            groups={role: (placed,)}, waypoints=[(np.asarray(placed.position) + 0.3 * downhill, radius)]
        )
