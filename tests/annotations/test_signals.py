"""What single annotations say, on frames that the oracle renders."""

import numpy as np
import pytest

from simfactory.annotations import annotations
from simfactory.annotations.material_points import MaterialPoints
from simfactory.episode import FIRST_BODY, GROUND, SKY
from simfactory.signals import HIT, OUTSIDE_AFTER, OUTSIDE_BEFORE
from simfactory.spec import Box, MotionLinear, Sensors, Sphere
from simfactory.testing.ground_truth import Oracle, WorldMotion, mock_trajectory, oracle_contexts, record
from simfactory.testing.specs import make_body, make_camera, make_sheet, make_spec


def contexts_of(spec, camera=0):
    oracle = Oracle(spec, spec.cameras[camera], WorldMotion.closed_form(spec))
    return oracle_contexts(oracle, mock_trajectory(spec))


def recorded(spec, *names):
    return record(contexts_of(spec), annotations(names))


def sliding(velocity=(0.6, 0.0, 0.0), **overrides):
    """A box that slides across the ground at a constant velocity before a fixed camera."""
    options = {
        "bodies": [make_body("box", position=(-0.4, 0.0, 0.2), mobility="kinematic")],
        "motions": [MotionLinear(body="box", velocity=velocity)],
        "frame_count": 5,
        "fps": 10.0,
        "size": (48, 40),
    } | overrides
    return make_spec(**options)


def test_static_world_has_no_flow_and_no_points_under_a_fixed_camera():
    arrays = recorded(sliding(velocity=(0.0, 0.0, 0.0)))
    hit = arrays["instance"][:-1] != SKY
    assert np.abs(arrays["flow_forward"][:-1].transpose(0, 2, 3, 1)[hit]).max() < 1e-5
    assert np.abs(arrays["scene_flow"][:-1].transpose(0, 2, 3, 1)[hit]).max() < 1e-6
    assert len(arrays["points/position"]) == 0


def test_scene_flow_is_velocity_over_fps_even_when_the_camera_moves():
    spec = sliding(cameras=[make_camera(size=(48, 40), orbit_rate=1.0)])
    arrays = recorded(spec)
    box = arrays["instance"][:-1] == FIRST_BODY
    moved = arrays["scene_flow"][:-1].transpose(0, 2, 3, 1)
    np.testing.assert_allclose(moved[box], np.tile([0.06, 0.0, 0.0], (int(box.sum()), 1)), atol=1e-6)
    assert np.abs(moved[arrays["instance"][:-1] == GROUND]).max() < 1e-6


def test_flow_is_missing_for_sky_and_where_there_is_no_other_frame():
    arrays = recorded(sliding(cameras=[make_camera(size=(48, 40), target=(0.0, 0.0, 2.0))]))
    sky = arrays["instance"] == SKY
    assert sky.any()
    for name, frame in (("flow_forward", -1), ("flow_backward", 0), ("scene_flow", -1)):
        missing = np.isnan(arrays[name]).all(axis=1)
        assert missing[frame].all()
        others = np.delete(np.arange(5), frame)
        np.testing.assert_array_equal(missing[others], sky[others])


def test_forward_and_backward_flow_undo_each_other_at_pixel_precision():
    arrays = recorded(sliding(velocity=(0.0, 0.0, 0.0), cameras=[make_camera(size=(48, 40), orbit_rate=0.2)]))
    forward, backward = arrays["flow_forward"][0], arrays["flow_backward"][1]
    assert np.nanmean(np.abs(forward + backward)) < 0.15 * np.nanmean(np.abs(forward))


def test_mask_bits_follow_their_definition():
    spec = sliding(velocity=(6.0, 0.0, 0.0))  # leaves the image within the clip
    contexts = contexts_of(spec)
    mask = record(contexts, annotations(["mask"]))["mask"]
    for context, bits in zip(contexts, mask, strict=True):
        np.testing.assert_array_equal(bits & HIT > 0, context.surface.instance != SKY)
        for motion, bit in ((context.forward, OUTSIDE_AFTER), (context.backward, OUTSIDE_BEFORE)):
            expected = np.zeros(bits.shape, bool) if motion is None else motion.outside
            np.testing.assert_array_equal(bits & bit > 0, expected)
    assert (mask & OUTSIDE_AFTER).any()
    assert not (mask & 32).any(), "saturation is the store's to say"


def test_points_are_the_moving_pixels_with_their_velocity():
    spec = sliding(sensors=Sensors(point_stride=1))
    arrays = recorded(spec)
    per_frame = np.diff(arrays["points/offsets"])
    np.testing.assert_array_equal(per_frame, (arrays["instance"] == FIRST_BODY).sum(axis=(1, 2)))
    assert set(arrays["points/instance"]) == {FIRST_BODY}
    np.testing.assert_allclose(
        arrays["points/velocity"], np.tile([0.6, 0, 0], (len(arrays["points/velocity"]), 1)), atol=1e-5
    )
    times = np.repeat(arrays["time"], per_frame)
    np.testing.assert_allclose(arrays["points/position"][:, 3], times, atol=1e-6)


