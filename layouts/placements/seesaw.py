"""Seesaw: a board on a hinge, and what falls onto its ends."""

import math
from dataclasses import dataclass

import numpy as np

from layouts.building import UP, block, check_free, hinge
from layouts.placements.base import Placement, Range
from layouts.solids import solid
from layouts.stage import REST_GAP, Stage, heading, moved, rested, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid

__all__ = ["Seesaw"]

THICK = 0.04  # [m] of the board


@dataclass(frozen=True, kw_only=True, slots=True)
class Seesaw(Placement):
    """Lays a board on a stand on which it turns until one end meets the floor.

    The first two bodies of the role are stand (static) and board, cut to measure; the third falls onto one end, the
    fourth rests on the other.

    Attributes:
        length: Length of the board [m].
        height: Height of the hinge [m].
        off: How far the hinge is from the board's middle, in half lengths [1].
        drop: Height from which the load falls [m].
    """

    length: Range = (0.9, 1.2)
    height: Range = (0.2, 0.3)
    off: Range = (0.0, 0.0)
    drop: Range = (0.25, 0.6)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the seesaw.

        Raises:
            SpecError: There are fewer than two or more than four bodies, or the place is taken.
        """
        if not 2 <= len(bodies) <= 4:
            raise SpecError(f"the seesaw of {role!r} has {len(bodies)} bodies; allowed are stand, board and two loads")
        draw = streams("seesaw", role)
        angle, length, height = draw.uniform(0.0, 2.0 * math.pi), draw.uniform(*self.length), draw.uniform(*self.height)
        out, across = heading(angle), heading(angle + math.pi / 2)
        shift = draw.uniform(*self.off) * 0.5 * length
        stand = block(bodies[0], (0.06, 0.3, height - 0.02), (0.5 * (height - 0.02) + REST_GAP) * UP, yaw(angle))
        top = height + 0.5 * THICK
        board = block(bodies[1], (length, 0.24, THICK), height * UP + shift * out, yaw(angle))
        loads = []
        if len(bodies) > 2:
            falling = moved(bodies[2], position=np.zeros(3), orientation=np.array(draw.quat_xyzw()))
            at = (shift + 0.5 * length - 0.12) * out
            loads.append(rested(falling, at[:2], floor=top + draw.uniform(*self.drop)))
        if len(bodies) > 3:
            resting = moved(bodies[3], position=np.zeros(3), orientation=yaw(angle))
            at = (shift - 0.5 * length + max(0.12, solid(resting).extent(out))) * out
            loads.append(rested(resting, at[:2], floor=top))
        check_free(role, [stand, board, *loads], stage)
        joint = hinge(f"{board.name}_hinge", board.name, height * UP, across, parent=stand.name)
        ends = [shift * out + side * 0.5 * length * out + rise * UP for side in (1, -1) for rise in (0.05, 2 * height)]
        return stage.extended(
            groups={role: (stand, board, *loads)},
            joints=[joint],
            waypoints=[(end, 0.12) for end in ends],
            arrivals={board.name: 0.0},
        )
