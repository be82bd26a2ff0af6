"""The embedded model keeps the contract, takes clips of any size, and learns."""

from dataclasses import replace

import pytest
import torch

from simfactory.errors import SpecError
from training.model import TINY_SIZES, TinyBackbone, TinyConfig
from training.model.sampling import sample_video
from training.testing.backbone import BackboneContract, randomise

CONFIG = TinyConfig(width=96, block_count=3, head_count=4, patch=(1, 4, 4), word_bins=64)


class TestFactorised(BackboneContract):
    # Neither frames nor pixels fill the patches.
    frame_count, size = 5, (14, 22)

    def make(self):
        backbone = TinyBackbone(replace(CONFIG, patch=(2, 4, 2), word_bins=96))
        randomise(backbone)
        return backbone


class TestFull(BackboneContract):
    frame_count, size = 3, (16, 16)

    def make(self):
        backbone = TinyBackbone(replace(CONFIG, attention="full"))
        randomise(backbone)
        return backbone


class TestWithoutFirstFrame(TestFull):
    takes_first_frame = False


@pytest.mark.parametrize(("frames", "height", "width"), [(1, 4, 4), (1, 7, 5), (4, 9, 3), (7, 8, 17)])
def test_any_size_fits(frames, height, width):
    backbone = TinyBackbone(replace(CONFIG, patch=(2, 2, 4)))
    x = torch.zeros(1, 3, frames, height, width)
    with backbone.capture([0]) as features:
        velocity = backbone(x, torch.ones(1), first_frame=None, text=backbone.encode_text([""]))
    assert velocity.shape == x.shape
    assert features[0].shape == (1, -(-frames // 2), 96, -(-height // 2), -(-width // 4))


def test_a_new_model_says_that_nothing_changes():
    backbone = TinyBackbone(CONFIG)
    first = torch.rand(2, 3, 8, 8) * 2 - 1
    video = sample_video(backbone, prompts=["a", ""], frame_count=3, size=(8, 8), first_frame=first, step_count=4)
    # Of pure noise a velocity keeps the first frame; 4 steps leave some of the noise in what follows from x_t.
    assert torch.equal(video[:, :, 0], first)
    assert (video - first.unsqueeze(2)).square().mean().sqrt() < 0.1
    noise = torch.randn(2, 3, 3, 8, 8)
    velocity = backbone(noise, torch.ones(2), first_frame=first.unsqueeze(2), text=backbone.encode_text(["a", ""]))
    torch.testing.assert_close(noise - velocity, first.unsqueeze(2).expand_as(noise))


def test_a_patch_too_large_for_the_width_is_refused():
    # 3 channels × 2 × 8 × 8 = 384 values need a width of 768.
    TinyConfig(width=768, head_count=8, patch=(2, 8, 8))
    with pytest.raises(SpecError, match=r"384 values.*at least 768"):
        TinyBackbone(replace(CONFIG, patch=(2, 8, 8)))


@pytest.mark.parametrize("change", [{"head_count": 5}, {"head_count": 96}, {"attention": "none"}])
def test_impossible_sizes_are_refused(change):
    with pytest.raises(SpecError):
        replace(CONFIG, **change)


def test_the_offered_sizes_are_as_large_as_they_say():
    counts = {}
    for name, config in TINY_SIZES.items():
        with torch.device("meta"):
            counts[name] = sum(parameter.numel() for parameter in TinyBackbone(config).parameters())
    assert 0.4e6 < counts["micro"] < 0.6e6
    assert 1e6 < counts["tiny"] < 5e6
    assert 30e6 < counts["small"] < 60e6


def test_weights_are_of_their_seed_and_the_global_generator_is_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, again, other = (TinyBackbone(replace(CONFIG, seed=seed)) for seed in (1, 1, 2))
    assert torch.rand(1) == expected
    weight = "transformer.embed_patch.weight"
    assert torch.equal(first.state_dict()[weight], again.state_dict()[weight])
    assert not torch.equal(first.state_dict()[weight], other.state_dict()[weight])


def test_prompts_are_bags_of_words():
    backbone = TinyBackbone(CONFIG)
    bags = backbone.encode_text(["A ball, red!", "red ball a", "blue water", ""])
    assert torch.equal(bags[0], bags[1])
    assert not torch.equal(bags[0], bags[2])
    assert not bags[3].any()
    # float32: three squares of 1/√3 sum to 1 within a few roundings.
    torch.testing.assert_close(bags[:3].norm(dim=-1), torch.ones(3, 1), rtol=0, atol=1e-6)


def test_it_overfits_one_batch():
    """A moving square: the flow matching loss over fixed times and noise falls to a fifth in 80 steps.

    The network gets below what a still frame costs only by what it says of each pixel, noise and all, which is what the
    rank trap prevents.
    """
    backbone = TinyBackbone(TINY_SIZES["micro"])
    video = -torch.ones(1, 3, 4, 16, 16)
    for frame in range(4):
        video[:, :, frame, 4:9, 2 * frame : 2 * frame + 5] = 1
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(4, *video.shape[1:], generator=generator)
    t = torch.tensor([0.3, 0.5, 0.7, 0.9])
    times = t.reshape(-1, 1, 1, 1, 1)
    x_t, target = (1 - times) * video + times * noise, noise - video
    text = backbone.encode_text(["a square moves"] * 4)
    first = backbone.encode_first_frame(video[:, :, 0], frame_count=4).expand(4, -1, -1, -1, -1)
    optimiser = torch.optim.Adam(backbone.parameters(), lr=2e-3)
    losses = []
    for _ in range(80):
        # Frame 0 is given: only the others are learned.
        error = backbone(x_t, t, first_frame=first, text=text) - target
        loss = error[:, :, 1:].square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 5, (losses[0], losses[-1])
