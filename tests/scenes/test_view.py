"""The action is in view: bodies at the start, and their free flight until they land."""

import numpy as np

from layouts import solid
from simfactory.cameras import camera_to_world, intrinsics
from simfactory.meshes import body_mesh
from simfactory.transforms import invert_pose, project, quat_to_matrix, transform_points

TIMES = np.linspace(0.0, 1.75, 141)  # fine enough to notice a fast body's blow
LOOKS = 20  # every so many of them, pictures are looked at


def in_picture(points_world, camera, pose):
    points = transform_points(invert_pose(pose), points_world)
    pixels = project(points, intrinsics(camera))
    inside = (pixels >= 0.0) & (pixels <= np.array([camera.width, camera.height]))
    return (points[:, 2] > 0.0) & inside.all(axis=-1)


def dynamic(spec):
    return [body for body in spec.bodies if body.mobility == "dynamic"]


def test_every_body_is_wholly_in_every_picture_at_the_start(sampled):
    for spec in sampled:
        clouds = [
            body_mesh(body).vertices @ quat_to_matrix(body.orientation).T + np.asarray(body.position)
            for body in spec.bodies
        ]
        points = np.concatenate(clouds)
        for camera in spec.cameras:
            assert in_picture(points, camera, camera_to_world(camera, [0.0])[0]).all(), (spec.scene, camera.name)


def struck(body, path, others):
    """Whether the ball about a body has come into that about another one on its way, `(time,)`."""
    met = np.zeros(len(path), bool)
    for other in others:
        gap = np.linalg.norm(path - np.asarray(other.position), axis=-1) - solid(other).radius - solid(body).radius
        met |= gap < min(0.0, gap[0])
    return np.maximum.accumulate(met)


def flight(body, gravity, others):
    """Centres `(time, 3)` of a body for as long as it flies freely, and the times."""
    start, height = np.asarray(body.position), solid(body).extent(np.array([0.0, 0.0, -1.0]))
    if start[2] < height + 0.05:
        return TIMES[:1], start[None]
    path = start + np.outer(TIMES, body.linear_velocity) + 0.5 * np.outer(TIMES**2, gravity)
    flying = np.cumprod((path[:, 2] > height) & ~struck(body, path, others)).astype(bool)
    return TIMES[flying][::LOOKS], path[flying][::LOOKS]


def test_free_flight_stays_in_every_picture(sampled):
    for spec in sampled:
        for body in dynamic(spec):
            others = [other for other in spec.bodies if other.name != body.name]
            times, path = flight(body, spec.environment.gravity, others)
            for camera in spec.cameras:
                for center, pose in zip(path, camera_to_world(camera, times), strict=True):
                    assert in_picture(center[None], camera, pose).all(), (spec.scene, camera.name, body.name)


def test_bodies_are_large_enough_to_see(sampled):
    spans = []
    for spec in sampled:
        for camera in spec.cameras:
            pose = camera_to_world(camera, [0.0])[0]
            focal = intrinsics(camera)[0, 0]
            for body in dynamic(spec):
                depth = transform_points(invert_pose(pose), np.asarray(body.position))[2]
                spans.append(2.0 * focal * solid(body).radius / depth)
    assert np.median(spans) > 0.1 * 256
    assert np.quantile(spans, 0.02) > 0.03 * 256
