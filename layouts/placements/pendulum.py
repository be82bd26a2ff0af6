"""Pendulum: links that hang one from another on an arm, let go from the side."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from layouts.building import UP, bar, check_free, hinge, post
from layouts.placements.base import Placement, Range
from layouts.solids import solid
from layouts.stage import Stage, heading, moved, rested, snapped, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid, Joint, JointBall, JointHinge, JointWeld

__all__ = ["Pendulum"]

Vector = npt.NDArray[np.float64]

WIDTH = 0.035  # [m] of links
CLEARANCE = 0.06  # [m] under the lowest point


@dataclass(frozen=True, kw_only=True, slots=True)
class Pendulum(Placement):
    """Hangs a chain of links from the end of an arm on a post; it is let go with all links in one line.

    The first two bodies of the role are post and arm (static, cut to measure), then come the links (cut to measure);
    with `bob`, the last link keeps its shape and is fixed to the end of the one before; the very last bodies are the
    targets: one stands where the pendulum is lowest, the others behind it in a row.

    Attributes:
        length: Length of the whole chain [m].
        angle: From the vertical at which it is let go [deg].
        turn: Further turn of every other link against the line [deg].
        free: Whether links turn about all axes (ball joints) instead of one.
        bob: Whether the last link is a weight of its own shape.
        targets: How many of the last bodies stand in the way.
        meeting: Where the pendulum's end meets the first of these: 0 = at its lowest, 1 = as high as that body [1].
        spacing: Free distance between neighbours among these, in heights of the first one [1].
    """

    length: Range = (0.5, 0.7)
    angle: Range = (35.0, 100.0)
    turn: Range = (0.0, 0.0)
    free: bool = False
    bob: bool = False
    targets: int = 0
    meeting: float = 0.35
    spacing: Range = (0.3, 0.4)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the pendulum.

        Raises:
            SpecError: There is no link, or the place is taken.
        """
        stand, arm, *links = bodies
        cut = len(links) - self.targets
        links, targets = links[:cut], links[cut:]
        bobs = [links.pop()] if self.bob else []
        if not links:
            raise SpecError(f"the pendulum of {role!r} has no link among {len(bodies)} bodies: give it one or more")
        draw = streams("pendulum", role)
        angle, length = draw.uniform(0.0, 2.0 * math.pi), draw.uniform(*self.length)
        out, across = heading(angle), heading(angle + math.pi / 2)
        drop = math.radians(draw.uniform(*self.angle)) * draw.choice((-1.0, 1.0))
        turn = math.radians(draw.uniform(*self.turn)) * draw.choice((-1.0, 1.0))
        hang = math.sin(drop) * out - math.cos(drop) * UP
        reach = length + sum(2.0 * solid(moved(body, orientation=yaw(angle))).extent(hang) for body in bobs)
        pivot = (reach + CLEARANCE) * UP
        pieces = [
            post(stand, -0.3 * across[:2], float(pivot[2]) + 0.04, 0.07, angle),
            bar(arm, pivot - 0.26 * across, pivot - 0.5 * WIDTH * across - 0.005 * across, 0.04),
        ]
        hung: list[BodySolid] = []
        joints: list[Joint] = []
        start = pivot
        for number, link in enumerate(links):
            lean = drop + (turn if number % 2 else 0.0)
            end = start + (length / len(links)) * (math.sin(lean) * out - math.cos(lean) * UP)
            hung.append(bar(link, start, end, WIDTH))
            joints.append(self._joint(link.name, start, across, hung[-2].name if number else None))
            start = end
        way = (start - pivot) / np.linalg.norm(start - pivot)
        if bobs:
            bob = _hung(bobs[0], start, way, angle)
            weld = {"name": f"{bob.name}_weld", "parent": hung[-1].name, "child": bob.name, "anchor": snapped(start)}
            joints.append(JointWeld.model_validate(weld))
            hung.append(bob)
        struck = self._struck(targets, -math.copysign(1.0, drop) * out, pivot, reach, draw.uniform(*self.spacing))
        pieces += [*hung, *struck]
        check_free(role, pieces, stage)
        swing = [pivot + reach * (math.sin(a) * out - math.cos(a) * UP) for a in np.linspace(-abs(drop), abs(drop), 7)]
        return stage.extended(
            groups={role: tuple(pieces)},
            joints=joints,
            waypoints=[(point, 0.06) for point in swing] + [(np.asarray(body.position), 0.1) for body in struck[1:]],
            arrivals={body.name: 0.0 for body in hung},
        )

    def _joint(self, child: str, anchor: Vector, across: Vector, parent: str | None) -> JointBall | JointHinge:
        if self.free:
            values = {"name": f"{child}_joint", "parent": parent, "child": child, "anchor": snapped(anchor)}
            return JointBall.model_validate(values)
        return hinge(f"{child}_hinge", child, anchor, across, parent=parent)

    def _struck(
        self, bodies: list[BodySolid], way: Vector, pivot: Vector, reach: float, spacing: float
    ) -> list[BodySolid]:
        """The bodies in the way, one behind the other."""
        if not bodies:
            return []
        row = [self._victim(bodies[0], way, pivot, reach)]
        gap = spacing * 2.0 * solid(row[0]).extent(UP)
        for body in bodies[1:]:
            upright = rested(body, np.asarray(row[-1].position[:2]), orientation=yaw(math.atan2(way[1], way[0])))
            step = solid(row[-1]).extent(way) + gap + solid(upright).extent(-way)
            row.append(moved(upright, position=np.asarray(upright.position) + step * way))
        return row

    def _victim(self, body: BodySolid, way: Vector, pivot: Vector, reach: float) -> BodySolid:
        """A body on the floor that the end of the pendulum strikes behind its lowest point."""
        upright = moved(body, position=np.zeros(3), orientation=yaw(math.atan2(way[1], way[0])))
        depth = solid(upright).extent(-way)
        height = 2.0 * solid(upright).extent(UP)
        low = float(pivot[2]) - reach
        level = max(height - low, 0.0)  # of the body above the lowest point
        along = math.sqrt(max(2.0 * reach * level - level * level, 0.0))  # where the end of the pendulum is as high
        return rested(upright, ((self.meeting * min(along, reach) + depth) * way)[:2])


def _hung(bob: BodySolid, at: Vector, way: Vector, angle: float) -> BodySolid:
    """A weight whose top is at the end of the last link."""
    turned = moved(bob, position=np.zeros(3), orientation=yaw(angle))
    return moved(turned, position=at + solid(turned).extent(-way) * way)
