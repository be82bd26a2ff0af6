"""Motion blur: closed forms of a moving square, and truth that knows nothing of the shutter."""

from functools import partial

import numpy as np
import pytest

import simfactory
from simfactory.cameras import camera_to_world, intrinsics
from simfactory.episode import scene_surfaces
from simfactory.errors import SpecError
from simfactory.preflight import check_scene
from simfactory.rendering import Renderer
from simfactory.spec import (
    BodyRigid,
    Box,
    CameraDolly,
    CameraFixed,
    CameraSpec,
    Ground,
    LightSun,
    MotionLinear,
    MotionRotation,
    SceneSpec,
    Sky,
    VisualMaterial,
)
from simfactory.testing.ground_truth import mock_trajectory
from simfactory.transforms import quat_from_axis_angle, quat_slerp

HEIGHT, FPS, SIZE = 40.0, 10.0, 64  # [m], [Hz], [px]
EDGE, TOP = 2.0, 0.02  # of the square [m]
STILL = CameraFixed(position=(0.0, -0.001, HEIGHT), target=(0.0, 0.0, 0.0))


def square(physical, *, pixels=8.0, shutter=0.5, path=STILL, frames=3):
    """A white square that moves over black ground, seen from above, by so many pixels a frame."""
    camera = CameraSpec(name="eye", rig="ring", width=SIZE, height=SIZE, field_of_view=10.0, path=path, shutter=shutter)
    velocity = pixels * FPS * (HEIGHT - TOP) / intrinsics(camera)[0, 0]
    body = BodyRigid(
        name="square",
        geometry=Box(size=(EDGE, EDGE, TOP)),
        position=(-0.5, 0.0, 0.5 * TOP),
        physical=physical,
        visual=VisualMaterial(base_color=(1.0, 1.0, 1.0), roughness=1.0),
        mobility="kinematic",
    )
    return SceneSpec(
        scene="test",
        category="rigid",
        tier="single",
        seed=3,
        frame_count=frames,
        fps=FPS,
        bodies=(body,),
        motions=(MotionLinear(body="square", velocity=(velocity, 0.0, 0.0)),) if pixels else (),
        ground=Ground(size=40.0, physical=physical, visual=VisualMaterial(base_color=(0.0, 0.0, 0.0), roughness=1.0)),
        sky=Sky(intensity=0.0),
        lights=(LightSun(direction=(0.0, 0.0, -1.0), irradiance=3.0),),
        cameras=(camera,),
    )


def between(spec, trajectory, frame, share):
    return [trajectory.between(frame, share)], camera_to_world(spec.cameras[0], [(frame + share) / spec.fps])


def exposed(spec, frame, *, preset="reference"):
    """Linear light `(height, width, 3)` of a frame."""
    renderer, trajectory = Renderer([(spec, scene_surfaces(spec))], preset=preset), mock_trajectory(spec)
    pose = camera_to_world(spec.cameras[0], [frame / spec.fps])
    placed = renderer.place([trajectory.state(frame)], 0)
    buffers = renderer.surface(placed, pose, 0)
    image = renderer.shade(buffers, placed, pose, frame, between=partial(between, spec, trajectory, frame))
    light = np.copy(image.light.numpy()[0])
    renderer.close()
    return light


