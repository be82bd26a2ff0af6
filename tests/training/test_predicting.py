"""A video begins with its first frame, its geometry has the conventions of the store, points lie where it says."""

import numpy as np
import pytest
import torch

from simfactory.errors import SpecError
from training.model import ClipFormat, GeometryHeads, HeadsConfig, TrainedModel
from training.model.backbones.tiny import TinyBackbone, TinyConfig
from training.predicting import Prediction, Sampling, assumed_intrinsics, fit_frame, predict_clip, read_geometry
from training.testing.backbone import randomise

CLIP = ClipFormat(frame_count=4, height=16, width=24, fps=8.0)
CONFIG = TinyConfig(width=96, block_count=1, head_count=2, patch=(1, 4, 4))
QUICK = Sampling(step_count=2)


@pytest.fixture(scope="module")
def model():
    backbone = TinyBackbone(CONFIG)
    randomise(backbone)
    heads = GeometryHeads(backbone.shape, HeadsConfig(depth_width=8))
    randomise(heads)
    return TrainedModel(backbone=backbone, heads=heads, clip=CLIP)


def picture(height=16, width=24, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_a_video_begins_with_its_first_frame_and_follows_from_its_seed(model):
    one, same, other = (
        predict_clip(model, picture(), prompt="a ball", clip=CLIP, seed=seed, sampling=QUICK) for seed in (1, 1, 2)
    )
    assert one.frames.shape == (4, 16, 24, 3)
    np.testing.assert_array_equal(one.frames[0], picture())
    np.testing.assert_array_equal(one.frames, same.frames)
    assert (one.frames[1:] != other.frames[1:]).mean() > 0.5


def test_geometry_has_the_conventions_of_the_store(model):
    found = predict_clip(model, picture(), prompt="", clip=CLIP, sampling=QUICK)
    assert found.depth.shape == found.visible.shape == found.depth_change.shape == (4, 16, 24)
    assert found.flow.shape == (4, 2, 16, 24)
    assert (found.depth > 0).all()
    for last in (found.flow[-1], found.depth_change[-1]):
        assert np.isnan(last).all()
    assert np.isfinite(found.flow[:-1]).all()
    assert not found.visible[-1].any()


def test_the_geometry_of_a_sample_is_that_of_its_latents(model):
    """Latents of the embedded model are pixels: read again from the video, only rounding to 8 bits is between them."""
    sampled = predict_clip(model, picture(), prompt="a ball", clip=CLIP, seed=3, sampling=QUICK)
    clipped = (sampled.frames == 0) | (sampled.frames == 255)
    again = read_geometry(model, sampled.frames, seed=3)
    assert clipped.mean() < 0.9
    np.testing.assert_allclose(np.log(again.depth), np.log(sampled.depth), atol=0.35)
    assert np.abs(np.log(read_geometry(model, sampled.frames, seed=3).depth) - np.log(again.depth)).max() == 0


def test_a_model_without_heads_gives_a_video_and_no_geometry(model):
    bare = TrainedModel(backbone=model.backbone)
    found = predict_clip(bare, picture(), prompt="", clip=CLIP, sampling=QUICK)
    assert found.depth is None
    assert found.cloud(np.tile(np.eye(3), (4, 1, 1)), np.tile(np.eye(4), (4, 1, 1)), fps=8.0) is None
    with pytest.raises(SpecError, match="no heads"):
        read_geometry(bare, found.frames)


def test_asking_leaves_no_gradients(model):
    predict_clip(model, picture(), prompt="", clip=CLIP, sampling=QUICK)
    assert all(parameter.grad is None for parameter in model.backbone.parameters())
    assert torch.is_grad_enabled()


def test_pictures_of_other_sizes_are_scaled_to_cover_and_cut():
    wide = np.zeros((32, 96, 3), np.uint8)
    wide[:, 24:72] = 200
    fitted = fit_frame(wide, 16, 24)
    assert fitted.shape == (16, 24, 3)
    assert (fitted == 200).all()
    assert fit_frame(picture(7, 9), 16, 24).shape == (16, 24, 3)
    np.testing.assert_array_equal(fit_frame(picture(), 16, 24), picture())
    with pytest.raises(SpecError, match="uint8"):
        fit_frame(np.zeros((4, 4)), 16, 24)


def test_clips_that_a_model_cannot_make_are_refused():
    with pytest.raises(SpecError, match="steps"):
        Sampling(step_count=0)
    with pytest.raises(SpecError, match="t ="):
        Sampling(geometry_time=0.0)


def test_points_lie_where_depth_and_motion_put_them():
    """A wall 2 m away moves 0.1 m to the right per frame, past a camera at rest that looks along the world's y."""
    intrinsics = assumed_intrinsics(16, 24)
    du = 0.1 * intrinsics[0, 0] / 2.0
    flow = np.zeros((3, 2, 16, 24), np.float32)
    flow[:, 0] = du
    flow[-1] = np.nan
    wall = Prediction(
        frames=np.zeros((3, 16, 24, 3), np.uint8),
        depth=np.full((3, 16, 24), 2.0, np.float32),
        flow=flow,
        depth_change=np.where(np.arange(3) < 2, 0.0, np.nan)[:, None, None] * np.ones((16, 24), np.float32),
    )
    pose = np.eye(4)
    pose[:3, :3] = [[1, 0, 0], [0, 0, 1], [0, -1, 0]]
    pose[:3, 3] = (0, 0, 5)
    cameras = np.tile(intrinsics, (3, 1, 1)), np.tile(pose, (3, 1, 1))
    cloud = wall.cloud(*cameras, fps=10.0, stride=4)
    assert cloud.offsets.tolist() == [0, 24, 48, 48]
    np.testing.assert_allclose(cloud.position[:, 1], 2.0, atol=1e-6)
    np.testing.assert_allclose(cloud.velocity, np.tile([1.0, 0.0, 0.0], (48, 1)), atol=1e-4)
    np.testing.assert_allclose(np.unique(cloud.position[:, 3]), [0.0, 0.1], atol=1e-6)
    # Row 2 and column 2, whose centre is at (2.5, 2.5), are the first of every fourth.
    x, z = (2.5 - 12) * 2 / intrinsics[0, 0], 5 - (2.5 - 8) * 2 / intrinsics[1, 1]
    np.testing.assert_allclose(cloud.position[0, [0, 2]], [x, z], atol=1e-5)
    assert len(wall.cloud(*cameras, fps=10.0, stride=4, moving=False).position) == 72
    assert len(wall.cloud(*cameras, fps=0.05, stride=4).position) == 0
