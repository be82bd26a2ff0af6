"""A robot arm that is moved along its commands: in scenes whose solvers hold no joints."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from simfactory.arms.states import robot_base
from simfactory.errors import SpecError
from simfactory.joints import Way, drive_of
from simfactory.robots import robot_model
from simfactory.spec import Body, BodyCloth, BodyRigid, BodyRope, Joint, JointHinge, JointSlider, SceneSpec
from simfactory.transforms import quat_from_axis_angle, quat_from_matrix, quat_multiply, quat_to_matrix

__all__ = ["Guide", "GuidedMotion", "acting_bodies", "held_joints", "is_guided"]

Array = npt.NDArray[np.float64]

SAME = 3e-7  # share of a time by which a step counts as ending at a waypoint, as in the solver of joints
MISPLACED = 1e-3  # [m] of a part, at t = 0, from where the joint positions put it


def is_guided(spec: SceneSpec) -> bool:
    """Return whether a scene's robot is moved along its commands: where cloth or ropes take part.

    These pull with a few newtons. Drives of 4e4 N·m/rad give way to that by less than 0.1 mm at the tool.
    """
    return spec.robot is not None and any(isinstance(body, BodyCloth | BodyRope) for body in spec.bodies)


def held_joints(spec: SceneSpec) -> tuple[Joint, ...]:
    """Return the joints that a solver must hold: all but those of a robot that is guided."""
    if spec.robot is None or not is_guided(spec):
        return spec.joints
    return tuple(joint for joint in spec.joints if joint.name not in spec.robot.joints)


def acting_bodies(spec: SceneSpec) -> tuple[Body, ...]:
    """Return the bodies as a solver sees them: the moving parts of a robot that is guided are kinematic."""
    if spec.robot is None or not is_guided(spec):
        return spec.bodies
    return tuple(
        body.model_copy(update={"mobility": "kinematic"})
        if isinstance(body, BodyRigid) and body.name in spec.robot.bodies and body.mobility == "dynamic"
        else body
        for body in spec.bodies
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class GuidedMotion:
    """The moving parts of a robot at several times, world frame.

    Attributes:
        position: `(time, part, 3)` of their centres of mass [m].
        quat_xyzw: `(time, part, 4)` part-to-world.
        linear_velocity: `(time, part, 3)` mean since the time before [m/s].
        angular_velocity: `(time, part, 3)` the same [rad/s].
    """

    position: Array
    quat_xyzw: Array
    linear_velocity: Array
    angular_velocity: Array


@final
class Guide:
    """Moves a robot's joints towards what its drives want, within their limits and largest rates.

    Args:
        spec: A scene with a robot.
        dt: Solver step [s].
        steps: Solver steps in a frame.

    Raises:
        SpecError: A part is not where the robot's joint positions put it.
    """

    def __init__(self, spec: SceneSpec, *, dt: float, steps: int) -> None:
        assert spec.robot is not None
        self._robot, self._dt, self._steps = spec.robot, dt, steps
        self._parts = robot_model(spec.robot.model).parts
        self._moving = [number for number, part in enumerate(self._parts) if part.parent is not None]
        of = {joint.name: joint for joint in spec.joints}
        self._joints = [of[name] for name in spec.robot.joints]
        self._start = np.asarray(spec.robot.start, np.float64)
        self._rates = np.array([self._parts[number].rate for number in self._moving]) * dt
        self._bounds = np.array([_bounds(joint) for joint in self._joints]).T + self._start
        bodies = {body.name: body for body in spec.bodies}
        self._base = robot_base(spec, spec.robot)
        self._points: dict[str, Array] = {}  # rows of time and position by joint
        self.forget()
        self._restart()
        wanted = np.array([bodies[spec.robot.bodies[number]].position for number in self._moving])
        apart = np.linalg.norm(self._last[0] - wanted, axis=-1)
        if apart.max() > MISPLACED:
            name = spec.robot.bodies[self._moving[int(apart.argmax())]]
            raise SpecError(
                f"part {name!r} of robot {spec.robot.name!r} is {apart.max():.3g} m from where robot.start puts it; "
                f"allowed is {MISPLACED:g} m: make the arm with simfactory.arms.equipped, or mend robot.start"
            )

    def frame(self, number: int) -> GuidedMotion:
        """Return where the parts are at the ends of all solver steps of a frame."""
        if number < self._number:
            self._restart()
        motion = self._advance()
        while self._number <= number:
            motion = self._advance()
        return motion

    def drive(self, ways: Mapping[str, Way]) -> None:
        """Let joints take other ways than their waypoints in the coming frame and stay at their ends, by name."""
        for name, way in ways.items():
            self._points[name] = np.array([(point.time, point.position) for point in way])

    def forget(self) -> None:
        """Go back to the waypoints of the drives."""
        for joint in self._joints:
            drive = drive_of(joint)
            points = () if drive is None else drive.waypoints
            self._points[joint.name] = np.array([(point.time, point.position) for point in points])

    def _restart(self) -> None:
        self._number, self._now = 0, self._start
        position, quat = self._poses(self._start[None])
        self._last = position[0], quat[0]

    def _advance(self) -> GuidedMotion:
        times = np.asarray((self._number * self._steps + 1 + np.arange(self._steps)) * self._dt, np.float64)
        rows = np.clip(self._commands(times), *self._bounds)
        for row in rows:
            row[:] = self._now + np.clip(row - self._now, -self._rates, self._rates)
            self._now = row.copy()
        position, quat = self._poses(rows)
        before = np.concatenate([self._last[0][None], position]), np.concatenate([self._last[1][None], quat])
        turn = quat_multiply(quat, before[1][:-1] * np.array([-1.0, -1.0, -1.0, 1.0]))
        turn = np.where(turn[..., 3:] < 0.0, -turn, turn)
        self._last = position[-1], quat[-1]
        self._number += 1
        return GuidedMotion(
            position=position,
            quat_xyzw=quat,
            linear_velocity=np.diff(before[0], axis=0) / self._dt,
            angular_velocity=2.0 * turn[..., :3] / self._dt,  # of turns below 0.1 rad to 0.1 %
        )

    def _commands(self, times: Array) -> Array:
        """Joint positions `(time, joint)` that the drives want; without a drive that at t = 0."""
        result = np.tile(self._start, (len(times), 1))
        for column, joint in enumerate(self._joints):
            points = self._points[joint.name]
            if len(points):
                result[:, column] += _wanted(points, times)
        return result

    def _poses(self, rows: Array) -> tuple[Array, Array]:
        """Positions `(time, part, 3)` of the moving parts' centres of mass and their quaternions `(time, part, 4)`."""
        poses: list[Array] = []
        columns = iter(rows.T)
        for part in self._parts:
            if part.parent is None:
                poses.append(np.tile(self._base, (len(rows), 1, 1)))
                continue
            move, value = np.tile(np.eye(4), (len(rows), 1, 1)), next(columns)
            if part.joint == "hinge":
                move[:, :3, :3] = quat_to_matrix(quat_from_axis_angle(part.axis, value))
            else:
                move[:, :3, 3] = value[:, None] * part.axis
            poses.append(poses[part.parent] @ part.origin @ move)
        kept = np.stack([poses[number] for number in self._moving], axis=1)
        centers = np.array([self._parts[number].center for number in self._moving])
        return (kept[..., :3, :3] @ centers[..., None])[..., 0] + kept[..., :3, 3], quat_from_matrix(kept[..., :3, :3])


def _wanted(points: Array, times: Array) -> Array:
    """Positions on straight lines between waypoints; a step that ends at one belongs to the line before it."""
    row = np.searchsorted(points[:, 0], times * (1.0 - SAME)) - 1
    inside = (row >= 0) & (row < len(points) - 1)
    before, after = points[np.maximum(row, 0)], points[np.minimum(row + 1, len(points) - 1)]
    rate = (after[:, 1] - before[:, 1]) / np.where(inside, after[:, 0] - before[:, 0], 1.0)
    return before[:, 1] + np.where(inside, rate * (times - before[:, 0]), 0.0)


def _bounds(joint: Joint) -> tuple[float, float]:
    """Lowest and highest position of a joint [rad or m], measured from t = 0."""
    assert isinstance(joint, JointHinge | JointSlider)
    return (-np.inf if joint.lower is None else joint.lower, np.inf if joint.upper is None else joint.upper)
