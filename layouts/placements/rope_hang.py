"""RopeHang: ropes that hang from a peg, stand out from a post, or hang between two posts."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from layouts.lines import as_rope, laid, sagging
from layouts.placements.base import Placement, Range
from layouts.stage import REST_GAP, Stage, heading, is_free, moved, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.rng import Stream
from simfactory.spec import BodyRope, BodySolid, Box, Capsule
from simfactory.transforms import quat_from_axis_angle, quat_multiply

__all__ = ["RopeHang"]

Vector = npt.NDArray[np.float64]

UP = np.array([0.0, 0.0, 1.0])
TIED = 2e-3  # [m] between a held end and what it seems tied to
POST, PEG = 0.08, 0.02  # [m] width of posts, radius of pegs
CLEAR = 0.18  # [m] from a post to the first rope on its peg


@dataclass(frozen=True, kw_only=True, slots=True)
class RopeHang(Placement):
    """Holds ropes by their ends; they begin aside of where they would rest, and swing.

    The last bodies of the role are the ropes, side by side. Before them come what seems to hold them (static, cut to
    measure): a post and a peg on its side for `peg`, a post for `post`, two posts for `between`.

    Attributes:
        way: `peg`: from one end, straight. `post`: clamped at one end, straight out from the post. `between`: by both.
        lift: Angle out of the vertical at which it begins [deg]; for `post` above the horizontal.
        clearance: Height of the lowest point above the floor when it hangs [m]; less than 0: it lies on the floor.
        span: Distance of the posts over the rope's length, for `between` [1].
        gap: Distance between neighbours on the peg or between the posts [m].
        cradle: How much higher each rope between posts hangs than its neighbour nearer the middle [m].
    """

    way: Literal["peg", "post", "between"] = "peg"
    lift: Range = (20.0, 70.0)
    clearance: Range = (0.06, 0.2)
    span: Range = (0.6, 0.9)
    gap: Range = (0.12, 0.2)
    cradle: float = 0.0

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with what holds the ropes, and the ropes.

        Raises:
            SpecError: There is no rope, or the place is taken.
        """
        count = 1 if self.way == "post" else 2
        if len(bodies) <= count:
            raise SpecError(f"{role!r} hangs no rope among {len(bodies)} bodies: give it one more than what holds it")
        draw = streams("rope_hang", role)
        ropes = [as_rope(body) for body in bodies[count:]]
        angle = draw.uniform(0.0, 2.0 * math.pi)
        build = {"peg": self._on_peg, "post": self._on_post, "between": self._between}[self.way]
        stands, hung, balls = build(bodies[:count], ropes, angle, draw)
        for body in (*stands, *hung):
            if not is_free(body, stage.bodies, gap=0.01):
                raise SpecError(f"no place for body {body.name!r}: something is where {role!r} hangs")
        names = [f"{role}_stand_{number}" for number in range(count)]
        groups: dict[str, tuple[BodySolid, ...]] = {name: (body,) for name, body in zip(names, stands, strict=True)}
        return stage.extended(groups={**groups, role: tuple(hung)}, waypoints=balls)

    def _on_peg(
        self, stands: tuple[BodySolid, ...], ropes: list[BodyRope], angle: float, draw: Stream
    ) -> tuple[list[BodySolid], list[BodyRope], list[tuple[Vector, float]]]:
        out, side = heading(angle), heading(angle + 0.5 * math.pi)
        height = max(rope.chord for rope in ropes) + draw.uniform(*self.clearance)
        gaps = [draw.uniform(*self.gap) for _ in ropes[1:]]
        length = CLEAR + sum(gaps) + 0.06
        begin = -0.5 * (CLEAR + sum(gaps))  # of the peg, at the post
        level = quat_multiply(yaw(angle), quat_from_axis_angle((0.0, 1.0, 0.0), math.pi / 2))
        peg = moved(
            stands[1],
            geometry=Capsule(radius=PEG, height=length),
            scale=1.0,
            aspect=(1.0, 1.0, 1.0),
            position=(begin + 0.5 * length) * out + height * UP,
            orientation=level,
        )
        post = _post(stands[0], (begin - PEG - 0.5 * POST - REST_GAP) * out, height + 2.0 * PEG, angle)
        hung, balls, station = [], [], begin + CLEAR
        for rope, gap in zip(ropes, [*gaps, 0.0], strict=True):
            lift = math.radians(draw.uniform(*self.lift)) * draw.choice((-1.0, 1.0))
            anchor = station * out + (height - PEG - rope.geometry.radius - TIED) * UP
            line = anchor + np.linspace(0.0, rope.chord, 3)[:, None] * (math.sin(lift) * side - math.cos(lift) * UP)
            hung.append(laid(rope, line, held=("start",)))
            reach = max(abs(lift), 0.4)
            balls += [
                (anchor + rope.chord * (math.sin(turn) * side - math.cos(turn) * UP), 0.03)
                for turn in np.linspace(-reach, reach, 5)
            ]
            station += gap
        return [post, peg], hung, balls

    def _on_post(
        self, stands: tuple[BodySolid, ...], ropes: list[BodyRope], angle: float, draw: Stream
    ) -> tuple[list[BodySolid], list[BodyRope], list[tuple[Vector, float]]]:
        (rope,) = ropes
        out = heading(angle)
        height = rope.chord + draw.uniform(*self.clearance)
        lift = math.radians(draw.uniform(*self.lift))
        foot = -0.3 * rope.chord * out
        anchor = foot + (0.5 * POST + rope.geometry.radius + TIED) * out + height * UP
        way = math.cos(lift) * out + math.sin(lift) * UP
        line = anchor + np.linspace(0.0, rope.chord, 3)[:, None] * way
        post = _post(stands[0], foot, height + 0.06, angle)
        balls = [(anchor + rope.chord * (math.cos(t) * out - math.sin(t) * UP), 0.03) for t in (0.3, 0.8, 1.4)]
        return [post], [laid(rope, line, held=("start",), clamped=True)], balls

    def _between(
        self, stands: tuple[BodySolid, ...], ropes: list[BodyRope], angle: float, draw: Stream
    ) -> tuple[list[BodySolid], list[BodyRope], list[tuple[Vector, float]]]:
        out, side = heading(angle), heading(angle + 0.5 * math.pi)
        chord = max(rope.chord for rope in ropes)
        reach = 0.5 * draw.uniform(*self.span) * chord
        sag = 0.5 * math.sqrt(max(chord**2 - 4.0 * reach**2, 0.0))
        height = sag + draw.uniform(*self.clearance) + 0.15
        lift = math.radians(draw.uniform(*self.lift)) * draw.choice((-1.0, 1.0))
        aside = math.sin(lift) * side - math.cos(lift) * UP
        gaps = [draw.uniform(*self.gap) for _ in ropes[1:]]
        hung, station = [], -0.5 * sum(gaps)
        outer = 0.5 * (len(ropes) - 1)
        for number, (rope, gap) in enumerate(zip(ropes, [*gaps, 0.0], strict=True)):
            level = (height + self.cradle * abs(number - outer)) * UP
            ends = [sign * reach * out + level + station * side for sign in (-1.0, 1.0)]
            hung.append(laid(rope, sagging(ends[0], ends[1], rope.chord, aside=aside), held=("start", "end")))
            station += gap
        back = reach + max(rope.geometry.radius for rope in ropes) + TIED + 0.5 * POST
        posts = [
            _post(body, sign * back * out, height + self.cradle * outer + 0.05, angle, width=POST + sum(gaps))
            for body, sign in zip(stands, (-1, 1), strict=True)
        ]
        balls = [
            (height * UP + sag * (math.sin(t) * side - math.cos(t) * UP), 0.03) for t in (-abs(lift), 0.0, abs(lift))
        ]
        return [*posts], hung, balls


def _post(post: BodySolid, at: Vector, height: float, angle: float, *, width: float = POST) -> BodySolid:
    """A post on the floor, as high and, across its bearing, as wide as asked."""
    shape = Box(size=(POST, width, height))
    center = at + UP * (0.5 * height + REST_GAP)
    return moved(post, geometry=shape, scale=1.0, aspect=(1.0, 1.0, 1.0), position=center, orientation=yaw(angle))
