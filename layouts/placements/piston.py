"""Piston: a motor turns a crank, a rod moves a slider to and fro, which pushes what lies before it."""

import math
from dataclasses import dataclass

import numpy as np

from layouts.building import UP, bar, block, check_free, hinge, post
from layouts.placements.base import Placement, Range
from layouts.solids import solid
from layouts.stage import Stage, heading, moved, rested, snapped, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid, Drive, Joint, JointSlider, Waypoint

__all__ = ["Piston"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Piston(Placement):
    """Builds a crank drive on the floor: a closed loop of three hinges and a slider.

    The first four bodies of the role are post (static), crank, rod and slider, cut to measure; others lie before the
    slider, one behind the other.

    Attributes:
        crank: Length of the crank [m].
        rod: Length of the rod, over that of the crank [1].
        rate: Of the motor [rad/s].
    """

    crank: Range = (0.1, 0.15)
    rod: Range = (2.5, 3.5)
    rate: Range = (3.0, 6.0)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the piston.

        Raises:
            SpecError: There are fewer than four bodies, or the place is taken.
        """
        if len(bodies) < 4:
            raise SpecError(
                f"the piston of {role!r} has {len(bodies)} bodies; allowed are post, crank, rod, slider and more"
            )
        stand, crank, rod, slider, *others = bodies
        draw = streams("piston", role)
        angle, radius = draw.uniform(0.0, 2.0 * math.pi), draw.uniform(*self.crank)
        length, rate = radius * draw.uniform(*self.rod), draw.uniform(*self.rate)
        out, across = heading(angle), heading(angle + math.pi / 2)
        level = radius + 0.08
        tall = level + 0.055  # of the slider: it reaches down to the floor, nearly
        shaft = -(length + 0.2) * out + level * UP
        pin, end = shaft - radius * out, shaft + (length - radius) * out
        side = 0.03 * across
        parts = [
            post(stand, (shaft + 0.09 * across)[:2], level + 0.03, 0.06, angle),
            bar(crank, shaft, pin, 0.025),
            bar(rod, pin - side, end - side, 0.025),
            block(slider, (0.12, 0.16, tall), end + 0.055 * out + (0.07 - 0.5 * tall) * UP, yaw(angle)),
        ]
        points = (Waypoint(time=0.0, position=0.0), Waypoint(time=60.0, position=60.0 * rate))
        weight = sum(part.physical.density for part in parts[1:]) * 0.16 * tall * 0.12 * stage.weight
        motor = Drive(
            waypoints=points, stiffness=0.0, damping=3.0 * weight * radius / rate, strength=3.0 * weight * radius
        )
        rail = {"name": f"{slider.name}_rail", "child": slider.name, "anchor": snapped(end), "axis": snapped(out)}
        joints: list[Joint] = [
            hinge(f"{crank.name}_shaft", crank.name, shaft, across, drive=motor),
            hinge(f"{rod.name}_pin", rod.name, pin, across, parent=crank.name),
            JointSlider.model_validate(rail),
            hinge(f"{rod.name}_end", rod.name, end, across, parent=slider.name),
        ]
        station = float((end + 0.115 * out) @ out) + 2.0 * radius * draw.uniform(0.2, 0.5)
        pushed: list[BodySolid] = []
        for body in others:
            turned = moved(body, position=np.zeros(3), orientation=yaw(angle))
            depth = 2.0 * solid(turned).extent(out)
            pushed.append(rested(turned, ((station + 0.5 * depth) * out)[:2]))
            station += depth + 0.03
        check_free(role, [*parts, *pushed], stage)
        reach = [
            shaft - radius * out,
            shaft + radius * UP,
            end + 2.2 * radius * out,
            max(station, 0.1) * out + 0.1 * UP,
        ]
        return stage.extended(
            groups={role: (*parts, *pushed)},
            joints=joints,
            waypoints=[(np.asarray(point), 0.08) for point in reach],
            arrivals={part.name: 0.0 for part in parts[1:]},
        )
