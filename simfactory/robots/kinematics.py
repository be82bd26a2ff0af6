"""Where a robot's parts are at given joint positions, and which positions bring its tool to a place."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError
from simfactory.robots.model import RobotModel
from simfactory.transforms import quat_from_axis_angle, quat_to_matrix

__all__ = ["Pose", "inverse", "part_poses", "tool_pose"]

Array = npt.NDArray[np.float64]
Pose = Array  # (4, 4) homogeneous

ROUNDS = 60
DAMPING = 0.02  # [m or rad] of damped least squares
STRIDE = 0.3  # [rad] of a joint in one round, at most
NEAR, ALIGNED = 1e-4, 1e-3  # [m, rad] error of a solution
COMFORT = 0.02  # share by which joints are drawn to their rest in one round, where that does not move the tool
MARGIN = 0.02  # [rad] from the limits


def part_poses(model: RobotModel, positions: Sequence[float] | Array, base: Pose) -> list[Pose]:
    """Return the pose `(4, 4)` of every part's frame in the world.

    Args:
        model: The robot.
        positions: Of all joints, in the order of the parts that move [rad or m].
        base: Pose of its base.
    """
    poses: list[Pose] = []
    values = iter(np.asarray(positions, np.float64).tolist())
    for part in model.parts:
        if part.parent is None:
            poses.append(np.asarray(base, np.float64))
            continue
        move, value = np.eye(4), next(values)
        if part.joint == "hinge":
            move[:3, :3] = quat_to_matrix(quat_from_axis_angle(part.axis, value))
        else:
            move[:3, 3] = value * part.axis
        poses.append(poses[part.parent] @ part.origin @ move)
    return poses


def tool_pose(model: RobotModel, arm: Sequence[float] | Array, base: Pose) -> Pose:
    """Return the pose `(4, 4)` of the tool in the world at positions of the arm's joints [rad]."""
    return _chain(model, np.asarray(arm, np.float64), base)[-1]


def inverse(
    model: RobotModel,
    target: Pose,
    *,
    base: Pose,
    start: Sequence[float] | Array,
    rest: Sequence[float] | Array | None = None,
) -> Array:
    """Return positions of the arm's joints [rad] that bring the tool to a pose.

    Damped least squares from where the arm is, within the limits of its joints; what the tool leaves free goes to a
    position of rest.

    Args:
        model: The robot.
        target: Pose `(4, 4)` of the tool in the world.
        base: Pose of the base.
        start: Positions to begin from.
        rest: Positions that are liked; default: those of the start.

    Raises:
        SpecError: It cannot reach the pose.

    **Source:** Y. Nakamura, H. Hanafusa, "Inverse kinematic solutions with singularity robustness for robot
    manipulator control" (1986).
    """
    lower = np.array([part.lower + MARGIN for part in model.arm])
    upper = np.array([part.upper - MARGIN for part in model.arm])
    q = np.clip(np.asarray(start, np.float64), lower, upper)
    liked = q if rest is None else np.asarray(rest, np.float64)
    gap = angle = np.inf
    for round_ in range(ROUNDS):
        error, jacobian = _linear(model, q, base, target)
        gap, angle = float(np.linalg.norm(error[:3])), float(np.linalg.norm(error[3:]))
        settled = round_ >= ROUNDS // 3 or rest is None
        if gap < NEAR and angle < ALIGNED and settled:
            return q
        square = jacobian @ jacobian.T + DAMPING**2 * min(1.0, gap + angle) * np.eye(6) + 1e-9 * np.eye(6)
        step = jacobian.T @ np.linalg.solve(square, error)
        free = liked - q
        step = step + COMFORT * (free - jacobian.T @ np.linalg.solve(square, jacobian @ free)) * (
            not settled or rest is None
        )
        q = np.clip(q + step * min(1.0, STRIDE / max(float(np.abs(step).max()), 1e-9)), lower, upper)
    place = ", ".join(f"{value:.3f}" for value in target[:3, 3])
    raise SpecError(
        f"robot {model.name!r} does not reach ({place}) m: it stays {1e3 * gap:.1f} mm and {np.degrees(angle):.1f}° "
        "off; allowed are places within about 0.7 m of its shoulder: move the target or the base"
    )


def _chain(model: RobotModel, arm: Array, base: Pose) -> list[Pose]:
    """Poses of the arm's parts from the base on, and that of the tool."""
    poses = part_poses(model, [*arm, *(0.0 for _ in model.fingers)], base)[: 1 + len(arm)]
    return [*poses, poses[-1] @ model.tool]


def _linear(model: RobotModel, q: Array, base: Pose, target: Pose) -> tuple[Array, Array]:
    """Return the error `(6,)` of the tool (way [m], turn [rad]) and its derivative `(6, joint)`."""
    poses = _chain(model, q, base)
    tool = poses[-1]
    axes = np.array([pose[:3, :3] @ part.axis for pose, part in zip(poses[1:-1], model.arm, strict=True)])
    arms = tool[:3, 3] - np.array([pose[:3, 3] for pose in poses[1:-1]])
    jacobian = np.concatenate([np.cross(axes, arms), axes], axis=1).T
    turn = target[:3, :3] @ tool[:3, :3].T
    vector = 0.5 * np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
    sine, cosine = float(np.linalg.norm(vector)), 0.5 * (float(np.trace(turn)) - 1.0)
    angle = float(np.arctan2(sine, cosine))
    if sine > 1e-9:
        vector = vector * (angle / sine)
    elif cosine < 0.0:
        vector = np.pi * axes[-1]  # half a turn about any axis
    return np.concatenate([target[:3, 3] - tool[:3, 3], vector]), jacobian
