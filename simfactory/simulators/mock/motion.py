"""Closed-form motion of every body of a scene, in float64: what the mock backend shows and tests compare with."""

import numpy as np
import numpy.typing as npt

from simfactory.meshes import body_mesh, sheet_heights
from simfactory.simulators.kinematics import RigidMotion, motion_of, prescribed_motion, start_orientation
from simfactory.spec import BodyRigid, BodySheet, SceneSpec
from simfactory.transforms import quat_from_axis_angle, quat_multiply, quat_rotate

__all__ = ["body_mass", "body_motion", "pose_at", "sheet_vertices", "vertices_at"]

Array = npt.NDArray[np.float64]


def pose_at(spec: SceneSpec, body: int, time: float) -> tuple[Array, Array]:
    """Return a body's pose at a time: position `(3,)` [m] and quaternion `(4,)` xyzw, body to world.

    Args:
        spec: The scene.
        body: Index of the body in `spec.bodies`.
        time: Time since the episode began [s].
    """
    motion = body_motion(spec, body, [time])
    return motion.position[0], motion.quat_xyzw[0]


def vertices_at(spec: SceneSpec, body: int, time: float) -> Array:
    """Return a body's mesh vertices `(vertex, 3)` at a time, world frame [m], in the order of `body_mesh`."""
    item = spec.bodies[body]
    if isinstance(item, BodySheet):
        return sheet_vertices(item, time)
    position, quat = pose_at(spec, body, time)
    return position + quat_rotate(quat, body_mesh(item).vertices)


def body_motion(spec: SceneSpec, body: int, times: npt.ArrayLike) -> RigidMotion:
    """Return a body's poses and velocities at times `(time,)` [s].

    Static and kinematic bodies and sheets follow their prescription. A dynamic body flies: r0 + v0 t + g t²/2, each
    push adds impulse/mass from its time on, and it keeps turning about its first axis at its first rate. There is
    no contact, no air and no damping.
    """
    item = spec.bodies[body]
    if isinstance(item, BodyRigid) and item.mobility == "dynamic":
        return _flight(spec, item, np.atleast_1d(np.asarray(times, np.float64)))
    return prescribed_motion(item, motion_of(spec, item.name), times)


def body_mass(body: BodyRigid) -> float:
    """Return density × volume of the body's mesh [kg].

    Raises:
        AssetError: A user mesh is missing or unreadable.
    """
    return body.physical.density * body_mesh(body).volume()


def sheet_vertices(sheet: BodySheet, time: float) -> Array:
    """Return a vibrating sheet's vertices `(vertex, 3)` at a time, world frame [m]."""
    local = body_mesh(sheet).vertices.copy()
    local[:, 2] += sheet_heights(sheet, time)
    return np.asarray(sheet.position) + quat_rotate(start_orientation(sheet), local)


def _flight(spec: SceneSpec, body: BodyRigid, time: Array) -> RigidMotion:
    gravity = np.asarray(spec.environment.gravity)
    column = time[:, None]
    position = np.asarray(body.position) + np.asarray(body.linear_velocity) * column + 0.5 * gravity * column**2
    linear = np.asarray(body.linear_velocity) + gravity * column
    for push in spec.triggers:
        if push.body == body.name:
            gain = np.asarray(push.impulse) / body_mass(body)
            since = np.maximum(column - push.time, 0.0)
            position = position + gain * since
            linear = linear + gain * (column >= push.time)
    rate = np.asarray(body.angular_velocity)
    turn = quat_from_axis_angle(rate, float(np.linalg.norm(rate)) * time)
    return RigidMotion(
        position=position,
        quat_xyzw=quat_multiply(turn, start_orientation(body)),
        linear_velocity=linear,
        angular_velocity=np.tile(rate, (len(time), 1)),
    )