def profile(light):
    """Share of the square's brightness by column, 0 on the ground; mean of the rows that it covers."""
    ground, rows = light[:4].mean(), light[SIZE // 2 - 6 : SIZE // 2 + 6].mean(axis=(0, 2))
    return (rows - ground) / (np.quantile(rows, 0.95) - ground)


def covered(left, right, distance):
    """Share of the time for which each column lies under an interval that moves on by a distance [px]."""
    edges = np.linspace(0.0, SIZE, 64 * SIZE + 1)
    middle = 0.5 * (edges[1:] + edges[:-1])
    moments = (np.arange(400) + 0.5) / 400 * distance
    inside = ((middle > left + moments[:, None]) & (middle < right + moments[:, None])).mean(axis=0)
    return inside.reshape(SIZE, 64).mean(axis=1)


@pytest.mark.parametrize("frame", [0, 2])
@pytest.mark.parametrize("shutter", [0.5, 1.0])
def test_a_moving_square_has_edges_as_wide_as_its_way_while_the_shutter_is_open(physical, frame, shutter):
    pixels = 6.0
    spec = square(physical, pixels=pixels, shutter=shutter)
    seen = profile(exposed(spec, frame))
    scale = intrinsics(spec.cameras[0])[0, 0] / (HEIGHT - TOP)
    left = 0.5 * SIZE + scale * (-0.5 - 0.5 * EDGE) + pixels * frame
    expected = covered(left, left + scale * EDGE, pixels * shutter)
    assert np.abs(seen - expected).max() < 0.06  # 16 steps of the way, 64 samples by 12 rows
    columns = np.arange(SIZE) + 0.5
    centroid = (seen * columns).sum() / seen.sum()
    assert centroid == pytest.approx(left + 0.5 * scale * EDGE + 0.5 * pixels * shutter, abs=0.05)


def test_a_moving_camera_blurs_what_stands_still(physical):
    scale = intrinsics(square(physical).cameras[0])[0, 0] / (HEIGHT - TOP)
    way = 6.0 / scale  # [m] a frame
    path = CameraDolly(
        position=(0.0, -0.001, HEIGHT),
        position_end=(10.0 * way, -0.001, HEIGHT),
        target=(0.0, 0.0, 0.0),
        target_end=(10.0 * way, 0.0, 0.0),
        duration=10.0 / FPS,
    )
    spec = square(physical, pixels=0.0, shutter=1.0, path=path, frames=8)
    seen = profile(exposed(spec, 4))
    gone = [float(camera_to_world(spec.cameras[0], [frame / FPS])[0, 0, 3]) * scale for frame in (4, 5)]
    left = 0.5 * SIZE + scale * (-0.5 - 0.5 * EDGE) - gone[1]
    assert np.abs(seen - covered(left, left + scale * EDGE, gone[1] - gone[0])).max() < 0.06


@pytest.mark.parametrize("preset", ["standard", "high"])
def test_denoised_presets_show_the_same_blur(physical, preset):
    spec = square(physical, pixels=6.0, shutter=1.0)
    difference = profile(exposed(spec, 1, preset=preset)) - profile(exposed(spec, 1))
    assert np.abs(difference).max() < 0.12
    assert np.sqrt(np.mean(difference**2)) < 0.03


def test_truth_is_that_of_the_instant_bit_for_bit(physical):
    open_, closed = (
        simfactory.simulate(square(physical, shutter=shutter), backend="mock", preset="standard").clips[0].arrays
        for shutter in (0.7, 0.0)
    )
    assert open_.keys() == closed.keys()
    for name in open_:
        same = np.array_equal(open_[name], closed[name], equal_nan=open_[name].dtype.kind == "f")
        assert same == (name != "rgb"), name


def test_blurred_pixels_depend_neither_on_batch_nor_on_slot(make_scene):
    scenes = [make_scene(seed, size=24) for seed in (1, 2)]
    images = []
    for members, slot in ((scenes, 2), (scenes[1:], 0)):
        specs = [opened(scene.spec) for scene in members]
        renderer = Renderer([(spec, scene_surfaces(spec)) for spec in specs], preset="standard")

        def at(share, members=members):
            time = 0.2 + share / 24.0
            return [scene.state(time) for scene in members], np.concatenate([scene.cameras(time) for scene in members])

        states, pose = at(0.0)
        placed = renderer.place(states, slot)
        image = renderer.shade(renderer.surface(placed, pose, slot), placed, pose, 7, between=at)
        images.append(np.copy(image.tile(len(members) - 1)))
        renderer.close()
    assert np.array_equal(images[0], images[1])


def opened(spec, shutter=0.5):
    return spec.model_copy(
        update={"cameras": tuple(camera.model_copy(update={"shutter": shutter}) for camera in spec.cameras)}
    )


def test_cameras_of_two_shutters_record_one_episode(physical):
    spec = square(physical, shutter=0.0)
    second = spec.cameras[0].model_copy(update={"name": "second", "shutter": 1.0})
    both = spec.model_copy(update={"cameras": (spec.cameras[0], second)})
    sharp, blurred = simfactory.simulate(both, backend="mock", preset="standard").clips
    assert np.array_equal(sharp.arrays["depth"], blurred.arrays["depth"])
    assert not np.array_equal(sharp.arrays["rgb"], blurred.arrays["rgb"])
    with pytest.raises(SpecError, match="one shutter"):
        Renderer([(both, scene_surfaces(both))], preset="standard")


def test_draft_refuses_an_open_shutter(physical):
    with pytest.raises(SpecError, match=r"shutter 0\.5.*'standard'"):
        check_scene(square(physical), backend="mock")


def test_a_body_turns_at_a_constant_rate_between_frames_and_after_the_last(physical):
    spec = square(physical)
    spin = MotionRotation(body="square", angular_velocity=(0.0, 3.0, 4.0))
    trajectory = mock_trajectory(spec.model_copy(update={"motions": (spin,)}))
    for frame, share in ((0, 0.25), (1, 0.5), (2, 0.75)):
        wanted = quat_from_axis_angle((0.0, 3.0, 4.0), 5.0 * (frame + share) / FPS)
        found = trajectory.between(frame, share).quat_xyzw[0]
        assert abs(found @ wanted) == pytest.approx(1.0, abs=1e-6)
        assert trajectory.between(frame, share).time == pytest.approx((frame + share) / FPS)


def test_slerp_takes_the_shorter_way():
    a, b = quat_from_axis_angle((1.0, 0.0, 0.0), 0.2), -quat_from_axis_angle((1.0, 0.0, 0.0), 1.0)
    assert abs(quat_slerp(a, b, 0.5) @ quat_from_axis_angle((1.0, 0.0, 0.0), 0.6)) == pytest.approx(1.0)
    assert np.allclose(quat_slerp(a, a, 0.3), a)
