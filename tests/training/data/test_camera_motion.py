import numpy as np
import torch

from simfactory.dataset import open_dataset
from simfactory.simulators.mock import pose_at
from simfactory.spec import parse_spec
from simfactory.transforms import invert_pose, pixel_centers, transform_points, unproject
from training.data import Framing, WindowDataset, WindowKey, Windows, camera_rays, depth_change

BALL = 3  # instance id of the first body


def motion_of(source, clip, *, framing=None, start=0, length=12):
    dataset = WindowDataset(
        [source], windows=Windows(length=length), outputs=("motion", "instance"), framing=framing or Framing()
    )
    return dataset[WindowKey(source=0, clip_id=clip.id, start=start)]


def displacement(clip, frame):
    """Closed form: how far the ball, which does not turn, gets from a frame to the next [m]."""
    spec = parse_spec(clip.spec)
    return pose_at(spec, 0, (frame + 1) / clip.fps)[0] - pose_at(spec, 0, frame / clip.fps)[0]


def test_dz_of_a_falling_ball_is_how_far_it_gets_along_the_optical_axis(balls, source):
    clip = open_dataset(balls)[0]
    sample = motion_of(source, clip)
    axis = clip.read("camera/camera_to_world")[0, :3, 2]
    for frame in range(12):
        ball = sample["instance"][frame] == BALL
        dz = sample["motion"][frame, 2][ball].numpy()
        exact = float(axis @ displacement(clip, frame))
        # Scene flow is stored in steps of 0.1 mm: half a step along each axis, |axis|₁ ≤ √3.
        np.testing.assert_allclose(dz, exact, atol=0.5e-4 * np.sqrt(3) + 1e-6)
        assert ball.sum() > 30
    assert float(axis @ displacement(clip, 0)) < -0.03  # it approaches: nothing that could be 0 by mistake


def test_dz_with_a_moving_camera_is_the_difference_of_two_cameras_depths(balls, source):
    clip = open_dataset(balls)[1]
    sample = motion_of(source, clip)
    depth, instance = np.nan_to_num(clip.read("depth"), posinf=1.0), clip.read("instance")
    poses, intrinsics = clip.read("camera/camera_to_world"), clip.read("camera/K")
    largest = 0.0
    for frame in range(12):
        camera = unproject(pixel_centers(48, 64), depth[frame], intrinsics[frame])
        world = transform_points(poses[frame], camera)
        # Only the ball moves, the ground (1) does not.
        world = world + (instance[frame] == BALL)[..., None] * displacement(clip, frame)
        exact = transform_points(invert_pose(poses[frame + 1]), world)[..., 2] - depth[frame]
        hit = instance[frame] > 0
        dz = sample["motion"][frame, 2].numpy()
        # Half a step of the scene flow, and float32: 6e-8 of coordinates below 100 m.
        np.testing.assert_allclose(dz[hit], exact[hit], atol=0.5e-4 * np.sqrt(3) + 1e-5)
        assert np.isnan(dz[~hit]).all()
        largest = max(largest, float(np.abs(exact[instance[frame] == 1]).max()))
    assert largest > 0.05  # the camera's own motion is what is tested


def test_dz_of_a_crop_is_that_of_the_whole_picture(balls, source):
    clip = open_dataset(balls)[1]
    whole = motion_of(source, clip)
    framing = Framing(crop=(20, 30), place="random")
    dataset = WindowDataset([source], windows=Windows(length=12), outputs=("motion",), framing=framing)
    part = dataset[WindowKey(source=0, clip_id=clip.id, start=0, top=7, left=9)]
    # The same float32 operations, but for rays from other principal points: 1e-6 of some metres.
    torch.testing.assert_close(part["motion"], whole["motion"][..., 7:27, 9:39], equal_nan=True, atol=1e-5, rtol=0.0)


def test_motion_is_undefined_on_the_clips_last_frame_and_defined_on_a_windows(balls, source):
    clip = open_dataset(balls)[1]
    last = motion_of(source, clip, start=1)
    assert torch.isnan(last["motion"][-1]).all()
    assert not last["motion_valid"][-1].any()
    inner = motion_of(source, clip, start=0)
    hit = inner["instance"] > 0
    assert (inner["motion_valid"] == hit).all()
    assert (inner["motion_depth_valid"] == hit).all()
    # The next window begins one frame later and says the same of the frames that both have.
    torch.testing.assert_close(inner["motion"][1:], last["motion"][:-1], equal_nan=True, atol=0.0, rtol=0.0)


def test_a_camera_that_stands_still_keeps_rounded_depth_out_of_dz():
    pose = torch.eye(4, dtype=torch.float64)
    intrinsics = torch.tensor([[50.0, 0.0, 4.0], [0.0, 50.0, 3.0], [0.0, 0.0, 1.0]])
    flow = torch.full((3, 6, 8), 0.25)
    dz = depth_change(
        torch.full((6, 8), 65504.0),
        flow,
        intrinsics=intrinsics,
        camera_to_world=pose,
        camera_to_world_next=pose,
    )
    assert torch.equal(dz, torch.full((6, 8), 0.25))  # exact: M − I is zero


def test_rays_are_those_of_pixel_centres():
    intrinsics = torch.tensor([[40.0, 0.0, 4.0], [0.0, 50.0, 3.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
    rays = camera_rays(intrinsics, height=6, width=8)
    expected = unproject(pixel_centers(6, 8), np.ones((6, 8)), intrinsics.numpy())
    np.testing.assert_allclose(rays.movedim(0, -1).numpy(), expected, rtol=1e-14)
