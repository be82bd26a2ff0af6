"""What a camera can see: frusta against spheres, points inside meshes, and where bodies may get while a clip lasts."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from simfactory.air import flow_speed
from simfactory.cameras import camera_to_world, intrinsics
from simfactory.meshes import TriangleMesh
from simfactory.spec import Body, BodyRigid, BodySheet, CameraSpec, MotionLinear, MotionOscillation, SceneSpec
from simfactory.transforms import invert_pose

__all__ = ["encloses", "is_blind", "spheres_in_view"]

Array = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

MOST_INSTANTS = 400
STRAY = 0.5  # of its way: how far from its free flight a body is expected at most, after bounces


def spheres_in_view(camera: CameraSpec, poses: Array, centers: Array, radii: npt.ArrayLike) -> Bool:
    """Return which spheres may be in the picture `(time, sphere)`; one that misses a corner by little is counted.

    Args:
        camera: Whose angles apply.
        poses: `(time, 4, 4)` camera_to_world.
        centers: `(sphere, 3)` or `(time, sphere, 3)` world frame [m].
        radii: `(sphere,)` or `(time, sphere)` [m].
    """
    world_to_camera = invert_pose(poses)
    centers = np.broadcast_to(centers, (len(poses), *np.shape(centers)[-2:]))
    points = np.einsum("tij,tsj->tsi", world_to_camera[:, :3, :3], centers) + world_to_camera[:, None, :3, 3]
    radii = np.broadcast_to(radii, points.shape[:2])
    seen = points[..., 2] > -radii
    focal = intrinsics(camera)[0, 0]
    for axis, edge in ((0, camera.width), (1, camera.height)):
        half = math.atan(0.5 * edge / focal)
        # The side planes of the frustum pass through the eye.
        seen &= np.abs(points[..., axis]) * math.cos(half) - points[..., 2] * math.sin(half) < radii
    return np.asarray(seen)


def is_blind(spec: SceneSpec, camera: CameraSpec, meshes: Sequence[TriangleMesh]) -> bool:
    """Tell whether no body is expected in a camera's picture while the clip lasts: floor, walls and sky alone remain.

    Each body counts as a ball that grows with time. It follows its free flight until the floor, then goes on along it
    without friction; the ball has the body's radius and half of the way so far. Where there are several
    bodies, each may also be struck: it may be as far from its start as any other one has gone. A fall counts
    twice, so that what it gained may carry the body on. What hides a body is not considered.

    Args:
        spec: The scene.
        camera: One of its cameras.
        meshes: Surface of each body in its local frame [m].
    """
    times = np.linspace(0.0, spec.duration, min(spec.frame_count, MOST_INSTANTS))
    flights = [_flight(spec, body, mesh, times) for body, mesh in zip(spec.bodies, meshes, strict=True)]
    ways = np.stack([way for _, way in flights], axis=1)
    starts = np.array([body.position for body in spec.bodies])
    radii = np.array([float(np.linalg.norm(mesh.vertices, axis=-1).max()) for mesh in meshes])
    radii += np.array([body.amplitude if isinstance(body, BodySheet) else 0.0 for body in spec.bodies])
    struck = np.zeros_like(ways)
    for number, body in enumerate(spec.bodies):
        if isinstance(body, BodyRigid) and body.mobility == "dynamic" and len(spec.bodies) > 1:
            struck[:, number] = np.delete(ways, number, axis=1).max(axis=1)
    poses = camera_to_world(camera, times)
    centers = np.stack([center for center, _ in flights], axis=1)
    seen = spheres_in_view(camera, poses, centers, radii + STRAY * ways)
    return not (seen | spheres_in_view(camera, poses, starts, radii + struck)).any()


def encloses(mesh: TriangleMesh, points: Array) -> bool:
    """Tell whether any point `(point, 3)` lies inside a closed mesh, by the solid angle its triangles subtend.

    Source: A. Van Oosterom, J. Strackee, "The solid angle of a plane triangle", IEEE TBME (1983).
    """
    vertices, triangles = mesh.vertices, mesh.triangles
    near = (points > vertices.min(axis=0)).all(axis=1) & (points < vertices.max(axis=0)).all(axis=1)
    for point in points[near]:
        a, b, c = (vertices[triangles[:, k]] - point for k in range(3))
        la, lb, lc = (np.linalg.norm(side, axis=1) for side in (a, b, c))
        volume = np.einsum("ij,ij->i", a, np.cross(b, c))
        base = la * lb * lc + np.einsum("ij,ij->i", a, b) * lc
        base += np.einsum("ij,ij->i", b, c) * la + np.einsum("ij,ij->i", c, a) * lb
        if abs(np.arctan2(volume, base).sum()) > np.pi:
            return True
    return False


def _flight(spec: SceneSpec, body: Body, mesh: TriangleMesh, times: Array) -> tuple[Array, Array]:
    """Where a body is expected `(time, 3)` [m] if it meets nothing but the floor, and the way so far `(time,)` [m]."""
    start = np.asarray(body.position)
    still = np.broadcast_to(start, (len(times), 3))
    if not isinstance(body, BodyRigid) or body.mobility == "static":
        return still, np.zeros_like(times)
    if body.mobility == "kinematic":
        return _driven(spec, body, times)
    speed = np.asarray(body.linear_velocity)
    shift = np.outer(times, speed)
    for push in spec.triggers:
        if push.body == body.name:
            gained = np.asarray(push.impulse) / (body.physical.density * mesh.volume())
            shift += np.outer(np.maximum(times - push.time, 0.0), gained)
    fall = 0.5 * np.outer(times**2, np.asarray(spec.environment.gravity))
    path = start + shift + fall
    if spec.ground is not None:
        path[:, 2] = np.maximum(path[:, 2], min(start[2], 0.0))
    drop = np.linalg.norm(fall, axis=-1)
    if spec.ground is not None:
        height = max(float(path[:, 2].max()), 0.0)
        drop = np.minimum(drop, 2.0 * height)
    air = spec.environment
    wind = math.hypot(*air.wind.velocity) + flow_speed(air) if air.air_density > 0.0 else 0.0
    return path, np.linalg.norm(shift, axis=-1) + drop + wind * times


def _driven(spec: SceneSpec, body: BodyRigid, times: Array) -> tuple[Array, Array]:
    """Where a kinematic body is, up to its swing, and its way."""
    start, reach = np.asarray(body.position), np.zeros_like(times)
    path = np.broadcast_to(start, (len(times), 3))
    for motion in spec.motions:
        if motion.body == body.name and isinstance(motion, MotionLinear):
            path = start + np.outer(np.clip(times, motion.start, motion.stop) - motion.start, motion.velocity)
            reach = np.linalg.norm(path - start, axis=-1)
        elif motion.body == body.name and isinstance(motion, MotionOscillation):
            reach = np.full_like(times, math.hypot(*motion.amplitude) / STRAY)
    return path, reach
