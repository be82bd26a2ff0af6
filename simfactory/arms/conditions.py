"""Whether a robot's task is done, measured from the states of bodies alone."""

import math

import numpy as np
import numpy.typing as npt

from simfactory.episode import Trajectory
from simfactory.joints import joint_states
from simfactory.spec import (
    BodyCloth,
    Condition,
    ConditionFolded,
    ConditionJoint,
    ConditionPlace,
    ConditionWithin,
    RobotArm,
    SceneSpec,
)
from simfactory.tailoring import cut
from simfactory.transforms import quat_rotate, quat_to_matrix

__all__ = ["folded_share", "success"]

Array = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


def success(spec: SceneSpec, robot: RobotArm, path: Trajectory) -> Bool:
    """Return at which frames `(time,)` all conditions of a robot's task hold; never without any."""
    if not robot.success:
        return np.zeros(path.frame_count, np.bool_)
    held = []
    for condition in robot.success:
        now = _holds(spec, condition, path)
        held.append(np.logical_or.accumulate(now) if condition.once else now)
    return np.asarray(np.logical_and.reduce(held))


def _holds(spec: SceneSpec, condition: Condition, path: Trajectory) -> Bool:
    names = [body.name for body in spec.bodies]
    if isinstance(condition, ConditionJoint):
        row = next(k for k, joint in enumerate(spec.joints) if joint.name == condition.joint)
        place = joint_states(spec, **path.motion()).position[:, row]
        return np.asarray((condition.lower <= place) & (place <= condition.upper))
    if isinstance(condition, ConditionPlace):
        target = np.tile(np.asarray(condition.target), (path.frame_count, 1))
        if condition.relative_to is not None:
            other = names.index(condition.relative_to)
            target = path.position[:, other] + quat_rotate(path.quat_xyzw[:, other], target)
        apart = path.position[:, [names.index(name) for name in condition.bodies]] - target[:, None]
        there = (np.linalg.norm(apart[..., :2], axis=-1) <= condition.radius) & (
            np.abs(apart[..., 2]) <= condition.height
        )
        return np.asarray(there.mean(axis=1) >= condition.share - 1e-9)
    if isinstance(condition, ConditionWithin):
        return _within(condition, path.vertices[names.index(condition.body)])
    if isinstance(condition, ConditionFolded):
        body = spec.bodies[names.index(condition.body)]
        assert isinstance(body, BodyCloth)
        return _folded(condition, body, path.vertices[names.index(condition.body)])
    up = quat_to_matrix(path.quat_xyzw[:, names.index(condition.body)])[:, 2, 2]
    return np.asarray(up >= np.cos(condition.angle))


def folded_share(condition: ConditionFolded, body: BodyCloth, vertices: npt.NDArray[np.float32]) -> Array:
    """Return the share `(time,)` of a cloth's area that lies double [1], see `ConditionFolded`.

    Args:
        condition: What counts as double.
        body: The cloth.
        vertices: `(time, vertex, 3)` [m].
    """
    made = cut(body.geometry, body.resolution)
    flat = made.vertices[:, :2]
    first, second = (flat[made.triangles[:, k]] - flat[made.triangles[:, 0]] for k in (1, 2))
    area = np.zeros(len(flat))
    double = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
    np.add.at(area, made.triangles.ravel(), np.repeat(double, 3))
    away = np.linalg.norm(flat[:, None] - flat, axis=-1) >= condition.apart
    share = np.zeros(len(vertices))
    for frame, points in enumerate(vertices.astype(np.float64)):
        apart = points[:, None] - points
        near = np.linalg.norm(apart[..., :2], axis=-1) <= condition.radius
        lies = (away & near & (np.abs(apart[..., 2]) <= condition.height)).any(axis=1)
        share[frame] = area[lies].sum() / area.sum()
    return share


def _folded(condition: ConditionFolded, body: BodyCloth, vertices: npt.NDArray[np.float32]) -> Bool:
    return np.asarray(folded_share(condition, body, vertices) >= condition.share)


def _within(condition: ConditionWithin, vertices: npt.NDArray[np.float32]) -> Bool:
    apart = vertices.astype(np.float64) - np.asarray(condition.center)
    cosine, sine = math.cos(condition.bearing), math.sin(condition.bearing)
    along = np.stack(
        [cosine * apart[..., 0] + sine * apart[..., 1], cosine * apart[..., 1] - sine * apart[..., 0], apart[..., 2]],
        axis=-1,
    )
    inside = (np.abs(along) <= 0.5 * np.asarray(condition.size)).all(axis=-1)
    return np.asarray(inside.mean(axis=1) >= condition.share - 1e-9)
