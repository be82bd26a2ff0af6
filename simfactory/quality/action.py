"""What cameras have to do with the action: which bodies move, and whether a camera is ever inside one."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from simfactory.cameras import camera_to_world
from simfactory.episode import Surface, Trajectory
from simfactory.spec import BodyRigid, CameraSpec, SceneSpec
from simfactory.transforms import quat_to_matrix
from simfactory.views import encloses

__all__ = ["MOVING", "frames_inside", "moving_bodies"]

MOVING = 0.01  # [m/s]

Bool = npt.NDArray[np.bool_]


def moving_bodies(trajectory: Trajectory, surfaces: Sequence[Surface]) -> Bool:
    """Return which bodies `(time, body)` have a surface point that may move faster than `MOVING`.

    Of a rigid body that is its speed plus its rate of rotation times its radius; of a deforming one the fastest vertex
    from the frame before (at the first frame, to the next).
    """
    body_count = trajectory.position.shape[1]
    radii = np.zeros(body_count)
    for surface in surfaces:
        if surface.body is not None:
            radii[surface.body] = np.linalg.norm(surface.mesh.vertices, axis=-1).max()
    speed = np.linalg.norm(trajectory.linear_velocity, axis=-1)
    speed = speed + np.linalg.norm(trajectory.angular_velocity, axis=-1) * radii
    if trajectory.frame_count > 1:
        step = np.diff(trajectory.time)[:, None]
        for body, vertices in trajectory.vertices.items():
            fastest = (np.linalg.norm(np.diff(vertices, axis=0), axis=-1) / step).max(axis=1)
            speed[:, body] = np.maximum(speed[:, body], np.concatenate([fastest[:1], fastest]))
        for body, speeds in trajectory.particle_velocities.items():
            speed[:, body] = np.maximum(speed[:, body], np.linalg.norm(speeds, axis=-1).max(axis=1))
    return np.asarray(speed > MOVING)


def frames_inside(spec: SceneSpec, camera: CameraSpec, trajectory: Trajectory, surfaces: Sequence[Surface]) -> int:
    """Return at how many frames a camera is inside a rigid body."""
    eye = camera_to_world(camera, trajectory.time)[:, :3, 3]
    inside = np.zeros(trajectory.frame_count, np.bool_)
    for surface in surfaces:
        if surface.body is None or not isinstance(spec.bodies[surface.body], BodyRigid):
            continue
        rotation = quat_to_matrix(trajectory.quat_xyzw[:, surface.body])
        local = np.einsum("ti,tij->tj", eye - trajectory.position[:, surface.body], rotation)
        low, high = surface.mesh.vertices.min(axis=0), surface.mesh.vertices.max(axis=0)
        for frame in np.flatnonzero(((local > low) & (local < high)).all(axis=-1)):
            inside[frame] |= encloses(surface.mesh, local[frame][None])
    return int(inside.sum())
