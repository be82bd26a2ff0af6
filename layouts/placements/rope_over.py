"""RopeOver: ropes above a beam, or over the edge of a table."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from layouts.lines import as_rope, laid, over_edge
from layouts.placements.base import Placement, Range
from layouts.stage import REST_GAP, Stage, heading, is_free, moved, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.rng import Stream
from simfactory.spec import BodyRope, BodySolid, Box, Capsule
from simfactory.transforms import quat_from_axis_angle, quat_multiply

__all__ = ["RopeOver"]

Vector = npt.NDArray[np.float64]

UP = np.array([0.0, 0.0, 1.0])
POST = 0.08  # [m] width of posts


@dataclass(frozen=True, kw_only=True, slots=True)
class RopeOver(Placement):
    """Lays a rope level above a beam on two posts, or on a table with one end over its edge.

    The last body of the role is the rope. Before it come two posts and a beam, or a table (static, cut to measure).

    Attributes:
        what: `beam` or `table`.
        aside: Share of the rope beyond the beam, or over the edge [1].
        height: Height of the beam's axis over the rope's length [1], or of the table [m].
        drop: Height above the beam at which it begins [m].
        thickness: Radius of the beam [m].
    """

    what: Literal["beam", "table"] = "beam"
    aside: Range = (0.5, 0.7)
    height: Range = (0.55, 0.75)
    drop: Range = (0.03, 0.25)
    thickness: Range = (0.02, 0.05)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with what the rope lies on, and the rope.

        Raises:
            SpecError: The number of bodies is wrong, or the place is taken.
        """
        wanted = 4 if self.what == "beam" else 2
        if len(bodies) != wanted:
            raise SpecError(f"{role!r} over a {self.what} has {len(bodies)} bodies, it takes {wanted}: give it those")
        draw = streams("rope_over", role)
        angle, rope = draw.uniform(0.0, 2.0 * math.pi), as_rope(bodies[-1])
        build = self._beam if self.what == "beam" else self._table
        stands, hung, balls = build(bodies[:-1], rope, angle, draw)
        for body in (*stands, hung):
            if not is_free(body, stage.bodies, gap=0.01):
                raise SpecError(f"no place for body {body.name!r}: something is where {role!r} lies")
        groups: dict[str, tuple[BodySolid, ...]] = {
            f"{role}_stand_{number}": (body,) for number, body in enumerate(stands)
        }
        return stage.extended(groups={**groups, role: (hung,)}, waypoints=balls)

    def _beam(
        self, stands: tuple[BodySolid, ...], rope: BodyRope, angle: float, draw: Stream
    ) -> tuple[list[BodySolid], BodyRope, list[tuple[Vector, float]]]:
        along, across = heading(angle), heading(angle + 0.5 * math.pi)
        height = draw.uniform(*self.height) * rope.chord
        thick, wide = draw.uniform(*self.thickness), draw.uniform(0.3, 0.45)
        level = quat_multiply(yaw(angle), quat_from_axis_angle((0.0, 1.0, 0.0), math.pi / 2))
        plain = {"scale": 1.0, "aspect": (1.0, 1.0, 1.0)}
        beam = moved(
            stands[2],
            geometry=Capsule(radius=thick, height=wide),
            position=height * UP,
            orientation=level,
            **plain,
        )
        top, apart = height + thick + 0.03, 0.5 * wide + thick + REST_GAP + 0.5 * POST
        posts = [
            moved(
                body,
                geometry=Box(size=(POST, POST, top)),
                position=sign * apart * along + UP * (0.5 * top + REST_GAP),
                orientation=yaw(angle),
                **plain,
            )
            for body, sign in zip(stands[:2], (-1.0, 1.0), strict=True)
        ]
        beyond = draw.uniform(*self.aside)
        start = (
            UP * (height + thick + rope.geometry.radius + draw.uniform(*self.drop))
            + draw.uniform(-0.3, 0.3) * wide * along
        )
        way = across * draw.choice((-1.0, 1.0))
        line = start + (np.linspace(0.0, 1.0, 3)[:, None] - 1.0 + beyond) * rope.chord * way
        balls = [(0.15 * UP + 0.2 * sign * way, 0.1) for sign in (-1.0, 1.0)]
        return [*posts, beam], laid(rope, line), balls

    def _table(
        self, stands: tuple[BodySolid, ...], rope: BodyRope, angle: float, draw: Stream
    ) -> tuple[list[BodySolid], BodyRope, list[tuple[Vector, float]]]:
        out = heading(angle)
        hanging = draw.uniform(*self.aside)
        height = draw.uniform(*self.height)
        hanging = min(hanging, (height - 0.03) / rope.chord)
        depth = (1.0 - hanging) * rope.chord + 0.12
        table = moved(
            stands[0],
            geometry=Box(size=(depth, 0.4, height)),
            scale=1.0,
            aspect=(1.0, 1.0, 1.0),
            position=-0.5 * depth * out + UP * (0.5 * height + REST_GAP),
            orientation=yaw(angle),
        )
        line = over_edge(rope.chord, rope.geometry.radius, hanging, height=height + REST_GAP, out=out)
        balls = [(0.1 * UP + 0.15 * out, 0.12)]
        return [table], laid(rope, line), balls
