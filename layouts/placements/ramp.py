"""Ramp: a fixed inclined plank, and bodies that begin on it."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from layouts.placements.base import Placement, Range
from layouts.solids import lowest, solid
from layouts.stage import REST_GAP, Stage, heading, moved, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.rng import Stream
from simfactory.spec import BodySolid, Box
from simfactory.transforms import quat_from_axis_angle, quat_multiply, quat_rotate

__all__ = ["Ramp", "Regime"]

Vector = npt.NDArray[np.float64]
Regime = Literal["slide", "stick", "roll"]

X, Y, Z = np.eye(3)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ramp(Placement):
    """Leans a plank on a post and sets a body on it; downhill is a random direction.

    The first two bodies of the role are the plank and the post (static boxes, size along local x, y, z), the
    third one starts on the plank. Plank and rider get the same friction, so that every rule by which a backend combines
    two coefficients gives this one.

    Attributes:
        slope: Angle of the plank [deg].
        regime: "slide": static friction stays below 0.7 tan θ; "stick": sliding friction above 1.3 tan θ, so that a
            body that slides comes to rest; "roll": friction above 0.6 tan θ, so that a ball rolls without slipping.
        stop: "stick" only: how far the rider slides before it rests, in plank lengths [1]; sets its initial speed.
        start: Distance of the rider from the upper end, in plank lengths [1].
        run: How far beyond the plank's foot the rider may go before it leaves the scene [m].
        foot: Where the plank's foot lies, downhill of the origin [m].
    """

    slope: Range
    regime: Regime
    stop: Range = (0.25, 0.5)
    start: Range = (0.15, 0.25)
    run: float = 0.7
    foot: Range = (0.0, 0.2)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with plank, post and rider on it."""
        draw = streams("ramp", role)
        plank, post, rider = bodies
        angle, slope = draw.uniform(0.0, 2.0 * math.pi), math.radians(draw.uniform(*self.slope))
        downhill = heading(angle)
        tilt = quat_multiply(yaw(angle), quat_from_axis_angle(Y, slope))
        plank = moved(plank, orientation=tilt, position=np.zeros(3))
        foot = downhill * draw.uniform(*self.foot)
        reach = solid(plank).reach(downhill)
        plank = moved(plank, position=foot - reach * downhill + np.array([0.0, 0.0, REST_GAP - lowest(plank)]))
        post = _propped(post, plank, slope, angle)
        friction = self._friction(rider, slope)
        rider = self._seated(rider, plank, draw)
        if self.regime == "stick":
            speed = self._stopping_speed(
                draw, friction["dynamic_friction"], slope, length=_edges(plank)[0], stage=stage
            )
            rider = moved(rider, linear_velocity=speed * quat_rotate(tilt, X))
        plank, rider = (
            moved(body, physical=body.physical.model_validate({**dict(body.physical), **friction}))
            for body in (plank, rider)
        )
        return stage.extended(
            groups={f"{role}_plank": (plank,), f"{role}_post": (post,), role: (rider,)},
            waypoints=self._path(rider, plank, foot, downhill),
        )

    def _friction(self, rider: BodySolid, slope: float) -> dict[str, float]:
        static, dynamic = rider.physical.static_friction, rider.physical.dynamic_friction
        steep = math.tan(slope)
        if self.regime == "slide":
            static = min(max(static, 0.06), 0.7 * steep)
            dynamic = max(min(dynamic, 0.95 * static), 0.05)
        else:
            dynamic = min(max(dynamic, (1.3 if self.regime == "stick" else 0.6) * steep), 0.95)
            static = max(static, dynamic)
        return {"static_friction": max(static, dynamic), "dynamic_friction": dynamic}

    def _seated(self, rider: BodySolid, plank: BodySolid, draw: Stream) -> BodySolid:
        """The rider on the upper part of the plank, aligned with it; a rolling one has its axis across."""
        length, _, thickness = _edges(plank)
        tilt = np.asarray(plank.orientation)
        along, normal = quat_rotate(tilt, X), quat_rotate(tilt, Z)
        turned = quat_multiply(tilt, quat_from_axis_angle(X, math.pi / 2)) if self.regime == "roll" else tilt
        free = moved(rider, position=np.zeros(3), orientation=turned)
        back = solid(free).reach(-along)
        station = max(-length / 2 + length * draw.uniform(*self.start), -length / 2 + back + 0.02)
        height = thickness / 2 + REST_GAP + solid(free).reach(-normal)
        position = np.asarray(plank.position) + station * along + height * normal
        return moved(free, position=position)

    def _stopping_speed(self, draw: Stream, friction: float, slope: float, *, length: float, stage: Stage) -> float:
        """The speed [m/s] from which a rider stops after the drawn distance: v² = 2 g (μ cos θ − sin θ) d."""
        braking = stage.weight * (friction * math.cos(slope) - math.sin(slope))
        return math.sqrt(2.0 * braking * draw.uniform(*self.stop) * length)

    def _path(self, rider: BodySolid, plank: BodySolid, foot: Vector, downhill: Vector) -> list[tuple[Vector, float]]:
        radius = solid(rider).radius
        start = np.asarray(rider.position)
        landing = foot + np.array([0.0, 0.0, radius])
        if self.regime == "stick":
            return [(start, radius), (0.4 * start + 0.6 * landing, radius)]
        return [(start, radius), (landing, radius), (landing + self.run * downhill, radius)]


def _edges(box: BodySolid) -> tuple[float, float, float]:
    """Edge lengths of a body whose geometry is a box [m]."""
    if not isinstance(box.geometry, Box):
        raise SpecError(f"body {box.name!r} of a ramp is a {box.geometry.shape}; allowed are boxes: use a box")
    (x, y, z), (fx, fy, fz) = box.geometry.size, box.factors
    return x * fx, y * fy, z * fz


def _propped(post: BodySolid, plank: BodySolid, slope: float, angle: float) -> BodySolid:
    """A post cut to stand on the floor under the plank's upper end."""
    length, _, thickness = _edges(plank)
    depth, width, _ = _edges(post)
    tilt = np.asarray(plank.orientation)
    # Underside of the plank above the post's downhill edge, which is the lowest point over the post.
    station = -0.42 * length
    under = np.asarray(plank.position) + quat_rotate(tilt, X * station - Z * thickness / 2)
    ceiling = float(under[2]) - math.tan(slope) * depth / 2
    height = ceiling - 2.0 * REST_GAP
    shape = Box(size=(depth, width, height))
    position = np.array([under[0], under[1], REST_GAP + height / 2])
    return moved(post, geometry=shape, scale=1.0, aspect=(1.0, 1.0, 1.0), position=position, orientation=yaw(angle))
