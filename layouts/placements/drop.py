"""Drop: bodies begin in the air, falling or thrown."""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from layouts.placements.base import Placement, Range, first_free, initial
from layouts.placements.stack import margin_inside
from layouts.solids import horizontal_faces, solid
from layouts.stage import Stage, heading, mass, moved
from layouts.streams import Streams
from simfactory.rng import Stream
from simfactory.spec import BodySolid

__all__ = ["Drop"]

Vector = npt.NDArray[np.float64]

UP = np.array([0.0, 0.0, 1.0])
EARTH = 9.81  # [m/s²]


@dataclass(frozen=True, kw_only=True, slots=True)
class Drop(Placement):
    """Hangs bodies in the air and lets go.

    Attributes:
        height: Height of the lowest point above the floor, or above `over` [m].
        rise: How much higher each further body begins [m]; heavier ones begin lower.
        spread: Radius of the disc in which they begin [m].
        toss: Initial speed [m/s]; lower where gravity is weaker than the Earth's, so that the arc keeps its size. The
            flight is centred on the disc.
        elevation: Angle of the throw above the horizontal [deg].
        spin: Initial rate [rad/s] about a random axis.
        over: Role above whose middle body the bodies hang; empty = above the floor.
        rim: How far outside the edge of its upper face the middle of a body begins [m]; 0 = above its middle.
        gap: Distance between bodies [m].
    """

    height: Range
    rise: float = 0.0
    spread: float = 0.0
    toss: Range = (0.0, 0.0)
    elevation: Range = (0.0, 0.0)
    spin: Range = (0.0, 0.0)
    over: str = ""
    rim: Range = (0.0, 0.0)
    gap: float = 0.03

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the bodies in the air."""
        placed: list[BodySolid] = []
        order = sorted(range(len(bodies)), key=lambda k: -mass(bodies[k]))
        for number, body in enumerate(bodies):
            rank = order.index(number)
            draw = streams("drop", role, body.name)
            oriented = moved(
                body,
                orientation=np.array(draw.quat_xyzw()),
                angular_velocity=np.array(draw.direction()) * initial(draw, "spin", self.spin),
            )
            thrown = self._thrown(oriented, draw, rank, stage)
            candidate = partial(self._candidate, thrown, draw)
            placed.append(first_free(body.name, candidate, (*stage.bodies, *placed), gap=self.gap))
        return stage.extended(groups={role: tuple(placed)})

    def _candidate(self, thrown: BodySolid, draw: Stream) -> BodySolid:
        offset = self.spread * math.sqrt(draw.uniform()) * heading(draw.uniform(0.0, 2.0 * math.pi))
        return moved(thrown, position=np.asarray(thrown.position) + offset)

    def _thrown(self, body: BodySolid, draw: Stream, rank: int, stage: Stage) -> BodySolid:
        """The body at its height, behind the centre by half its flight, with its velocity."""
        center, floor = np.zeros(3), 0.0
        if self.over:
            group = stage.groups[self.over]
            below = group[(len(group) - 1) // 2]
            support = solid(below)
            center, floor = support.center * np.array([1.0, 1.0, 0.0]), support.reach(UP)
            if self.rim[1] > 0.0:
                center = center + self._over_rim(below, draw)
        drop = draw.uniform(*self.height) + rank * self.rise
        height = floor + drop + solid(body).extent(-UP)
        ease = 1.0 if draw.asks("speed") else min(math.sqrt(stage.weight / EARTH), 1.0)
        speed, angle = ease * initial(draw, "speed", self.toss), math.radians(draw.uniform(*self.elevation))
        way = heading(draw.uniform(0.0, 2.0 * math.pi))
        velocity = speed * (math.cos(angle) * way + np.array([0.0, 0.0, math.sin(angle)]))
        fall = max(-float(stage.gravity[2]), 0.1)
        flight = (velocity[2] + math.sqrt(velocity[2] ** 2 + 2.0 * fall * drop)) / fall
        start = center - 0.5 * speed * math.cos(angle) * flight * way
        return moved(body, position=start + np.array([0.0, 0.0, height]), linear_velocity=velocity)

    def _over_rim(self, below: BodySolid, draw: Stream) -> Vector:
        """Return the way `(3,)` from a body's middle to a place so far outside its upper face [m]."""
        face, middle = horizontal_faces(below)[1], np.asarray(below.position[:2])
        out, beyond = heading(draw.uniform(0.0, 2.0 * math.pi)), draw.uniform(*self.rim)
        near, half, far = 0.0, 0.0, 2.0 * solid(below).radius + beyond
        for _ in range(40):
            half = 0.5 * (near + far)
            near, far = (half, far) if margin_inside(face, middle + half * out[:2]) > -beyond else (near, half)
        return half * out
