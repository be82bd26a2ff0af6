"""Fan: a fan on a stand faces what is in place."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from layouts.placements.base import TRIES, Placement, Range
from layouts.solids import solid
from layouts.stage import REST_GAP, Stage, heading, is_free, moved, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.rng import Stream
from simfactory.spec import BodySolid, Box, Cylinder
from simfactory.transforms import quat_from_axis_angle, quat_multiply, quat_rotate

__all__ = ["Fan"]

UP = np.array([0.0, 0.0, 1.0])
FOOT = 0.03  # [m] least height of a fan above the floor
REACHES = (0.25, 0.5, 0.75, 1.0)  # [1] of the way that bodies are blown, where the picture should reach

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fan(Placement):
    """Stands a fan (a cylinder, local z along the air) beside a role's bodies, level with their middle.

    The first body of the role is the stand (static, cut to measure), the second the fan. The air itself is a jet of
    the scene; see `scenes.flows`.

    Attributes:
        target: Role whose bodies it faces.
        distance: Free distance from the nearest of them [m].
        thickness: Of the fan, over its radius [1].
        level: Height of its axis over that of the middle of the target [1].
        carry: How far bodies are expected to be blown [m].
        faced: Whether it blows along local z of the first target, as at the face of a hanging sheet.
    """

    target: str
    distance: Range = (0.25, 0.45)
    thickness: Range = (0.35, 0.5)
    level: Range = (1.0, 1.0)
    carry: float = 0.6
    faced: bool = False

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with stand and fan.

        Raises:
            SpecError: There are not two bodies of which the second is a cylinder, or every place is taken.
        """
        if len(bodies) != 2 or not isinstance(bodies[1].geometry, Cylinder):
            raise SpecError(f"a fan for {role!r} has {len(bodies)} bodies; needed are a stand and a cylinder")
        aimed = [solid(body) for body in stage.groups[self.target]]
        middle = np.mean([hull.center for hull in aimed], axis=0)
        for attempt in range(TRIES):
            draw = streams("fan", role, attempt) if attempt else streams("fan", role)
            way = self._way(stage, draw)
            front = -min(-hull.reach(-way) for hull in aimed) + float(middle @ way)  # of the nearest body
            stand, fan = self._built(bodies, middle, front + draw.uniform(*self.distance), way, draw)
            if is_free(fan, stage.bodies, gap=0.02) and is_free(stand, stage.bodies, gap=0.02):
                break
        else:
            raise SpecError(f"no place for fan {role!r} before {self.target!r} in {TRIES} tries: use a larger distance")
        radius = max(hull.radius for hull in aimed)
        waypoints = [(middle + share * self.carry * way, 0.6 * radius) for share in REACHES]
        return stage.extended(groups={f"{role}_stand": (stand,), role: (fan,)}, waypoints=waypoints)

    def _way(self, stage: Stage, draw: Stream) -> Vector:
        angle = draw.uniform(0.0, 2.0 * math.pi)
        if not self.faced:
            return heading(angle)
        face = quat_rotate(np.asarray(stage.groups[self.target][0].orientation), UP)
        return heading(math.atan2(face[1], face[0]) + (math.pi if angle > math.pi else 0.0))

    def _built(
        self, bodies: tuple[BodySolid, ...], middle: Vector, apart: float, way: Vector, draw: Stream
    ) -> tuple[BodySolid, BodySolid]:
        """Return stand and fan, whose front is `apart` [m] behind the middle of the target."""
        stand, fan = bodies
        assert isinstance(fan.geometry, Cylinder)
        radius = fan.geometry.radius * fan.factors[0]
        thick = draw.uniform(*self.thickness) * radius
        height = max(middle[2] * draw.uniform(*self.level), radius + FOOT)
        angle = math.atan2(way[1], way[0])
        center = middle * np.array([1.0, 1.0, 0.0]) + height * UP - (apart + 0.5 * thick) * way
        plain = {"scale": 1.0, "aspect": (1.0, 1.0, 1.0)}
        fan = moved(
            fan,
            geometry=Cylinder(radius=radius, height=thick),
            position=center,
            orientation=quat_multiply(yaw(angle), quat_from_axis_angle((0.0, 1.0, 0.0), math.pi / 2)),
            **plain,
        )
        foot = height - radius - 2.0 * REST_GAP
        stand = moved(
            stand,
            geometry=Box(size=(0.7 * thick, 0.5 * radius, foot)),
            position=np.array([center[0], center[1], REST_GAP + 0.5 * foot]),
            orientation=yaw(angle),
            **plain,
        )
        return stand, fan
