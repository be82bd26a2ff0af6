"""The objective: which losses a stage has, what is trained, and what the first frame and chance do."""

from dataclasses import replace

import pytest
import torch

from training.config import NoiseConfig
from training.model import GeometryHeads, TinyBackbone, TinyConfig, TrainedModel
from training.objectives import Objective, draw, encoded

SHAPE = (2, 3, 5, 16, 16)


@pytest.fixture
def model():
    backbone = TinyBackbone(TinyConfig(width=96, block_count=2, head_count=2, patch=(1, 4, 4)))
    with torch.no_grad():
        for parameter in backbone.parameters():
            parameter.add_(0.02 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return TrainedModel(backbone=backbone, heads=GeometryHeads(backbone.shape))


def cost(model, config, batch, **noise):
    objective = Objective(model, config)
    draws = draw(SHAPE, config=replace(config.noise, **noise), seed=0, step=1)
    return objective(batch, encoded(model.backbone, batch, draws.keeps_text), draws)


def test_a_stage_has_the_losses_with_weights(model, tiny_config, make_batch):
    for stage, names in (
        ("base", {"flow_matching"}),
        ("pretrain", {"depth", "flow", "depth_change", "visibility"}),
        ("sft", {"flow_matching", "depth", "flow", "depth_change", "visibility", "warp", "rgb"}),
    ):
        config = tiny_config(stage)
        result = cost(model, config, make_batch(config.losses))
        assert set(result.losses) == names
        weighted = sum(config.losses.weights()[name] * float(value) for name, value in result.losses.items())
        assert float(result.total.detach()) == pytest.approx(weighted, rel=1e-5)


def test_heads_without_a_loss_are_no_part(model, tiny_config, make_batch):
    config = tiny_config("base")
    objective = Objective(model, config)
    assert objective.heads is None
    assert objective.other_parameters == []
    assert cost(model, config, make_batch(config.losses)).geometry is None


def test_a_frozen_network_gets_no_gradient(model, tiny_config, make_batch):
    model.backbone.freeze()
    config = tiny_config("pretrain")
    cost(model, config, make_batch(config.losses)).total.backward()
    assert all(parameter.grad is None for parameter in model.backbone.parameters())
    assert any(parameter.grad.abs().sum() > 0 for parameter in model.heads.parameters() if parameter.grad is not None)


def test_a_given_first_frame_is_left_out_of_the_loss(model, tiny_config, make_batch):
    config = tiny_config("base")
    batch = make_batch(config.losses)
    draws = draw(SHAPE, config=replace(config.noise, first_frame=1.0), seed=0, step=1)
    given = encoded(model.backbone, batch, draws.keeps_text)
    result = Objective(model, config)(batch, given, draws)
    clean, noise, times = given.latents, draws.noise, draws.times
    x_t = torch.lerp(clean, noise, times.reshape(-1, 1, 1, 1, 1))
    with torch.no_grad():
        velocity = model.backbone(x_t, times, first_frame=given.first_frame, text=given.text)
    error = (velocity - (noise - clean))[:, :, 1:].square().mean()
    assert float(result.losses["flow_matching"]) == pytest.approx(float(error), rel=1e-5)
    # Counted in, the exact latent would make the loss smaller.
    assert float(result.losses["flow_matching"]) > 1.1 * float((velocity - (noise - clean)).square().mean())


def test_without_a_first_frame_all_of_it_counts(model, tiny_config, make_batch):
    config = tiny_config("base")
    batch = make_batch(config.losses)
    assert float(cost(model, config, batch, first_frame=0.0).losses["flow_matching"]) > 0
    assert not draw(SHAPE, config=NoiseConfig(first_frame=0.0), seed=0, step=1).gives_first_frame


def test_draws_do_not_depend_on_the_number_of_processes():
    config = NoiseConfig(text_dropout=0.5, first_frame=0.5)
    whole = draw((4, 3, 2, 4, 4), config=config, seed=3, step=7)
    for rank in (0, 1):
        part = draw((2, 3, 2, 4, 4), config=config, seed=3, step=7, rank=rank, world=2)
        assert torch.equal(part.noise, whole.noise[rank::2])
        assert torch.equal(part.times, whole.times[rank::2])
        assert part.keeps_text == whole.keeps_text[rank::2]
        assert part.gives_first_frame == whole.gives_first_frame
    assert not torch.equal(draw((4, 3, 2, 4, 4), config=config, seed=3, step=8).noise, whole.noise)


def test_times_lie_in_the_window_and_captions_are_dropped():
    draws = draw((400, 1, 1, 1, 1), config=NoiseConfig(lowest=0.5, text_dropout=0.25), seed=0, step=0)
    assert 0.5 <= draws.times.min() < 0.52
    assert draws.times.max() > 0.98
    assert 60 < draws.keeps_text.count(False) < 140
