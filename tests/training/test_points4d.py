"""Points from depth and motion, and motion from points, in closed form."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from simfactory.errors import SpecError
from simfactory.transforms import invert_pose, look_at, project, transform_points
from training.points4d import (
    depth_change,
    motion_from_scene_flow,
    moving_mask,
    moving_points,
    scene_flow_from_motion,
    unproject,
)

K = np.array([[50.0, 0.0, 16.0], [0.0, 40.0, 12.0], [0.0, 0.0, 1.0]])
SIZE = (24, 32)


def orbiting_poses(count):
    """A camera on its way round the origin, `(count, 4, 4)`."""
    angle = 0.05 * np.arange(count)
    position = np.stack([4 * np.cos(angle), 4 * np.sin(angle), np.full(count, 1.5)], axis=-1)
    return look_at(position, np.zeros((count, 3)))


def test_points_are_those_of_pixel_centres():
    depth = np.full(SIZE, 2.0)
    points = unproject(depth, K)
    # The principal point is the corner of pixels: its neighbours see half a pixel off the axis.
    assert points[12, 16] == pytest.approx([0.5 * 2.0 / 50.0, 0.5 * 2.0 / 40.0, 2.0], abs=1e-15)
    assert points[11, 15] == pytest.approx([-0.5 * 2.0 / 50.0, -0.5 * 2.0 / 40.0, 2.0], abs=1e-15)
    assert points.mean(axis=(0, 1)) == pytest.approx([0.0, 0.0, 2.0], abs=1e-15)


def test_points_project_back_onto_pixel_centres():
    depth = np.random.default_rng(0).uniform(1.0, 9.0, (3, *SIZE))
    column, row = np.meshgrid(np.arange(32) + 0.5, np.arange(24) + 0.5)
    pixels = project(unproject(depth, K), K)
    np.testing.assert_allclose(pixels, np.broadcast_to(np.stack([column, row], axis=-1), pixels.shape), atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_arrays_and_tensors_give_the_same_and_keep_their_type(dtype):
    depth = np.random.default_rng(1).uniform(1.0, 9.0, SIZE).astype(dtype)
    array, tensor = unproject(depth, K), unproject(torch.tensor(depth), torch.tensor(K))
    assert array.dtype == dtype
    assert tensor.numpy().dtype == dtype
    np.testing.assert_array_equal(array, tensor.numpy())
    # Computed in float32 or better, then rounded once.
    exact = unproject(depth.astype(np.float64), K)
    np.testing.assert_allclose(array, exact, rtol=np.finfo(dtype).eps, atol=1e-6 if dtype == np.float32 else 0.0)


def test_intrinsics_go_with_the_batch():
    depth = np.random.default_rng(2).uniform(1.0, 9.0, (2, 3, *SIZE))
    cameras = np.stack([K, K + np.diag([5.0, 5.0, 0.0])])[:, None]
    points = unproject(depth, cameras)
    assert points.shape == (2, 3, *SIZE, 3)
    np.testing.assert_array_equal(points[1, 2], unproject(depth[1, 2], cameras[1, 0]))


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_no_depth_is_no_point_and_no_gradient(bad):
    depth = torch.full(SIZE, 2.0)
    depth[3, 4] = depth[12, 16] = bad
    depth.requires_grad_()
    points = unproject(depth, torch.tensor(K))
    np.testing.assert_array_equal(points.detach()[3, 4].numpy(), np.full(3, bad))
    points[torch.isfinite(points)].sum().backward()
    assert torch.isfinite(depth.grad).all()
    assert depth.grad[3, 4] == 0.0


def test_read_only_arrays_and_views_are_taken():
    depth = np.ones((2, *SIZE), np.float32)[:, ::-1]
    depth.flags.writeable = False
    assert unproject(depth, K).shape == (2, *SIZE, 3)


def test_a_rigid_motion_before_a_moving_zooming_camera_is_projected():
    """Every pixel's point moves by the same 3 vector: its motion is that of projecting both ends."""
    poses = orbiting_poses(2)
    depth = np.random.default_rng(3).uniform(3.0, 5.0, (2, *SIZE))
    step = np.array([0.05, -0.02, 0.03])
    scene_flow = np.broadcast_to(step[:, None, None], (2, 3, *SIZE))
    zoomed = K + np.diag([5.0, 7.0, 0.0])
    motion = motion_from_scene_flow(depth, scene_flow, np.stack([K, zoomed]), poses)
    world = transform_points(poses[0], unproject(depth[0], K)) + step
    seen = transform_points(invert_pose(poses[1]), world)
    column, row = np.meshgrid(np.arange(32) + 0.5, np.arange(24) + 0.5)
    np.testing.assert_allclose(motion[0, :2], np.moveaxis(project(seen, zoomed), -1, 0) - [column, row], atol=1e-11)
    np.testing.assert_allclose(motion[0, 2], seen[..., 2] - depth[0], atol=1e-13)
    assert np.isnan(motion[1]).all()
    change = depth_change(depth, scene_flow, np.stack([K, zoomed]), poses)
    np.testing.assert_array_equal(change, motion[:, 2])


