"""Alignment: tokens have the tracks and states of their frames; features that follow the points cost least."""

import pytest
import torch

from training.config import LossConfig
from training.model import TINY_SIZES, TinyBackbone, TokenGrid
from training.objectives.alignment import Alignment, alignment_block, token_frames, track_targets

OFF = dict.fromkeys(("depth", "flow", "depth_change", "visibility", "warp", "rgb"), 0.0)
BOTH = LossConfig(**OFF, pixel=0.1, semantic=0.5)


@pytest.mark.parametrize(
    ("grid", "frame_count", "frames"),
    [
        (TokenGrid(patch=(1, 4, 4)), 4, [0, 1, 2, 3]),
        (TokenGrid(patch=(2, 4, 4)), 6, [0, 3, 5]),
        (TokenGrid(patch=(2, 4, 4)), 5, [0, 3, 4]),
        (TokenGrid(patch=(1, 2, 2), temporal_stride=4, spatial_stride=8), 9, [0, 3, 7]),
    ],
)
def test_each_time_of_the_tokens_has_a_frame_of_its_own(grid, frame_count, frames):
    assert token_frames(grid, frame_count).tolist() == frames


def test_the_block_is_the_middle_one_or_the_fifteenth():
    assert [alignment_block(count, None) for count in (1, 2, 4, 29, 30, 40)] == [0, 0, 1, 14, 15, 15]
    assert alignment_block(30, 3) == 3


def test_the_mask_keeps_what_moves(make_batch):
    batch = make_batch(BOTH, simulated=4)
    frames = torch.arange(5)
    moving = track_targets(batch, frames, region_mask=True).selected
    every = track_targets(batch, frames, region_mask=False).selected
    assert 0 < moving.sum() < every.sum()
    moved = torch.linalg.vector_norm(batch["tracks_world"][:, :, -1] - batch["tracks_world"][:, :, 0], dim=-1)
    assert moved[moving].min() > 0.1  # [m]: the ball's points; ground does not move, under the moving camera either
    assert not moving[moved < 1e-3].any()


def make_alignment(losses=BOTH):
    return Alignment(TinyBackbone(TINY_SIZES["micro"]).shape, losses, seed=1)


def test_both_losses_reach_features_and_projections(make_batch):
    batch, alignment = make_batch(BOTH), make_alignment()
    features = torch.randn(2, 5, 96, 4, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    found = alignment(features, batch)
    assert set(found) == {"pixel", "semantic"}
    for value in found.values():
        (gradient,) = torch.autograd.grad(value, features, retain_graph=True)
        assert torch.isfinite(gradient).all()
        assert gradient.abs().sum() > 0


def test_training_features_lowers_both(make_batch):
    batch, alignment = make_batch(BOTH), make_alignment()
    features = torch.randn(2, 5, 96, 4, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    optimizer = torch.optim.Adam([features, *alignment.parameters()], lr=0.02)
    costs = []
    for _ in range(60):
        found = alignment(features, batch)
        costs.append({name: value.item() for name, value in found.items()})
        optimizer.zero_grad()
        sum(found.values()).backward()
        optimizer.step()
    for name in ("pixel", "semantic"):
        assert costs[-1][name] < 0.5 * costs[0][name], name


@pytest.mark.parametrize("name", ["pixel", "semantic"])
def test_what_is_off_has_no_network(name):
    other = {"pixel": "semantic", "semantic": "pixel"}[name]
    assert set(make_alignment(LossConfig(**OFF, **{other: 1.0})).project) == {other}


def test_videos_take_no_part(make_batch):
    features = torch.randn(1, 5, 96, 4, 4, requires_grad=True)
    found = make_alignment()(features, make_batch(BOTH, simulated=0, videos=1))
    assert [value.item() for value in found.values()] == [0.0, 0.0]
    sum(found.values()).backward()
    assert features.grad.abs().max() == 0


def test_a_video_beside_simulation_changes_nothing(make_batch):
    alignment = make_alignment()
    features = torch.randn(3, 5, 96, 4, 4, generator=torch.Generator().manual_seed(0))
    mixed = alignment(features, make_batch(BOTH, videos=1))
    alone = alignment(features[:2], make_batch(BOTH))
    for name, value in alone.items():
        assert torch.allclose(value, mixed[name], rtol=1e-5), name
