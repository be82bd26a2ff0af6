"""Rotor: a bar that a motor turns about an upright axis, close above the floor."""

import math
from dataclasses import dataclass

import numpy as np

from layouts.building import UP, bar, check_free, hinge, post, ring
from layouts.placements.base import TRIES, Placement, Range
from layouts.solids import solid
from layouts.stage import Stage, heading, is_free, mass, rested, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid, Drive, Waypoint

__all__ = ["Rotor"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotor(Placement):
    """Stands a post with a bar across on the floor; a motor turns the bar, which sweeps away what stands around.

    The first two bodies of the role are post (static) and bar, cut to measure; the others stand in its way.

    Attributes:
        length: Of the bar [m].
        rate: That the motor reaches [rad/s].
        strength: Of the motor, over what drags all that stands around along the circle of the bar's ends [1].
    """

    length: Range = (0.9, 1.2)
    rate: Range = (2.0, 4.0)
    strength: Range = (1.5, 4.0)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the rotor.

        Raises:
            SpecError: There is no bar, or no place for what stands around it.
        """
        stand, blade, *others = bodies
        draw = streams("rotor", role)
        angle, length = draw.uniform(0.0, 2.0 * math.pi), draw.uniform(*self.length)
        rate, strong = draw.uniform(*self.rate) * draw.choice((-1.0, 1.0)), draw.uniform(*self.strength)
        level, out = 0.07, heading(angle)
        foot = post(stand, np.zeros(2), level - 0.05, 0.1, angle)
        turning = bar(blade, level * UP - 0.5 * length * out, level * UP + 0.5 * length * out, 0.06, height=0.08)
        weight = (sum(mass(body) for body in others) + mass(turning)) * stage.weight
        strength = strong * weight * 0.5 * length
        points = (Waypoint(time=0.0, position=0.0), Waypoint(time=60.0, position=60.0 * rate))
        motor = Drive(waypoints=points, stiffness=0.0, damping=4.0 * strength / abs(rate), strength=strength)
        joint = hinge(f"{blade.name}_shaft", blade.name, level * UP, UP, drive=motor)
        standing: list[BodySolid] = []
        for body in others:
            standing.append(self._around(body, (foot, turning, *standing, *stage.bodies), length, streams))
        check_free(role, [foot, turning, *standing], stage)
        return stage.extended(
            groups={role: (foot, turning, *standing)},
            joints=[joint],
            waypoints=[(point, 0.08) for point in ring(level * UP, 0.5 * length + 0.15, angle)],
            arrivals={blade.name: 0.0},
        )

    def _around(self, body: BodySolid, others: tuple[BodySolid, ...], length: float, streams: Streams) -> BodySolid:
        """A body on the floor within the circle of the bar's ends."""
        for attempt in range(TRIES):
            draw = streams("rotor", "around", body.name, attempt)
            turned = rested(body, np.zeros(2), orientation=yaw(draw.uniform(0.0, 2.0 * math.pi)))
            distance = draw.uniform(0.25 * length, 0.5 * length + 0.3 * solid(turned).radius)
            placed = rested(turned, (distance * heading(draw.uniform(0.0, 2.0 * math.pi)))[:2])
            if is_free(placed, others, gap=0.02):
                return placed
        raise SpecError(
            f"no place for body {body.name!r} around the rotor in {TRIES} tries: use fewer or smaller bodies"
        )