def test_points_lie_on_the_body():
    spec = sliding(bodies=[make_body("box", Sphere(radius=0.3), position=(0, 0, 0.4), mobility="kinematic")])
    arrays = recorded(spec)
    center = np.array([0.0, 0.0, 0.4]) + 0.6 * arrays["points/position"][:, 3:] * np.array([1.0, 0.0, 0.0])
    distance = np.linalg.norm(arrays["points/position"][:, :3] - center, axis=-1)
    assert 0.29 < distance.min() <= distance.max() < 0.3 + 1e-5


def test_tracks_stay_on_their_material_point_and_know_when_they_are_hidden():
    bodies = [
        make_body("wall", Box(size=(0.5, 0.05, 1.0)), position=(0.3, -1.0, 0.5), mobility="static"),
        make_body("ball", Sphere(radius=0.15), position=(-0.5, 0.0, 0.3), mobility="kinematic"),
    ]
    spec = make_spec(
        bodies=bodies,
        motions=[MotionLinear(body="ball", velocity=(1.0, 0.0, 0.0))],
        frame_count=9,
        fps=8.0,
        size=(64, 64),
        sensors=Sensors(track_spacing=2),
    )
    arrays = recorded(spec, "tracks")
    ball = (arrays["tracks/instance"] == FIRST_BODY + 1) & (arrays["tracks/frame"] == 0)
    assert ball.sum() >= 4
    moved = arrays["tracks/position"][:, ball] - arrays["tracks/position"][:, ball][:, :, :1]
    np.testing.assert_allclose(moved[0], np.tile(arrays["time"], (int(ball.sum()), 1)), atol=1e-5)
    seen = arrays["tracks/visible"][ball]
    assert seen[:, 0].all()
    assert not seen[:, 6].any(), "the ball is behind the wall"


def test_new_tracks_begin_only_on_surfaces_not_seen_before():
    still = recorded(sliding(velocity=(0.0, 0.0, 0.0), sensors=Sensors(track_spacing=4)), "tracks")
    assert set(still["tracks/frame"]) == {0}
    orbit = sliding(
        velocity=(0.0, 0.0, 0.0),
        frame_count=16,
        cameras=[make_camera(size=(48, 40), orbit_rate=1.5)],
        sensors=Sensors(track_spacing=4),
    )
    later = recorded(orbit, "tracks")
    box = later["tracks/instance"] == FIRST_BODY
    assert (later["tracks/frame"][box] > 0).any(), "its other sides come into view"


def test_tracks_of_an_empty_image_are_empty():
    spec = sliding(ground=False, cameras=[make_camera(size=(16, 16), target=(0.0, -8.0, 2.0))])
    arrays = recorded(spec, "tracks", "points")
    assert arrays["tracks/position"].shape == (3, 0, 5)
    assert arrays["tracks/visible"].shape == (0, 5)
    assert arrays["points/position"].shape == (0, 4)


def test_camera_parameters_project_depth_back_onto_points():
    arrays = recorded(sliding())
    assert arrays["camera/K"].shape == (5, 3, 3)
    rotation = arrays["camera/camera_to_world"][:, :3, :3]
    np.testing.assert_allclose(rotation @ rotation.transpose(0, 2, 1), np.tile(np.eye(3), (5, 1, 1)), atol=1e-12)


def test_material_points_follow_rigid_and_deforming_bodies():
    spec = make_spec(bodies=[make_body("box", angular_velocity=(0.0, 3.0, 1.0)), make_sheet(position=(1.0, 0.0, 1.0))])
    oracle = Oracle(spec, spec.cameras[0], WorldMotion.closed_form(spec))
    trajectory = mock_trajectory(spec)
    points = MaterialPoints(oracle.surfaces, trajectory)
    generator = np.random.default_rng(0)
    instance = generator.choice([GROUND, FIRST_BODY, FIRST_BODY + 1], 50)
    triangle = generator.integers(0, 12, 50)
    weights = generator.dirichlet([1.0, 1.0, 1.0], 50)
    world = points.positions(instance, triangle, weights)
    rows = np.array([oracle.first_triangle[int(number)] for number in instance]) + triangle
    for frame in range(spec.frame_count):
        expected = np.einsum("pk,pkx->px", weights, oracle.corners(frame)[rows])
        np.testing.assert_allclose(world[frame], expected, atol=1e-6)
    np.testing.assert_array_equal(points.positions(instance, triangle, weights, frames=[3])[0], world[3])


@pytest.mark.parametrize("stride", [1, 3])
def test_normals_face_the_camera(stride):
    contexts = contexts_of(sliding(frame_count=1))
    normal = record(contexts, annotations(["normal"]))["normal"][0]
    surface, clip = contexts[0].surface, contexts[0].clip
    rows, columns = np.nonzero(surface.instance[::stride] != SKY)
    rows *= stride
    length = np.linalg.norm(normal[rows, columns], axis=-1)
    np.testing.assert_allclose(length, 1.0, atol=1e-6)
    rays = np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))], axis=-1) @ np.linalg.inv(clip.intrinsics).T
    towards = rays @ clip.camera_to_world[0, :3, :3].T
    assert (np.einsum("nx,nx->n", towards, normal[rows, columns]) < 0.0).all()
