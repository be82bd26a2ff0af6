"""Bodies cut to measure: bars and blocks of which stands and mechanisms are built."""

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from layouts.stage import REST_GAP, Stage, heading, is_free, moved, snapped, yaw
from simfactory.errors import SpecError
from simfactory.spec import BodySolid, Box, JointHinge
from simfactory.transforms import quat_from_axis_angle, quat_multiply

__all__ = ["UP", "bar", "block", "check_free", "hinge", "pitched", "post", "ring"]

Vector = npt.NDArray[np.float64]

UP = np.array([0.0, 0.0, 1.0])


def pitched(angle: float, pitch: float) -> Vector:
    """Return the rotation `(4,)` xyzw that turns x to a bearing [rad] and then up by a pitch [rad]."""
    return quat_multiply(yaw(angle), quat_from_axis_angle((0.0, 1.0, 0.0), -pitch))


def block(body: BodySolid, size: tuple[float, float, float], center: Vector, orientation: Vector) -> BodySolid:
    """Return a body as a box of given extents along its local axes [m] at a place."""
    return moved(
        body,
        geometry=Box(size=size),
        scale=1.0,
        aspect=(1.0, 1.0, 1.0),
        position=center,
        orientation=orientation,
    )


def bar(body: BodySolid, start: Vector, end: Vector, width: float, *, height: float | None = None) -> BodySolid:
    """Return a body as a bar from one point to another [m], `width` level across and `height` thick."""
    way = end - start
    length, level = float(np.linalg.norm(way)), math.hypot(way[0], way[1])
    angle = math.atan2(way[1], way[0]) if level > 1e-9 else 0.0
    turn = pitched(angle, math.atan2(float(way[2]), level))
    return block(body, (length, width, width if height is None else height), 0.5 * (start + end), turn)


def post(body: BodySolid, at: Vector, height: float, width: float, angle: float) -> BodySolid:
    """Return a body as a square post that stands on the floor at `(2,)` [m], turned by an angle [rad]."""
    center = np.array([at[0], at[1], 0.5 * height + REST_GAP])
    return block(body, (width, width, height), center, yaw(angle))


def hinge(name: str, child: str, anchor: Vector, axis: Vector, **options: object) -> JointHinge:
    """Return a hinge; `options` are its other fields."""
    return JointHinge.model_validate(
        {"name": name, "child": child, "anchor": snapped(anchor), "axis": snapped(axis), **options}
    )


def ring(center: Vector, radius: float, angle: float, *, about: Vector = UP) -> list[Vector]:
    """Return eight points of a circle [m] about an axis: level, or upright and seen along a bearing [rad]."""
    one = heading(angle)
    other = np.cross(about, one) if abs(float(about @ UP)) > 0.5 else UP
    return [
        center + radius * (math.cos(turn) * one + math.sin(turn) * other)
        for turn in np.linspace(0.0, 2.0 * math.pi, 8, endpoint=False).tolist()
    ]


def check_free(role: str, bodies: Iterable[BodySolid], stage: Stage) -> None:
    """Check that bodies keep clear of what is in place.

    Raises:
        SpecError: One of them does not.
    """
    for body in bodies:
        if not is_free(body, stage.bodies, gap=0.02):
            raise SpecError(f"no place for body {body.name!r}: something is where the mechanism of {role!r} stands")
