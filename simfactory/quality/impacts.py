"""Blows between frames: how fast bodies met and left each other, and what their materials say."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
import numpy.typing as npt

from simfactory.collision import may_split
from simfactory.meshes import body_mesh
from simfactory.quality.rigid import FREE, RigidMotions
from simfactory.separation import separation
from simfactory.transforms import quat_from_axis_angle, quat_rotate

__all__ = ["Impact", "ball_impacts", "ground_impacts"]

SPEED = 0.5  # [m/s] of approach at least
WEAK = 0.3  # [1] restitution that rebounds are at least planned for
THROUGH = 0.2  # of the speed of approach: what goes on as fast was not struck
TOUCH = 1e-3  # [m]
SINKS = 5e-3  # [m] into the ground: what goes deeper was not struck
HALVINGS = 12

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Impact:
    """A blow between a frame and the next one.

    Attributes:
        body: Index of the body.
        frame: The frame before.
        speed: Of approach [m/s].
        error: Difference between the coefficient of restitution that was seen and the declared one [1].
    """

    body: int
    frame: int
    speed: float
    error: float


def ground_impacts(scene: RigidMotions) -> list[Impact]:
    """Measure rebounds from the level ground, between flights; of other bodies than balls at the lowest corner."""
    found: list[Impact] = []
    if scene.spec.ground is None:
        return found
    gravity = scene.gravity
    floor = scene.spec.ground.physical.restitution
    for index in scene.dynamic:
        declared = 0.5 * (scene.body(index).physical.restitution + floor)
        least = max(SPEED, scene.step * float(np.linalg.norm(gravity)) / max(declared, WEAK))
        height = scene.bounds[:, index, 0, 2]
        reach = scene.step * np.linalg.norm(scene.velocity[:-1, index], axis=-1) + FREE
        steps = scene.alone(index) & (height[:-1] > TOUCH) & (height[:-1] < 2.0 * reach)
        steps &= height[1:] > -SINKS
        change = np.linalg.norm(np.diff(scene.velocity[:, index], axis=0) - gravity * scene.step, axis=-1)
        steps[1:] &= change[:-1] < WEAK * float(np.linalg.norm(gravity)) * scene.step  # it flew before
        for step in np.flatnonzero(steps):
            until = _bisected(partial(_height, scene, index, int(step)), scene.step)
            if until is None:
                continue
            arm = _lowest(scene, index, int(step), until)[1]
            before, after = (_speed_at(scene, index, row, arm) for row in (int(step), int(step) + 1))
            approach = -float(before[2] + gravity[2] * until)
            separation = float(after[2])
            if height[step + 1] > TOUCH:
                separation -= float(gravity[2]) * (scene.step - until)
            if approach > least:
                error = abs(max(separation, 0.0) / approach - declared)
                found.append(Impact(body=index, frame=int(step), speed=approach, error=error))
    return found


def ball_impacts(scene: RigidMotions) -> list[Impact]:
    """Measure how balls leave each other and what stands still, where nothing else but the ground is near.

    What stands on the ground and is no ball would tip over, which the ground does not let it: that is no clean blow.
    """
    found: list[Impact] = []
    speed = np.linalg.norm(scene.velocity, axis=-1)
    for ball, other in combinations(range(len(scene.spec.bodies)), 2):
        if not scene.ball_radius(ball):
            ball, other = other, ball
        pair = [scene.body(index) for index in (ball, other)]
        clean = scene.ball_radius(other) or (other not in scene.dynamic and not may_split(pair[1].geometry))
        if not scene.ball_radius(ball) or not clean or not {ball, other} & set(scene.dynamic):
            continue
        declared = 0.5 * sum(body.physical.restitution for body in pair)
        gap = np.maximum(
            scene.bounds[:, ball, 0] - scene.bounds[:, other, 1], scene.bounds[:, other, 0] - scene.bounds[:, ball, 1]
        ).max(axis=-1)
        near = gap[:-1] < 2.0 * (speed[:-1, ball] + speed[:-1, other]) * scene.step
        for step in np.flatnonzero(near & scene.alone(ball, other) & scene.alone(other, ball)):
            at = int(step)
            until = _bisected(partial(_opening, scene, ball, other, at), scene.step)
            if until is None:
                continue
            normal = _gap(scene, ball, other, at, until)[1]
            point = scene.position[at, ball] + until * scene.velocity[at, ball] - scene.radius[ball] * normal
            closing = [
                float(normal @ (_speed_of(scene, ball, row, point) - _speed_of(scene, other, row, point)))
                for row in (at, at + 1)
            ]
            if -closing[0] > SPEED and closing[1] > THROUGH * closing[0]:
                error = abs(closing[1] / -closing[0] - declared)
                found.append(Impact(body=ball, frame=at, speed=-closing[0], error=error))
    return found


def _bisected(gap: Callable[[float], float], step: float) -> float | None:
    """Return when within a step [s] a gap [m] closes; None = it is closed before, or open after it."""
    low, high = 0.0, step
    if gap(low) <= 0.0 or gap(high) > 0.0:
        return None
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if gap(middle) > 0.0 else (low, middle)
    return high


def _corners(scene: RigidMotions, index: int, frame: int, time: float) -> tuple[Float64, Float64]:
    """Return a body's centre `(3,)` and corners from it `(vertex, 3)` [m], some time [s] after a frame.

    It goes on as it does at the frame, without forces.
    """
    mesh = body_mesh(scene.body(index))
    center = mesh.centroid()
    quat = scene.trajectory.quat_xyzw[frame, index].astype(np.float64)
    rate = scene.trajectory.angular_velocity[frame, index].astype(np.float64)
    turn = quat_from_axis_angle(rate, float(np.linalg.norm(rate)) * time)
    place = scene.position[frame, index] + quat_rotate(quat, center) + scene.velocity[frame, index] * time
    return place, quat_rotate(turn, quat_rotate(quat, mesh.vertices - center))


def _height(scene: RigidMotions, index: int, frame: int, time: float) -> float:
    """Return the height [m] of a falling body's lowest corner."""
    return _lowest(scene, index, frame, time)[0]