def test_a_fixed_camera_sees_dz_as_the_motion_along_its_axis():
    pose = look_at((0.0, -4.0, 1.0), (0.0, 0.0, 1.0))  # looks along y
    scene_flow = np.broadcast_to(np.array([0.3, -0.2, 0.1])[:, None, None], (3, 3, *SIZE))
    change = depth_change(np.full((3, *SIZE), 4.0), scene_flow, K, pose)
    np.testing.assert_allclose(change[:2], -0.2, atol=1e-14)
    assert np.isnan(change[2]).all()


@given(st.integers(0, 2**31))
def test_motion_and_scene_flow_are_inverses(seed):
    generator = np.random.default_rng(seed)
    depth = generator.uniform(2.0, 6.0, (2, 3, *SIZE))
    depth[0, 1, 2, 3] = np.inf
    scene_flow = generator.normal(0.0, 0.05, (2, 3, 3, *SIZE))
    poses = np.stack([orbiting_poses(3), orbiting_poses(3)[::-1]])
    zooming = K + np.arange(3.0)[:, None, None] * np.diag([5.0, 7.0, 0.0])
    motion = motion_from_scene_flow(depth, scene_flow, zooming, poses)
    back = scene_flow_from_motion(depth, motion, zooming, poses)
    expected = scene_flow.copy()
    expected[:, -1] = np.nan
    expected[0, 1, :, 2, 3] = np.nan
    # 6 m times a few roundings of pixels and rotations.
    np.testing.assert_allclose(back, expected, atol=1e-13)


def test_points_that_go_behind_the_camera_have_no_motion():
    pose = look_at((0.0, -4.0, 1.0), (0.0, 0.0, 1.0))
    scene_flow = np.zeros((2, 3, *SIZE))
    scene_flow[:, 1, :, :16] = -5.0
    motion = motion_from_scene_flow(np.full((2, *SIZE), 4.0), scene_flow, K, pose)
    assert np.isnan(motion[0, :, :, :16]).all()
    assert np.isfinite(motion[0, :, :, 16:]).all()


def test_what_moves_is_faster_than_a_centimetre_a_second():
    scene_flow = np.zeros((2, 3, *SIZE), np.float32)
    scene_flow[0, :, 0, 0] = 0.0011 / 3**0.5
    scene_flow[0, :, 0, 1] = 0.0009 / 3**0.5
    scene_flow[0, :, 0, 2] = np.nan
    moving = moving_mask(scene_flow, fps=10.0)
    assert moving.nonzero()[0].tolist() == [0]
    assert moving[0, 0, 0]
    assert moving_mask(scene_flow, fps=20.0).sum() == 2
    assert moving_mask(scene_flow, fps=10.0, minimum_speed=0.02).sum() == 0


