"""Where the heads put what they read, and what they say at first."""

import pytest
import torch

from simfactory.errors import SpecError
from training.model import GeometryHeads, HeadsConfig, TokenGrid
from training.model.depth_head import DepthHead, TemporalAttention
from training.model.heads import MotionHead, evenly_spaced_blocks
from training.model.shape import BackboneShape
from training.testing.backbone import randomise

GRID = TokenGrid(patch=(1, 2, 1), temporal_stride=4, spatial_stride=2)
SHAPE = BackboneShape(
    grid=GRID, latent_channels=1, inner_width=16, block_count=12, text_width=4, attention_count=2, expansion=4.0
)


def test_motion_values_land_on_their_frames_and_pixels():
    """Each value of a token has a place: 4 channels of 4 frames of 4×2 pixels; three frames of token 0 are dropped."""
    head = MotionHead(16, GRID)
    values = torch.arange(4 * 4 * 4 * 2.0)
    with torch.no_grad():
        head.project.bias.copy_(values)
    motion = head(torch.zeros(1, 3, 16, 2, 3), torch.zeros(1), frame_count=9, size=(8, 6))
    assert motion.shape == (1, 9, 4, 8, 6)
    table = values.reshape(4, 4, 4, 2)
    for frame in range(9):
        # Frame 0 is the last of token 0's four, frame 1 the first of token 1.
        assert torch.equal(motion[0, frame], table[:, (frame + 3) % 4].repeat(1, 2, 3))


def test_motion_of_a_token_stays_in_it():
    head = MotionHead(16, GRID)
    randomise(head)
    features = torch.randn(1, 3, 16, 2, 3, generator=torch.Generator().manual_seed(0))
    other = features.clone()
    other[0, 1, :, 1, 2] += torch.arange(16.0)
    before, after = (head(each, torch.zeros(1), frame_count=9, size=(8, 6)) for each in (features, other))
    changed = (before != after).any(dim=2)[0]
    expected = torch.zeros(9, 8, 6, dtype=torch.bool)
    expected[1:5, 4:8, 4:6] = True
    assert torch.equal(changed, expected)


def test_motion_knows_the_time_of_the_noise():
    head = MotionHead(16, GRID)
    randomise(head)
    features = torch.randn(1, 1, 16, 2, 3, generator=torch.Generator().manual_seed(0))
    at = [head(features, torch.tensor([t]), frame_count=1, size=(8, 6)) for t in (0.1, 0.9)]
    assert not torch.equal(*at)


def test_reduced_motion_is_interpolated_to_pixels():
    head = MotionHead(16, GRID, reduction=2)
    with torch.no_grad():
        head.project.bias.fill_(1.5)
    motion = head(torch.zeros(1, 2, 16, 2, 3), torch.zeros(1), frame_count=5, size=(8, 6))
    assert motion.shape == (1, 5, 4, 8, 6)
    # Bilinear weights sum to 1 in float32.
    torch.testing.assert_close(motion, torch.full_like(motion, 1.5))
    with pytest.raises(SpecError, match="must divide"):
        MotionHead(16, GRID, reduction=3)


def test_heads_begin_at_rest_and_at_the_given_depth():
    heads = GeometryHeads(SHAPE, HeadsConfig(depth_width=16, initial_depth=2.5))
    assert list(heads.block_indices) == [2, 5, 8, 11]
    features = {index: torch.randn(2, 3, 16, 3, 5) for index in heads.block_indices}
    geometry = heads(features, torch.ones(2), frame_count=9, size=(11, 9))
    assert geometry.depth.shape == (2, 9, 11, 9)
    # log(exp(d) − 1) and back, in float32.
    torch.testing.assert_close(geometry.depth, torch.full((2, 9, 11, 9), 2.5), rtol=1e-5, atol=0)
    assert not geometry.flow.any()
    assert not geometry.depth_change.any()
    assert not geometry.visibility.any()


def test_depth_is_positive_and_every_level_counts():
    head = DepthHead(16, frames_per_token=4, width=16)
    randomise(head, scale=0.3)
    features = [torch.randn(1, 3, 16, 3, 5, requires_grad=True) for _ in range(4)]
    depth = head(features)
    assert depth.shape == (1, 12, 1, 12, 20)
    assert (depth > 0).all()
    depth.sum().backward()
    assert all(feature.grad.abs().sum() > 0 for feature in features)


def test_depth_sees_other_frames_through_temporal_attention_alone():
    head = DepthHead(16, frames_per_token=1, width=16)
    with torch.no_grad():
        head.out[2].weight.normal_(generator=torch.Generator().manual_seed(0))
    features = torch.randn(1, 3, 16, 4, 4, generator=torch.Generator().manual_seed(1))
    other = features.clone()
    other[:, 0] += torch.arange(16.0).reshape(16, 1, 1)

    def changed_frames():
        before, after = (head([each] * 4) for each in (features, other))
        return (before != after).flatten(2).any(dim=-1)[0].tolist()

    # At first attention adds nothing.
    assert changed_frames() == [True, False, False]
    randomise(head.temporal)
    assert changed_frames() == [True, True, True]


def test_temporal_attention_knows_the_order_of_frames():
    attention = TemporalAttention(16)
    randomise(attention)
    images = torch.randn(3, 16, 1, 1, generator=torch.Generator().manual_seed(0))
    forwards, backwards = attention(images, 3), attention(images.flip(0), 3).flip(0)
    assert not torch.allclose(forwards, backwards, atol=1e-4)


@pytest.mark.parametrize(
    ("blocks", "expected"), [(12, (2, 5, 8, 11)), (30, (7, 14, 22, 29)), (4, (0, 1, 2, 3)), (2, (0, 0, 1, 1))]
)
def test_blocks_are_evenly_spaced(blocks, expected):
    assert evenly_spaced_blocks(blocks) == expected
