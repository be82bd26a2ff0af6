"""Turntable: bodies stand on a round plate that begins to turn."""

import math
from dataclasses import dataclass

import numpy as np

from layouts.building import UP, check_free, ring
from layouts.placements.base import TRIES, Placement, Range
from layouts.solids import solid
from layouts.stage import REST_GAP, Stage, heading, is_free, moved, rested, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.spec import BodySolid, Cylinder, MotionRotation

__all__ = ["Turntable"]

THICK = 0.06  # [m] of the plate


@dataclass(frozen=True, kw_only=True, slots=True)
class Turntable(Placement):
    """Lays a round plate on the floor that turns at a constant rate, and stands bodies on it off its middle.

    The first body of the role is the plate (kinematic, cut to measure), the others stand on it. Friction carries a body
    along while ω² r < μ g; at the usual rates it slides outwards and off.

    Attributes:
        radius: Of the plate [m].
        rate: At which it turns [rad/s], either way.
        start: When it begins to turn [s].
        out: How far from the axis bodies stand, in plate radii [1].
    """

    radius: Range = (0.45, 0.6)
    rate: Range = (6.0, 9.0)
    start: Range = (0.1, 0.3)
    out: Range = (0.45, 0.75)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the plate and what stands on it.

        Raises:
            SpecError: Nothing stands on the plate, or there is no place for it.
        """
        if len(bodies) < 2:
            raise SpecError(
                f"the turntable of {role!r} has {len(bodies)} bodies: give it a plate and what stands on it"
            )
        draw = streams("turntable", role)
        radius, rate = draw.uniform(*self.radius), draw.uniform(*self.rate) * draw.choice((-1.0, 1.0))
        plate = moved(
            bodies[0],
            geometry=Cylinder(radius=radius, height=THICK),
            scale=1.0,
            aspect=(1.0, 1.0, 1.0),
            position=(0.5 * THICK + REST_GAP) * UP,
        )
        standing: list[BodySolid] = []
        for body in bodies[1:]:
            standing.append(self._standing(body, radius, tuple(standing), streams))
        check_free(role, [plate, *standing], stage)
        motion = {
            "body": plate.name,
            "start": round(draw.uniform(*self.start), 3),
            "angular_velocity": (0.0, 0.0, rate),
        }
        return stage.extended(
            groups={f"{role}_plate": (plate,), role: tuple(standing)},
            motions=[MotionRotation.model_validate(motion)],
            waypoints=[(point, 0.12) for point in ring(0.15 * UP, radius + 0.5, 0.0)],
        )

    def _standing(self, body: BodySolid, radius: float, others: tuple[BodySolid, ...], streams: Streams) -> BodySolid:
        """A body on the plate, wholly above it and free of the others."""
        for attempt in range(TRIES):
            draw = streams("turntable", "on", body.name, attempt)
            turned = rested(body, np.zeros(2), orientation=yaw(draw.uniform(0.0, 2.0 * math.pi)))
            away = min(draw.uniform(*self.out) * radius, radius - solid(turned).radius)
            at = away * heading(draw.uniform(0.0, 2.0 * math.pi))
            placed = rested(turned, at[:2], floor=THICK + REST_GAP)
            if is_free(placed, others, gap=0.02):
                return placed
        raise SpecError(
            f"no place for body {body.name!r} on the turntable in {TRIES} tries: use fewer or smaller bodies"
        )
