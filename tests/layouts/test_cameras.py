"""Camera rigs: the region fills the picture, and nothing else moves a camera."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layouts import Region, Stage, action_region
from layouts.cameras import farthest, place_cameras, rigs
from layouts.cameras.base import NEAREST, distance_to_fit
from layouts.region import STEP
from simfactory.cameras import camera_course, camera_to_world, intrinsics
from simfactory.errors import SpecError
from simfactory.rng import stream
from simfactory.spec import CameraFixed, CameraOrbit, Sphere
from simfactory.testing.specs import make_body
from simfactory.transforms import invert_pose, project, transform_points

WHOLE = ("ring", "orbit", "dolly", "crane", "first_person")  # these always see the whole region
SIZES = [(256, 256), (512, 512), (320, 180), (180, 320), (1024, 256)]


def draws(seed):
    return partial(stream, seed)


def random_region(seed):
    draw = stream(seed, "region")
    count = draw.integer(1, 6)
    centers = np.array(
        [[draw.uniform(-1.5, 1.5), draw.uniform(-1.5, 1.5), draw.uniform(0.2, 1.5)] for _ in range(count)]
    )
    return Region(centers=centers, radii=np.array([draw.uniform(0.05, 0.4) for _ in range(count)]))


def place(seed, *, names=("ring", "orbit"), views=None, size=(256, 256)):
    return place_cameras(names, views=views, region=random_region(seed), size=size, streams=draws(seed))


@pytest.mark.parametrize("size", SIZES[:4])
@pytest.mark.parametrize("seed", range(20))
def test_every_sphere_of_the_region_is_in_every_picture_all_the_time(seed, size):
    region = random_region(seed)
    directions = np.array([stream(seed, "direction", k).direction() for k in range(50)])
    surface = (region.centers[:, None] + region.radii[:, None, None] * directions).reshape(-1, 3)
    for camera in place(seed, names=WHOLE, size=size):
        for pose in camera_to_world(camera, np.linspace(0.0, 8.0, 9)):
            points = transform_points(invert_pose(pose), surface)
            pixels = project(points, intrinsics(camera))
            assert points[:, 2].min() > 0.0
            assert np.all((pixels >= 0.0) & (pixels <= np.array(size)))


@given(st.integers(0, 2**32), st.floats(0.2, 0.7))
def test_the_fitted_distance_is_the_smallest_one(seed, half):
    region, draw = random_region(seed), stream(seed, "view")
    elevation, azimuth = draw.uniform(0.1, 1.0), draw.uniform(0.0, 6.0)
    direction = np.array(
        [math.cos(elevation) * math.cos(azimuth), math.cos(elevation) * math.sin(azimuth), math.sin(elevation)]
    )
    distance = distance_to_fit(direction[None], region.target, region, np.array([half, half]))[0]
    eye = region.target + distance * direction
    # The widest angle from the optical axis to a sphere's edge, in the planes of the picture's axes.
    right = np.cross(-direction, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    offsets = region.centers - eye
    worst = -math.inf
    for axis in (right, np.cross(-direction, right)):
        across, depth = np.abs(offsets @ axis), offsets @ -direction
        worst = max(worst, float((across * math.cos(half) + region.radii - depth * math.sin(half)).max()))
    assert worst <= 1e-9
    assert distance == pytest.approx(NEAREST) or worst == pytest.approx(0.0, abs=1e-9)


def test_the_default_is_three_fixed_and_two_moving_cameras():
    kinds = [type(camera.path) for camera in place(0)]
    assert kinds.count(CameraFixed) == 3
    assert kinds.count(CameraOrbit) == 2
    assert [camera.name for camera in place(0)] == ["ring_0", "orbit_0", "ring_1", "orbit_1", "ring_2"]


def test_fewer_views_are_the_first_of_more_and_one_view_stands_still():
    for views in range(1, 12):
        assert place(3, views=views) == place(3, views=12)[:views]
    assert place(3, views=5) == place(3)
    assert isinstance(place(3, views=1)[0].path, CameraFixed)


def test_dropping_a_rig_moves_no_camera_of_the_other():
    both = {camera.name: camera for camera in place(4)}
    for name in ("ring", "orbit"):
        for camera in place(4, names=(name,)):
            assert camera == both[camera.name]


def test_resolution_changes_neither_paths_nor_angles_of_equal_shape():
    for small, large in zip(place(5), place(5, size=(512, 512)), strict=True):
        assert small.path == large.path
        assert small.field_of_view == large.field_of_view


@pytest.mark.parametrize("size", SIZES)
def test_cameras_keep_to_their_angles_and_their_farthest_distance(size):
    for seed in range(30):
        region = random_region(seed)
        for camera in place(seed, names=tuple(rigs()), size=size, views=16):
            assert 35.0 - 1e-6 <= camera.field_of_view <= 75.0 + 1e-6
            positions = camera_to_world(camera, np.linspace(0.0, 5.0, 6))[:, :3, 3]
            assert np.linalg.norm(positions - region.target, axis=-1).max() <= farthest(region) + 1e-6
            assert positions[:, 2].min() > 0.1


def test_ring_cameras_look_from_all_sides():
    for seed in range(20):
        cameras = place(seed, names=("ring",))
        angles = sorted(
            math.atan2(camera.path.position[1] - camera.path.target[1], camera.path.position[0] - camera.path.target[0])
            for camera in cameras
        )
        gaps = np.diff([*angles, angles[0] + 2.0 * math.pi])
        assert np.degrees(gaps).min() >= 120.0 - 40.0 - 1e-6


def test_orbits_turn_both_ways():
    rates = [camera.path.azimuth_rate for camera in place(6, names=("orbit",))]
    assert rates[0] < 0.0 < rates[1]


@pytest.mark.parametrize(
    ("names", "views", "message"),
    [
        (("drone",), None, r"rig 'drone' is unknown; allowed are \['crane', 'dolly', 'first_person', 'orbit'"),
        (("ring", "ring"), None, "each rig once"),
        ((), None, "each rig once"),
        (("ring",), 0, "views is 0; allowed are 1 to 64"),
        (("ring",), 65, "views is 65; allowed are 1 to 64"),
    ],
)
def test_unknown_rigs_and_impossible_counts_are_refused(names, views, message):
    with pytest.raises(SpecError, match=message):
        place(0, names=names, views=views)


def test_rigs_are_found_in_their_folder():
    assert set(rigs()) >= {"ring", "orbit", "dolly", "crane", "tracking", "first_person"}


def thrown(seed):
    """The region of a body that is thrown, with its course."""
    body = make_body(position=(-1.0, 0.0, 0.6), linear_velocity=(2.0, 0.5, 1.5), geometry=Sphere(radius=0.15))
    gravity = np.array([0.0, 0.0, -stream(seed, "gravity").uniform(6.0, 12.0)])
    return action_region(Stage(gravity=gravity, groups={"ball": (body,)}))


@pytest.mark.parametrize("seed", range(10))
def test_a_tracking_camera_goes_with_the_action_and_keeps_it_in_the_picture(seed):
    region = thrown(seed)
    (camera,) = place_cameras(("tracking",), views=None, region=region, size=(256, 256), streams=draws(seed))
    _, targets = camera_course(camera.path, np.linspace(0.0, 2.0, 9))
    assert targets[-1, 0] - targets[0, 0] > 0.3
    for row, center in enumerate(region.courses[:, 0]):
        pose = camera_to_world(camera, [STEP * row])[0]
        point = transform_points(invert_pose(pose), center)
        pixel = project(point, intrinsics(camera))
        assert point[2] > region.course_radii[0]
        assert ((pixel > 0.0) & (pixel < 256.0)).all()


def test_a_ring_camera_has_the_region_in_the_middle_of_its_picture():
    for seed in range(10):
        region = random_region(seed)
        for camera in place(seed, names=("ring",)):
            pose = camera_to_world(camera, [0.0])[0]
            points = transform_points(invert_pose(pose), region.centers)
            reach = region.radii[:, None] / points[:, 2:]
            edges = points[:, :2] / points[:, 2:]
            middle = 0.5 * ((edges - reach).min(axis=0) + (edges + reach).max(axis=0))
            assert np.abs(middle).max() < 0.05


def test_a_walker_is_at_eye_height():
    for seed in range(10):
        (camera,) = place(seed, names=("first_person",))
        heights = camera_course(camera.path, np.linspace(0.0, 4.0, 41))[0][:, 2]
        assert heights.min() >= 1.2
        assert heights.max() <= 1.75
