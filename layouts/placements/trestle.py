"""Trestle: bars that lie across two supports."""

import math
from dataclasses import dataclass

import numpy as np

from layouts.building import UP, block, check_free
from layouts.placements.base import Placement, Range
from layouts.solids import solid
from layouts.stage import REST_GAP, Stage, heading, moved, rested, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid

__all__ = ["Trestle"]

DEEP = 0.1  # [m] supports, along the bars


@dataclass(frozen=True, kw_only=True, slots=True)
class Trestle(Placement):
    """Lays bars side by side across two supports, so that their middle is in the air.

    The first two bodies of the role are the supports (static, cut to measure), the others are bars along local x.

    Attributes:
        bearing: How far a bar lies on each support, over its length [1].
        height: Height of the supports [m].
        gap: Distance between neighbouring bars [m].
    """

    bearing: Range = (0.12, 0.2)
    height: Range = (0.2, 0.3)
    gap: Range = (0.04, 0.08)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with supports and bars.

        Raises:
            SpecError: There is no bar, or the place is taken.
        """
        one, other, *bars = bodies
        if not bars:
            raise SpecError(f"the trestle of {role!r} has no bar among {len(bodies)} bodies: give it one or more")
        draw = streams("trestle", role)
        angle, height, share = draw.uniform(0.0, 2.0 * math.pi), draw.uniform(*self.height), draw.uniform(*self.bearing)
        out, across = heading(angle), heading(angle + math.pi / 2)
        level = [moved(body, position=np.zeros(3), orientation=yaw(angle)) for body in bars]
        widths = [2.0 * solid(body).extent(across) for body in level]
        gaps = [draw.uniform(*self.gap) for _ in bars[1:]]
        width = sum(widths) + sum(gaps)
        free = min(solid(body).extent(out) for body in level) * 2.0 * (1.0 - 2.0 * share)
        supports = [
            block(
                body,
                (DEEP, width + 0.06, height),
                side * 0.5 * (free + DEEP) * out + UP * (0.5 * height + REST_GAP),
                yaw(angle),
            )
            for body, side in ((one, -1.0), (other, 1.0))
        ]
        laid, station = [], -0.5 * width
        for body, wide, gap in zip(level, widths, [*gaps, 0.0], strict=True):
            at = (station + 0.5 * wide) * across
            laid.append(rested(body, at[:2], floor=height + REST_GAP))
            station += wide + gap
        check_free(role, [*supports, *laid], stage)
        return stage.extended(
            groups={f"{role}_supports": tuple(supports), role: tuple(laid)},
            waypoints=[(0.3 * height * UP, 0.25 * free)],
        )
