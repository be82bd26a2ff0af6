"""Scatter: bodies lie here and there on the floor."""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from layouts.placements.base import Placement, Range, first_free, initial
from layouts.stage import Stage, heading, moved, rested, yaw
from layouts.streams import Streams
from simfactory.rng import Stream
from simfactory.spec import BodySolid, Sphere

__all__ = ["Scatter"]

Vector = npt.NDArray[np.float64]

FAR = 2.0  # [m]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scatter(Placement):
    """Rests bodies upright on the floor, in a disc around the origin.

    Attributes:
        spread: Radius of the disc [m]; 0 puts a single body at the origin.
        gap: Distance between bodies [m].
        speed: Initial speed along the floor [m/s], cut so that the body stays near; the path is centred on the disc.
        spin: Initial rate about the vertical [rad/s], turning either way.
    """

    spread: float = 0.0
    gap: float = 0.03
    speed: Range = (0.0, 0.0)
    spin: Range = (0.0, 0.0)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the bodies resting on the floor."""
        placed: list[BodySolid] = []
        for body in bodies:
            draw = streams("scatter", role, body.name)
            way = heading(draw.uniform(0.0, 2.0 * math.pi))
            speed = initial(draw, "speed", self.speed)
            if not draw.asks("speed"):
                speed = min(speed, _fastest(body, stage.weight))
            spin = initial(draw, "spin", self.spin) * draw.choice((-1.0, 1.0))
            start = -0.5 * way * _run(body, speed, stage.weight)
            candidate = partial(self._candidate, body, start, draw)
            free = first_free(body.name, candidate, (*stage.bodies, *placed), gap=self.gap)
            if free.mobility == "dynamic":
                free = moved(free, linear_velocity=speed * way, angular_velocity=np.array([0.0, 0.0, spin]))
            placed.append(free)
        return stage.extended(groups={role: tuple(placed)})

    def _candidate(self, body: BodySolid, start: Vector, draw: Stream) -> BodySolid:
        radius, bearing = self.spread * math.sqrt(draw.uniform()), draw.uniform(0.0, 2.0 * math.pi)
        turn = yaw(draw.uniform(0.0, 2.0 * math.pi))
        return rested(body, (start + radius * heading(bearing))[:2], orientation=turn)


def _fastest(body: BodySolid, weight: float) -> float:
    """The speed [m/s] at which a body stops within `FAR`, on a floor like itself, or at which it needs 2 s for it."""
    return max(math.sqrt(2.0 * body.physical.dynamic_friction * weight * FAR), 0.5 * FAR)


def _run(body: BodySolid, speed: float, weight: float) -> float:
    """How far a body slides or rolls before it stops [m], on a floor like itself, at most `FAR`."""
    if isinstance(body.geometry, Sphere):
        return FAR if speed > 0.0 else 0.0
    return min(speed * speed / (2.0 * body.physical.dynamic_friction * weight), FAR)
