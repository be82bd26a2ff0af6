"""Overhang: boards that stand out over the edge of a shelf, held by their weight and friction alone."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from layouts.placements.base import Placement, Range
from layouts.solids import solid
from layouts.stage import REST_GAP, Stage, heading, is_free, moved, rested, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.rng import Stream
from simfactory.spec import BodySolid, Box

__all__ = ["Overhang"]

Vector = npt.NDArray[np.float64]

UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, kw_only=True, slots=True)
class Overhang(Placement):
    """Lays boards across the edge of a shelf so that a part of each one is in the air.

    A board stays while its centre of mass is above the shelf and tips over the edge once it is beyond.

    The first body of the role is the shelf (static, cut to measure), the others are boards, local x across the edge;
    with `load`, the last one falls onto the free end of the first board.

    Attributes:
        beyond: How far the centre of mass is beyond the edge, in half lengths of the board [1]; negative = above the
            shelf.
        height: Height of the shelf [m].
        depth: Depth of the shelf, in lengths of the longest board [1].
        gap: Distance between neighbouring boards [m].
        load: Whether the last body falls onto the first board's free end.
        drop: Height from which it falls [m] above the board.
    """

    beyond: Range
    height: Range = (0.35, 0.6)
    depth: Range = (0.8, 1.0)
    gap: Range = (0.04, 0.1)
    load: bool = False
    drop: Range = (0.25, 0.5)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the shelf and what hangs over its edge.

        Raises:
            SpecError: There is no board, or the place is taken.
        """
        boards = bodies[1 : len(bodies) - self.load]
        if not boards:
            raise SpecError(f"the shelf of {role!r} has no board among {len(bodies)} bodies: give it one or more")
        draw = streams("overhang", role)
        angle, height = draw.uniform(0.0, 2.0 * math.pi), draw.uniform(*self.height)
        out, along = heading(angle), heading(angle + math.pi / 2)
        level = [moved(board, position=np.zeros(3), orientation=yaw(angle)) for board in boards]
        widths = [2.0 * solid(board).extent(along) for board in level]
        gaps = [draw.uniform(*self.gap) for _ in boards[1:]]
        width = sum(widths) + sum(gaps)
        depth = draw.uniform(*self.depth) * 2.0 * max(solid(board).extent(out) for board in level)
        shelf = _shelf(bodies[0], angle, depth=depth, width=width + 0.06, height=height)
        hung, station = [], -0.5 * width
        for board, wide, gap in zip(level, widths, [*gaps, 0.0], strict=True):
            beyond = draw.uniform(*self.beyond) * solid(board).extent(out)
            at = beyond * out + (station + 0.5 * wide) * along
            hung.append(rested(board, at[:2], floor=height + REST_GAP))
            station += wide + gap
        if self.load:
            hung.append(self._load(bodies[-1], hung[0], out, draw))
        for body in (shelf, *hung):
            if not is_free(body, stage.bodies, gap=0.02):
                raise SpecError(f"no place for body {body.name!r}: something is where the shelf of {role!r} stands")
        radius = max(solid(body).radius for body in hung)
        landing = (0.5 * radius + 0.1) * out + UP * radius
        return stage.extended(groups={f"{role}_shelf": (shelf,), role: tuple(hung)}, waypoints=[(landing, radius)])

    def _load(self, body: BodySolid, board: BodySolid, out: Vector, draw: Stream) -> BodySolid:
        """The falling body above the outer third of a board."""
        hull = solid(board)
        oriented = moved(body, position=np.zeros(3), orientation=np.array(draw.quat_xyzw()))
        at = hull.center + 0.7 * hull.extent(out) * out
        return rested(oriented, at[:2], floor=hull.reach(UP) + draw.uniform(*self.drop))


def _shelf(shelf: BodySolid, angle: float, *, depth: float, width: float, height: float) -> BodySolid:
    """A block whose upper front edge is above the origin, across a bearing."""
    shape = Box(size=(depth, width, height))
    center = -0.5 * depth * heading(angle) + UP * (0.5 * height + REST_GAP)
    return moved(shelf, geometry=shape, scale=1.0, aspect=(1.0, 1.0, 1.0), position=center, orientation=yaw(angle))
