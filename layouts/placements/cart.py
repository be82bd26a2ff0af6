"""Cart: a chassis on four wheels."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from layouts.building import UP, block, check_free, hinge
from layouts.placements.base import Placement, Range
from layouts.stage import REST_GAP, Stage, heading, moved, rested, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid, Cylinder, Drive, Waypoint
from simfactory.transforms import quat_from_axis_angle, quat_multiply

__all__ = ["Cart"]

Vector = npt.NDArray[np.float64]

WHEEL = 0.035  # [m] breadth of a wheel


@dataclass(frozen=True, kw_only=True, slots=True)
class Cart(Placement):
    """Stands a cart on the floor, rolling or driven by its rear wheels.

    The bodies of the role are the chassis, four wheels, and loads that lie on the chassis; chassis and wheels are cut
    to measure.

    Attributes:
        speed: At which it rolls at the start [m/s].
        drive: Rate to which a motor brings the rear wheels [rad/s]; 0 = no motor.
        length: Of the chassis [m].
        back: How far behind the middle of the scene it starts [m].
    """

    speed: Range = (0.0, 0.0)
    drive: Range = (0.0, 0.0)
    length: Range = (0.4, 0.6)
    back: Range = (0.5, 0.8)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the cart.

        Raises:
            SpecError: There are fewer than five bodies, or the place is taken.
        """
        if len(bodies) < 5:
            raise SpecError(f"the cart of {role!r} has {len(bodies)} bodies; allowed are a chassis, four wheels, loads")
        chassis, wheels, loads = bodies[0], bodies[1:5], bodies[5:]
        draw = streams("cart", role)
        angle, length, speed = draw.uniform(0.0, 2.0 * math.pi), draw.uniform(*self.length), draw.uniform(*self.speed)
        rate, radius, width = draw.uniform(*self.drive), 0.07, 0.26
        out, across = heading(angle), heading(angle + math.pi / 2)
        origin = -draw.uniform(*self.back) * out
        rolling = {"linear_velocity": speed * out}
        floor = origin + (REST_GAP + radius) * UP
        body = moved(block(chassis, (length, width, 0.05), floor + 0.03 * UP, yaw(angle)), **rolling)
        axle = quat_multiply(yaw(angle), quat_from_axis_angle((1.0, 0.0, 0.0), -math.pi / 2))  # local z across
        turning, joints = [], []
        for wheel, (front, side) in zip(wheels, product((-1.0, 1.0), (-1.0, 1.0)), strict=True):
            at = floor + front * 0.36 * length * out + side * (0.5 * width + 0.5 * WHEEL + 0.005) * across
            shape = Cylinder(radius=radius, height=WHEEL)
            placed = moved(wheel, geometry=shape, scale=1.0, aspect=(1.0, 1.0, 1.0), position=at, orientation=axle)
            turning.append(moved(placed, angular_velocity=speed / radius * across, **rolling))
            options: dict[str, object] = {"parent": body.name}
            if rate > 0.0 and front < 0.0:
                options["drive"] = _motor(rate, strength=0.4 * _weight(body, wheel, stage, length, width) * radius)
            joints.append(hinge(f"{wheel.name}_axle", wheel.name, at, across, **options))
        top = float(body.position[2]) + 0.025
        laid = [self._laid(load, origin, top, angle, rolling) for load in loads]
        check_free(role, [body, *turning, *laid], stage)
        way = 1.4 if rate > 0.0 or speed > 0.0 else 0.3
        return stage.extended(
            groups={role: (body, *turning, *laid)},
            joints=joints,
            waypoints=[(floor + step * way * out + 0.1 * UP, 0.2) for step in (0.0, 0.5, 1.0)],
            arrivals={part.name: 0.0 for part in (body, *turning, *laid)},
        )

    def _laid(
        self, load: BodySolid, origin: Vector, top: float, angle: float, rolling: Mapping[str, Vector]
    ) -> BodySolid:
        """A load in the middle of the chassis, moving with it."""
        return moved(rested(load, origin[:2], orientation=yaw(angle), floor=top), **rolling)


def _motor(rate: float, *, strength: float) -> Drive:
    points = (Waypoint(time=0.0, position=0.0), Waypoint(time=60.0, position=60.0 * rate))
    return Drive(waypoints=points, stiffness=0.0, damping=max(strength, 1e-3), strength=max(strength, 1e-3))


def _weight(chassis: BodySolid, wheel: BodySolid, stage: Stage, length: float, width: float) -> float:
    """A quarter of the weight of the cart [N]: what one wheel carries."""
    mass = chassis.physical.density * length * width * 0.05
    mass += 4.0 * wheel.physical.density * math.pi * 0.07**2 * WHEEL
    return 0.25 * mass * stage.weight
