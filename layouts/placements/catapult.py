"""Catapult: a motor throws what lies on the end of an arm."""

import math
from dataclasses import dataclass

import numpy as np

from layouts.building import UP, block, check_free, hinge
from layouts.placements.base import Placement, Range
from layouts.solids import solid
from layouts.stage import EARTH, REST_GAP, Stage, heading, mass, moved, rested, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid, Drive, Waypoint

__all__ = ["Catapult"]

THICK, WIDE = 0.03, 0.2  # [m] of the arm
STOP = 75.0  # [deg] through which the arm turns


@dataclass(frozen=True, kw_only=True, slots=True)
class Catapult(Placement):
    """Lays a level arm on a stand, hinged at one end; at its other end lies a body. The arm swings up to a stop.

    The bodies of the role are stand (static), arm, and what is thrown; stand and arm are cut to measure.

    Attributes:
        length: Of the arm [m].
        height: Of the hinge above the floor [m].
        start: When the motor starts [s].
        speed: Of the arm's end when the body leaves it [m/s], under the Earth's gravity.
    """

    length: Range = (0.5, 0.7)
    height: Range = (0.12, 0.2)
    start: Range = (0.2, 0.5)
    speed: Range = (2.5, 4.0)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the catapult, loaded.

        Raises:
            SpecError: There are not three bodies, or the place is taken.
        """
        if len(bodies) != 3:
            raise SpecError(f"the catapult of {role!r} has {len(bodies)} bodies; needed are stand, arm and a body")
        draw = streams("catapult", role)
        angle, length, height = draw.uniform(0.0, 2.0 * math.pi), draw.uniform(*self.length), draw.uniform(*self.height)
        begin, speed = round(draw.uniform(*self.start), 3), draw.uniform(*self.speed)
        speed *= min(math.sqrt(stage.weight / EARTH), 1.0)
        out, across = heading(angle), heading(angle + math.pi / 2)
        foot = 0.3 * length * out  # what is thrown flies along -out
        pivot = foot + height * UP
        rest = height - 0.5 * THICK - 0.01
        stand = block(bodies[0], (0.5 * length, 0.12, rest), foot + 0.3 * length * out + 0.5 * rest * UP, yaw(angle))
        stand = moved(stand, position=np.asarray(stand.position) + REST_GAP * UP)
        arm = block(bodies[1], (length, WIDE, THICK), pivot + 0.5 * length * out, yaw(angle))
        turned = moved(bodies[2], position=np.zeros(3), orientation=yaw(angle))
        station = length - max(solid(turned).extent(out), 0.05) - 0.02
        load = rested(turned, (foot + station * out)[:2], floor=height + 0.5 * THICK)
        check_free(role, [stand, arm, load], stage)
        # A constant torque brings load and arm to the speed within a third of the way: work = energy.
        inertia = mass(load) * station**2 + mass(arm) * length**2 / 3.0
        rate = speed / station
        weight = (mass(load) * station + 0.5 * mass(arm) * length) * stage.weight
        strength = 0.5 * inertia * rate**2 / math.radians(STOP / 3.0) + weight
        points = (
            Waypoint(time=begin, position=0.0),
            Waypoint(time=begin + math.radians(STOP) / rate, position=-math.radians(STOP)),
        )
        motor = Drive(waypoints=points, stiffness=0.0, damping=4.0 * strength / rate, strength=strength)
        joint = hinge(
            f"{arm.name}_hinge",
            arm.name,
            pivot,
            across,
            parent=stand.name,
            lower=-math.radians(STOP),
            upper=0.0,
            drive=motor,
        )
        arc = [pivot + length * (math.cos(turn) * out + math.sin(turn) * UP) for turn in (0.0, 0.6, 1.2)]
        flight = [foot - 0.5 * reach * out + rise * UP for reach, rise in ((0.4, 1.0), (1.2, 0.8), (2.0, 0.1))]
        return stage.extended(
            groups={role: (stand, arm, load)},
            joints=[joint],
            waypoints=[(point, 0.08) for point in (*arc, *flight)],
            arrivals={arm.name: 0.0, load.name: 0.0},
        )
