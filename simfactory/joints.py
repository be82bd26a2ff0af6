"""Joints read from the poses of the bodies that they hold: position, rate, and how well they hold."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from simfactory.spec import Drive, Joint, JointBall, JointHinge, JointSlider, RobotArm, SceneSpec, Waypoint
from simfactory.transforms import quat_between, quat_multiply, quat_rotate

__all__ = ["JointStates", "Way", "drive_of", "joint_states", "overlapping"]

Array = npt.NDArray[np.float64]
Way = tuple[Waypoint, Waypoint]  # where a drive wants its joint to be at the beginning and the end of a frame


@dataclass(frozen=True, kw_only=True, slots=True)
class JointStates:
    """All joints of a scene at several times.

    Attributes:
        position: `(time, joint)` of hinges [rad] and sliders [m], 0 at the first time, hinges counted over whole
            turns; NaN for other kinds.
        rate: `(time, joint)` [rad/s or m/s]; NaN as above.
        gap: `(time, joint)` distance of what must lie together [m].
        tilt: `(time, joint)` angle between what must be parallel [rad]; 0 for ball joints.
    """

    position: Array
    rate: Array
    gap: Array
    tilt: Array


@dataclass(frozen=True, kw_only=True, slots=True)
class _Frames:
    """One side of a joint: `point` and `velocity` of the anchor `(time, 3)`, `quat` of its frame, `angular`."""

    point: Array
    velocity: Array
    quat: Array
    angular: Array


def drive_of(joint: Joint) -> Drive | None:
    """Return what drives a joint, or None."""
    return joint.drive if isinstance(joint, JointHinge | JointSlider) else None


def overlapping(joints: Iterable[Joint], robot: RobotArm | None = None) -> frozenset[frozenset[str]]:
    """Return the pairs of names of bodies that may pass through each other: what is joined, and parts of one robot."""
    pairs = {frozenset((joint.parent, joint.child)) for joint in joints if joint.parent is not None}
    if robot is not None:
        pairs |= {frozenset(pair) for pair in combinations(robot.bodies, 2)}
    return frozenset(pairs)


def joint_states(
    spec: SceneSpec,
    *,
    position: npt.ArrayLike,
    quat_xyzw: npt.ArrayLike,
    linear_velocity: npt.ArrayLike,
    angular_velocity: npt.ArrayLike,
) -> JointStates:
    """Return the states of all joints.

    Args:
        spec: The scene.
        position: `(time, body, 3)` of the bodies' origins, world frame [m].
        quat_xyzw: `(time, body, 4)`.
        linear_velocity: `(time, body, 3)` of the bodies' centres of mass [m/s]. Rates of sliders take them for those
            of the origins, which they are for homogeneous symmetric shapes.
        angular_velocity: `(time, body, 3)` [rad/s].
    """
    poses = np.asarray(position, np.float64), np.asarray(quat_xyzw, np.float64)
    rates = np.asarray(linear_velocity, np.float64), np.asarray(angular_velocity, np.float64)
    shape = len(poses[0]), len(spec.joints)
    states = JointStates(
        position=np.full(shape, np.nan), rate=np.full(shape, np.nan), gap=np.zeros(shape), tilt=np.zeros(shape)
    )
    for index, joint in enumerate(spec.joints):
        axis = np.asarray(joint.axis if isinstance(joint, JointHinge | JointSlider) else (1.0, 0.0, 0.0))
        world = quat_between((1.0, 0.0, 0.0), axis / np.linalg.norm(axis))
        a = _side(spec, joint.parent, joint, world, poses, rates)
        b = _side(spec, joint.child, joint, world, poses, rates)
        along = quat_rotate(a.quat, np.array([[1.0, 0.0, 0.0]]))
        apart = b.point - a.point
        relative = quat_multiply(a.quat * np.array([-1.0, -1.0, -1.0, 1.0]), b.quat)
        if isinstance(joint, JointHinge):
            angle = 2.0 * np.arctan2(relative[:, 0], relative[:, 3])
            states.position[:, index] = np.unwrap(np.remainder(angle + np.pi, 2.0 * np.pi) - np.pi)
            states.rate[:, index] = ((b.angular - a.angular) * along).sum(axis=-1)
            states.tilt[:, index] = 2.0 * np.arcsin(np.minimum(np.hypot(relative[:, 1], relative[:, 2]), 1.0))
        elif isinstance(joint, JointSlider):
            states.position[:, index] = (apart * along).sum(axis=-1)
            slip = b.velocity - a.velocity - np.cross(a.angular, apart)
            states.rate[:, index] = (slip * along).sum(axis=-1)
            apart = apart - states.position[:, index, None] * along
        if not isinstance(joint, JointHinge | JointBall):
            turn = np.linalg.norm(relative[:, :3], axis=-1)
            states.tilt[:, index] = 2.0 * np.arcsin(np.minimum(turn, 1.0))
        states.gap[:, index] = np.linalg.norm(apart, axis=-1)
    return states


def _side(
    spec: SceneSpec,
    name: str | None,
    joint: Joint,
    world: Array,
    poses: tuple[Array, Array],
    rates: tuple[Array, Array],
) -> _Frames:
    """Return a joint's frame on one of its bodies, None for the world, at all times."""
    anchor, count = np.asarray(joint.anchor, np.float64), len(poses[0])
    if name is None:
        still = np.zeros((count, 3))
        return _Frames(
            point=np.tile(anchor, (count, 1)), velocity=still, quat=np.tile(world, (count, 1)), angular=still
        )
    index = next(number for number, body in enumerate(spec.bodies) if body.name == name)
    body = spec.bodies[index]
    start = np.asarray(body.orientation) / np.linalg.norm(body.orientation)
    back = start * np.array([-1.0, -1.0, -1.0, 1.0])
    local = quat_rotate(back, anchor - np.asarray(body.position))
    arm = quat_rotate(poses[1][:, index], local[None])
    return _Frames(
        point=poses[0][:, index] + arm,
        velocity=rates[0][:, index] + np.cross(rates[1][:, index], arm),
        quat=quat_multiply(poses[1][:, index], quat_multiply(back, world)[None]),
        angular=rates[1][:, index],
    )