def moving_patch():
    """A wall at 4 m of which a patch of 4 × 6 px moves; sky above; the camera turns round it all."""
    depth = np.full((3, *SIZE), 4.0)
    depth[:, :2] = np.inf
    scene_flow = np.zeros((3, 3, *SIZE))
    scene_flow[:, 2, 8:12, 10:16] = 0.05
    scene_flow[2] = np.nan
    return depth, scene_flow, orbiting_poses(3)


def test_moving_points_are_where_and_when_the_patch_is():
    depth, scene_flow, poses = moving_patch()
    points, times = moving_points(depth, K, poses, scene_flow=scene_flow, fps=24.0)
    expected = [transform_points(pose, unproject(depth[0], K)[8:12, 10:16]).reshape(-1, 3) for pose in poses[:2]]
    np.testing.assert_allclose(points, np.concatenate(expected), atol=1e-14)
    np.testing.assert_allclose(times, np.repeat([0.0, 1 / 24], 24), atol=1e-16)


def test_a_moving_camera_moves_nothing_but_the_patch():
    depth, scene_flow, poses = moving_patch()
    motion = motion_from_scene_flow(depth, scene_flow, K, poses)
    assert np.nanmedian(np.linalg.norm(motion[0, :2], axis=0)) > 0.2  # [px] the whole image flows
    from_motion = moving_points(depth, K, poses, motion=motion, fps=24.0)
    from_scene_flow = moving_points(depth, K, poses, scene_flow=scene_flow, fps=24.0)
    for one, other in zip(from_motion, from_scene_flow, strict=True):
        np.testing.assert_array_equal(one, other)


def test_every_nth_pixel_is_that_of_the_store():
    depth, scene_flow, poses = moving_patch()
    points, _ = moving_points(depth, K, poses, scene_flow=scene_flow, fps=24.0, stride=3)
    expected = transform_points(poses[0], unproject(depth[0], K)[10, [10, 13]])  # of rows 1, 4, … and columns 1, 4, …
    np.testing.assert_allclose(points[:2], expected, atol=1e-14)
    assert len(points) == 4


def test_times_of_a_window_count_from_the_clips_beginning():
    depth, scene_flow, poses = moving_patch()
    _, times = moving_points(depth, K, poses, scene_flow=scene_flow, fps=24.0, first_frame=12)
    assert times.min() == 0.5


def test_tensors_give_tensors_with_gradients():
    depth, scene_flow, poses = (torch.tensor(values, dtype=torch.float32) for values in moving_patch())
    depth.requires_grad_()
    points, times = moving_points(depth, torch.tensor(K), poses, scene_flow=scene_flow, fps=24.0)
    points.sum().backward()
    assert (points.dtype, times.dtype) == (torch.float32, torch.float32)
    assert (depth.grad != 0).sum() == 48
    assert torch.isfinite(depth.grad).all()


def test_nothing_that_moves_is_an_empty_set():
    depth, scene_flow, poses = moving_patch()
    points, times = moving_points(depth, K, poses, scene_flow=0.0 * scene_flow, fps=24.0)
    assert points.shape == (0, 3)
    assert times.shape == (0,)


def test_what_does_not_fit_is_refused():
    depth, scene_flow, poses = moving_patch()
    with pytest.raises(SpecError, match="exactly one"):
        moving_points(depth, K, poses, fps=24.0)
    with pytest.raises(SpecError, match="exactly one"):
        moving_points(depth, K, poses, scene_flow=scene_flow, motion=scene_flow, fps=24.0)
    with pytest.raises(SpecError, match="motion of shape"):
        moving_points(depth, K, poses, scene_flow=scene_flow[:2], fps=24.0)
    with pytest.raises(SpecError, match="poses"):
        moving_points(depth, K, poses[:2], scene_flow=scene_flow, fps=24.0)
    with pytest.raises(SpecError, match="intrinsics"):
        unproject(depth, K[:2])
