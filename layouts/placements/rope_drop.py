"""RopeDrop: ropes begin in the air, falling or thrown."""

import math
from dataclasses import dataclass

import numpy as np

from layouts.lines import LINES, as_rope, cut, laid
from layouts.placements.base import TRIES, Placement, Range
from layouts.solids import solid
from layouts.stage import Stage, heading, is_free, moved, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.rng import Stream
from simfactory.spec import BodyRope, BodySolid
from simfactory.transforms import quat_rotate

__all__ = ["RopeDrop"]

UP = np.array([0.0, 0.0, 1.0])
EARTH = 9.81  # [m/s²]


@dataclass(frozen=True, kw_only=True, slots=True)
class RopeDrop(Placement):
    """Lays ropes in the air and lets go.

    Attributes:
        lines: Names of the lines to choose from, see `layouts.lines.LINES`.
        height: Height of the lowest point above the floor, or above `over` [m].
        rise: How much higher each further rope begins [m].
        spread: Radius of the disc in which their middles begin [m].
        toss: Level initial speed [m/s]; lower where gravity is weaker than the Earth's.
        whirl: Initial rate about the vertical [rad/s], either way.
        over: Role above whose highest body the ropes begin, along its first two, if there are more; empty = above the
            floor.
        across: Whether each rope lies across the one before.
    """

    lines: tuple[str, ...]
    height: Range
    rise: float = 0.0
    spread: float = 0.0
    toss: Range = (0.0, 0.0)
    whirl: Range = (0.0, 0.0)
    over: str = ""
    across: bool = False

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the ropes in the air.

        Raises:
            SpecError: Something else is where a rope would begin.
        """
        placed: list[BodyRope] = []
        turn = streams("rope_drop", role).uniform(0.0, 2.0 * math.pi)
        for number, body in enumerate(bodies):
            draw = streams("rope_drop", role, body.name)
            bearing = turn + 0.5 * math.pi * number + draw.uniform(-0.3, 0.3) if self.across else None
            for _ in range(TRIES):
                rope = self._candidate(as_rope(body), number, draw, stage, bearing)
                if is_free(rope, (*stage.bodies, *placed), gap=0.01):
                    break
            else:
                raise SpecError(f"no place for rope {body.name!r} in {TRIES} tries: raise it, or spread it wider")
            placed.append(rope)
        landings = [(np.array([*rope.position[:2], 0.1]), 0.15) for rope in placed]
        return stage.extended(groups={role: tuple(placed)}, waypoints=landings)

    def _candidate(self, rope: BodyRope, number: int, draw: Stream, stage: Stage, bearing: float | None) -> BodyRope:
        """A rope at its height, behind the centre by half its flight."""
        center, floor = np.zeros(3), 0.0
        if self.over:
            below = [solid(body) for body in stage.groups[self.over]]
            floor = max(hull.reach(UP) for hull in below)
            pair = [hull.center * np.array([1.0, 1.0, 0.0]) for hull in below[:2]]
            center = np.mean(pair, axis=0)
            if len(pair) == 2 and bearing is None:
                bearing = math.atan2(*(pair[1] - pair[0])[1::-1])
        shape = LINES[draw.choice(self.lines)](rope.chord, rope.geometry.radius, draw)
        angle = draw.uniform(0.0, 2.0 * math.pi) if bearing is None else bearing
        line = quat_rotate(yaw(angle), cut(shape, rope.chord))
        drop = draw.uniform(*self.height) + number * self.rise
        ease = min(math.sqrt(stage.weight / EARTH), 1.0)
        speed, way = ease * draw.uniform(*self.toss), heading(draw.uniform(0.0, 2.0 * math.pi))
        flight = math.sqrt(2.0 * drop / max(-float(stage.gravity[2]), 0.1))
        offset = self.spread * math.sqrt(draw.uniform()) * heading(draw.uniform(0.0, 2.0 * math.pi))
        start = center + offset - 0.5 * speed * flight * way
        start[2] = floor + drop + rope.geometry.radius - line[:, 2].min() + line[:, 2].mean()
        spin = ease * draw.uniform(*self.whirl) * draw.choice((-1.0, 1.0))
        return as_rope(
            moved(laid(rope, line - line.mean(axis=0) + start), linear_velocity=speed * way, angular_velocity=spin * UP)
        )