def _opening(scene: RigidMotions, ball: int, other: int, frame: int, time: float) -> float:
    """Return the gap [m] between a ball and a body."""
    return _gap(scene, ball, other, frame, time)[0]


def _lowest(scene: RigidMotions, index: int, frame: int, time: float) -> tuple[float, Float64]:
    """Return the height [m] of a falling body's lowest corners and their mean `(3,)` from its centre [m]."""
    place, arms = _corners(scene, index, frame, time)
    radius = scene.ball_radius(index)
    if radius:
        arms = np.array([[0.0, 0.0, -radius]])
    low = float(arms[:, 2].min())
    fallen = place[2] + 0.5 * scene.gravity[2] * time**2
    return float(fallen) + low, np.asarray(arms[arms[:, 2] < low + TOUCH].mean(axis=0))


def _gap(scene: RigidMotions, ball: int, other: int, frame: int, time: float) -> tuple[float, Float64]:
    """Return the gap [m] between a ball and a body, and the normal `(3,)` from that to the ball."""
    center, _ = _corners(scene, ball, frame, time)
    place, arms = _corners(scene, other, frame, time)
    reach = scene.radius[ball] + scene.ball_radius(other)
    if scene.ball_radius(other):
        arms = np.zeros((1, 3))

    def support(direction: Float64) -> Float64:
        return np.asarray(center - place - arms[(arms @ direction).argmin()])

    nearest = separation(support, center - place).nearest
    length = float(np.linalg.norm(nearest))
    return length - float(reach), nearest / max(length, 1e-12)


def _speed_at(scene: RigidMotions, index: int, frame: int, arm: Float64) -> Float64:
    """Return the velocity `(3,)` [m/s] of a point at an arm [m] from a body's centre."""
    rate = scene.trajectory.angular_velocity[frame, index].astype(np.float64)
    return np.asarray(scene.velocity[frame, index] + np.cross(rate, arm))


def _speed_of(scene: RigidMotions, index: int, frame: int, point: Float64) -> Float64:
    """Return the velocity `(3,)` [m/s] that a body has at a point [m]."""
    return _speed_at(scene, index, frame, point - scene.center(index)[frame])
