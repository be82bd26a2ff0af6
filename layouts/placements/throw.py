"""Throw: bodies fly at an upright sheet, across it."""

import math
from dataclasses import dataclass

import numpy as np

from layouts.placements.base import Placement, Range
from layouts.solids import solid
from layouts.stage import EARTH, Stage, is_free, moved
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid
from simfactory.transforms import quat_to_matrix

__all__ = ["Throw"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Throw(Placement):
    """Starts bodies in front of a flat body so that they meet it about its middle.

    Attributes:
        target: Role whose first body is aimed at; its local z is the direction from which bodies come.
        speed: Speed along that direction [m/s], under the Earth's gravity.
        distance: Of the start from the target [m].
        aside: How far from the target's middle each one meets it, in its radii [1].
    """

    target: str
    speed: Range
    distance: Range = (0.5, 0.8)
    aside: Range = (0.0, 0.2)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the bodies on their way.

        Raises:
            SpecError: The start is taken.
        """
        hit = solid(stage.groups[self.target][0])
        axes = quat_to_matrix(stage.groups[self.target][0].orientation)
        ease = min(math.sqrt(stage.weight / EARTH), 1.0)
        placed: list[BodySolid] = []
        arrivals: dict[str, float] = {}
        for body in bodies:
            draw = streams("throw", role, body.name)
            speed, distance = ease * draw.uniform(*self.speed), draw.uniform(*self.distance)
            angle, aside = draw.uniform(0.0, 2.0 * math.pi), draw.uniform(*self.aside) * hit.radius
            goal = hit.center + aside * (math.cos(angle) * axes[:, 0] + math.sin(angle) * axes[:, 1])
            time = distance / speed
            velocity = -speed * axes[:, 2] - 0.5 * stage.gravity * time
            start = goal - velocity * time - 0.5 * stage.gravity * time**2
            thrown = moved(body, position=start, linear_velocity=velocity, orientation=np.array(draw.quat_xyzw()))
            if not is_free(thrown, (*stage.bodies, *placed), gap=0.02):
                raise SpecError(f"no place for body {body.name!r}: its start is taken; use a larger `distance`")
            placed.append(thrown)
            arrivals[body.name] = time
        return stage.extended(groups={role: tuple(placed)}, arrivals=arrivals)
