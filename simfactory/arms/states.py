"""A robot's state read from the poses of its bodies: joints, tool, gripper, and whether its task is done."""

from collections.abc import Container
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simfactory.arms.conditions import success
from simfactory.episode import FIRST_BODY, Contacts, Trajectory
from simfactory.joints import drive_of, joint_states
from simfactory.robots import robot_model
from simfactory.spec import RobotArm, SceneSpec
from simfactory.transforms import quat_from_matrix, quat_multiply, quat_to_matrix

__all__ = ["ArmStates", "arm_states", "held_body", "robot_base"]

Array = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmStates:
    """A robot at several times.

    Attributes:
        position: `(time, robot_joint)` joint positions of the model [rad or m].
        rate: `(time, robot_joint)` [rad/s or m/s].
        command: `(time, robot_joint)` wanted positions; NaN without a drive.
        tool_position: `(time, 3)` of the tool, world frame [m].
        tool_quat: `(time, 4)` tool-to-world.
        opening: `(time,)` distance of the fingers [m].
        holding: `(time,)` index of the body that all fingers touch, -1 without.
        phase: `(time,)` number of the phase of the plan, -1 before the first.
        success: `(time,)` whether the task is done.
    """

    position: Array
    rate: Array
    command: Array
    tool_position: Array
    tool_quat: Array
    opening: Array
    holding: npt.NDArray[np.int64]
    phase: npt.NDArray[np.int64]
    success: Bool


def arm_states(spec: SceneSpec, robot: RobotArm, path: Trajectory) -> ArmStates:
    """Return the states of a scene's robot at all frames of a trajectory."""
    model, names = robot_model(robot.model), [body.name for body in spec.bodies]
    states, number = joint_states(spec, **path.motion()), {joint.name: k for k, joint in enumerate(spec.joints)}
    rows, start = [number[name] for name in robot.joints], np.asarray(robot.start)
    command = np.full((path.frame_count, len(rows)), np.nan)
    for column, row in enumerate(rows):
        drive = drive_of(spec.joints[row])
        if drive is not None:
            command[:, column] = [start[column] + drive.wanted(time)[0] for time in path.time.tolist()]
    arm = len(model.arm)
    hand = names.index(robot.bodies[arm])
    turn = quat_to_matrix(path.quat_xyzw[:, hand])
    grip = model.tool[:3, 3] - model.arm[-1].center
    fingers = [names.index(name) for name in robot.bodies[arm + 1 :]]
    times = np.array([phase.start for phase in robot.phases])
    return ArmStates(
        position=states.position[:, rows] + start,
        rate=states.rate[:, rows],
        command=command,
        tool_position=path.position[:, hand] + turn @ grip,
        tool_quat=quat_multiply(path.quat_xyzw[:, hand], quat_from_matrix(model.tool[:3, :3])[None]),
        opening=(states.position[:, rows[arm:]] + start[arm:]).sum(axis=1),
        holding=np.array([held_body(contacts, fingers) for contacts in path.contacts], np.int64),
        phase=np.searchsorted(times, path.time + 1e-9, side="right") - 1,
        success=success(spec, robot, path),
    )


def robot_base(spec: SceneSpec, robot: RobotArm) -> Array:
    """Return the pose `(4, 4)` of a robot's base in the world."""
    model, foot = robot_model(robot.model), next(body for body in spec.bodies if body.name == robot.bodies[0])
    pose = np.eye(4)
    pose[:3, :3] = quat_to_matrix(foot.orientation)
    pose[:3, 3] = np.asarray(foot.position) - pose[:3, :3] @ model.parts[0].center
    return pose


def held_body(contacts: Contacts, fingers: list[int], *, among: Container[int] | None = None) -> int:
    """Return the index of the body that every finger touches, the first in order; -1 without.

    Args:
        contacts: Of one instant.
        fingers: Indices of the fingers among the bodies.
        among: Indices of the bodies that count; default all.
    """
    a, b = contacts.a.astype(np.int64) - FIRST_BODY, contacts.b.astype(np.int64) - FIRST_BODY
    touched = [set(b[a == finger].tolist()) | set(a[b == finger].tolist()) for finger in fingers]
    common = set.intersection(*touched) if touched else set()
    shared = sorted(body for body in common if body >= 0 and (among is None or body in among))
    return shared[0] if shared else -1
