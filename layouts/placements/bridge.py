"""Bridge: planks in a row, hinged to each other, between two posts."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from layouts.building import UP, bar, check_free, hinge, post
from layouts.placements.base import Placement, Range
from layouts.solids import solid
from layouts.stage import Stage, heading, moved, rested
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid

__all__ = ["Bridge"]

Vector = npt.NDArray[np.float64]

THICK = 0.03  # [m] of planks


@dataclass(frozen=True, kw_only=True, slots=True)
class Bridge(Placement):
    """Hangs a row of planks between two posts, in the arc in which it starts; with `torn`, at one end only.

    The first two bodies of the role are the posts (static), then come the planks; with `loads`, the last so many
    bodies fall onto the bridge. Posts and planks are cut to measure.

    Attributes:
        span: Distance of the posts [m].
        sag: Depth of the arc, over the span [1].
        torn: Whether the far end is loose.
        loads: How many of the bodies fall onto it.
        drop: Height from which they fall [m].
    """

    span: Range = (0.9, 1.2)
    sag: Range = (0.12, 0.22)
    torn: bool = False
    loads: int = 0
    drop: Range = (0.2, 0.4)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the bridge.

        Raises:
            SpecError: There are fewer than two planks, or the place is taken.
        """
        one, other, *rest = bodies
        planks, loads = rest[: len(rest) - self.loads], rest[len(rest) - self.loads :]
        if len(planks) < 2:
            raise SpecError(f"the bridge of {role!r} has {len(planks)} planks; allowed are two or more")
        draw = streams("bridge", role)
        angle, span, sag = draw.uniform(0.0, 2.0 * math.pi), draw.uniform(*self.span), draw.uniform(*self.sag)
        out, across = heading(angle), heading(angle + math.pi / 2)
        height = sag * span + 0.45
        knots = _arc(span, sag * span, len(planks))
        points = [x * out + (height + z) * UP for x, z in knots]
        frame = [
            post(body, (s * (0.5 * span + 0.06) * out)[:2], height + 0.04, 0.08, angle)
            for body, s in ((one, -1), (other, 1))
        ]
        hung = [
            bar(plank, start + 0.004 * _unit(end - start), end - 0.004 * _unit(end - start), 0.24, height=THICK)
            for plank, (start, end) in zip(planks, pairwise(points), strict=True)
        ]
        joints = [hinge(f"{hung[0].name}_hinge", hung[0].name, points[0], across)]
        joints += [
            hinge(f"{b.name}_hinge", b.name, points[k + 1], across, parent=a.name)
            for k, (a, b) in enumerate(pairwise(hung))
        ]
        if not self.torn:
            joints.append(hinge(f"{hung[-1].name}_end", hung[-1].name, points[-1], across))
        falling = []
        for number, load in enumerate(loads):
            turned = moved(load, position=np.zeros(3), orientation=np.array(draw.quat_xyzw()))
            at = draw.uniform(-0.12, 0.12) * span * out
            floor = height + draw.uniform(*self.drop) + 0.35 * number
            falling.append(rested(turned, at[:2], floor=floor + 0.2 * solid(turned).radius))
        check_free(role, [*frame, *hung, *falling], stage)
        return stage.extended(
            groups={f"{role}_frame": tuple(frame), role: (*hung, *falling)},
            joints=joints,
            waypoints=[(point, 0.12) for point in points] + [((height - 0.6 * span * self.torn) * UP, 0.1)],
            arrivals={plank.name: 0.0 for plank in hung},
        )


def _unit(vector: Vector) -> Vector:
    return np.asarray(vector / np.linalg.norm(vector))


def _arc(span: float, depth: float, count: int) -> list[tuple[float, float]]:
    """Return the `count` + 1 corners (x, z) [m] of equal chords of the circle through both ends and the depth."""
    radius = (0.25 * span * span + depth * depth) / (2.0 * depth)
    half = math.asin(0.5 * span / radius)
    turns = np.linspace(-half, half, count + 1).tolist()
    return [(radius * math.sin(turn), radius - depth - radius * math.cos(turn)) for turn in turns]
