"""Bowl: a body begins on the wall of an open bowl."""

import math
from dataclasses import dataclass

import numpy as np

from layouts.building import UP, check_free
from layouts.placements.base import Placement, Range
from layouts.solids import solid
from layouts.stage import REST_GAP, Stage, heading, moved
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid, Vessel

__all__ = ["Bowl"]

WALL = 0.02  # [m]
SIDES = 16  # flat parts of which the wall of a vessel consists where it collides


@dataclass(frozen=True, kw_only=True, slots=True)
class Bowl(Placement):
    """Stands a bowl on the floor and lets a body go on its wall, below the rim; it rolls down and up the other side.

    The first body of the role is the bowl (static, cut to measure), the second begins in it.

    Attributes:
        radius: Inner radius of the rim [m].
        base: Inner radius of the floor, in that of the rim [1].
        slope: Of the wall [deg].
        start: How high the body begins, in heights of the wall [1].
    """

    radius: Range = (0.42, 0.55)
    base: Range = (0.3, 0.4)
    slope: Range = (20.0, 30.0)
    start: Range = (0.7, 0.95)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the bowl and what rolls in it.

        Raises:
            SpecError: There are not two bodies, or the place is taken.
        """
        if len(bodies) != 2:
            raise SpecError(f"the bowl of {role!r} has {len(bodies)} bodies; allowed are a bowl and one body in it")
        draw = streams("bowl", role)
        rim, slope = draw.uniform(*self.radius), math.radians(draw.uniform(*self.slope))
        base = draw.uniform(*self.base) * rim
        rise = (rim - base) * math.tan(slope)  # of the wall, from its foot inside
        shape = Vessel(radius=rim + WALL, base_radius=base + WALL, height=rise + WALL, wall=WALL)
        bowl = moved(
            bodies[0],
            geometry=shape,
            scale=1.0,
            aspect=(1.0, 1.0, 1.0),
            position=(0.5 * shape.height + REST_GAP) * UP,
        )
        out = heading((draw.integer(0, SIDES - 1) + 0.5) * 2.0 * math.pi / SIDES)  # the middle of a flat part
        flat = math.cos(math.pi / SIDES)  # nearness of the middle of a flat part to the axis, over that of its edges
        steep = math.atan(math.tan(slope) / flat)
        inward = UP * math.cos(steep) - out * math.sin(steep)
        height = draw.uniform(*self.start) * rise
        at = flat * (base + height / math.tan(slope)) * out + (WALL + height + REST_GAP) * UP
        free = moved(bodies[1], position=np.zeros(3))
        ball = moved(free, position=at + (solid(free).extent(-inward) + 2e-3) * inward)
        check_free(role, [bowl, ball], stage)
        waypoints = [
            (way * at * np.array([1.0, 1.0, 0.0]) + at[2] * UP, solid(ball).radius) for way in (-1.0, 0.0, 1.0)
        ]
        return stage.extended(
            groups={f"{role}_bowl": (bowl,), role: (ball,)}, waypoints=waypoints, arrivals={ball.name: 0.0}
        )
