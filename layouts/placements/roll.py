"""Roll: rings and discs stand on their rim and roll."""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from layouts.placements.base import Placement, Range, first_free, initial
from layouts.solids import solid
from layouts.stage import Stage, heading, moved, rested, yaw
from layouts.streams import Streams
from simfactory.rng import Stream
from simfactory.spec import BodySolid
from simfactory.transforms import quat_from_axis_angle, quat_multiply

__all__ = ["Roll"]

UP = np.array([0.0, 0.0, 1.0])
REACH = 0.7  # [s] for which they roll before the origin, and for which they stay in view behind it


@dataclass(frozen=True, kw_only=True, slots=True)
class Roll(Placement):
    """Stands bodies that are round about local z on their rim and lets them roll without slip, past the origin.

    Attributes:
        speed: Speed [m/s].
        lean: Angle by which the axis is off the level [deg], to either side.
        spread: Radius of the disc in which they begin [m].
        gap: Distance between bodies [m].
    """

    speed: Range
    lean: Range = (0.0, 4.0)
    spread: float = 0.0
    gap: float = 0.03

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the bodies on their way.

        Raises:
            SpecError: No free place was found.
        """
        placed: list[BodySolid] = []
        waypoints = []
        for body in bodies:
            draw = streams("roll", role, body.name)
            angle = draw.uniform(0.0, 2.0 * math.pi)
            way, speed = heading(angle), initial(draw, "speed", self.speed)
            lean = math.radians(draw.uniform(*self.lean)) * draw.choice((-1.0, 1.0))
            turn = quat_multiply(yaw(angle), quat_from_axis_angle((1.0, 0.0, 0.0), math.pi / 2 + lean))
            upright = rested(body, -REACH * speed * way[:2], orientation=turn)
            radius = solid(upright).extent(-UP)
            rolling = moved(upright, linear_velocity=speed * way, angular_velocity=np.cross(UP, way) * (speed / radius))
            ahead = np.asarray(rolling.position) + 2.0 * REACH * speed * way
            waypoints += [(np.asarray(rolling.position), radius), (ahead, radius)]
            candidate = partial(self._candidate, rolling, draw)
            placed.append(first_free(body.name, candidate, (*stage.bodies, *placed), gap=self.gap))
        return stage.extended(groups={role: tuple(placed)}, waypoints=waypoints)

    def _candidate(self, rolling: BodySolid, draw: Stream) -> BodySolid:
        aside = self.spread * math.sqrt(draw.uniform()) * heading(draw.uniform(0.0, 2.0 * math.pi))
        return moved(rolling, position=np.asarray(rolling.position) + aside)
