"""A trained model comes back from its folder as it went in."""

import pytest
import torch

from simfactory.errors import SpecError
from training.model import (
    ClipFormat,
    GeometryHeads,
    HeadsConfig,
    TinyBackbone,
    TinyConfig,
    TrainedModel,
    velocity_and_geometry,
)


@pytest.fixture
def model():
    backbone = TinyBackbone(TinyConfig(width=96, block_count=2, head_count=2, patch=(1, 4, 4)))
    heads = GeometryHeads(backbone.shape, HeadsConfig(reduction=2, depth_width=16, initial_depth=4.0, seed=3))
    with torch.no_grad():
        heads.motion.project.weight.normal_(generator=torch.Generator().manual_seed(1))
    return TrainedModel(backbone=backbone, heads=heads, clip=ClipFormat(frame_count=4, height=16, width=24, fps=8.0))


def told(model):
    generator = torch.Generator().manual_seed(0)
    shape = model.backbone.shape.grid.latent_shape(4, 16, 24)
    x_t = torch.randn(1, model.backbone.shape.latent_channels, *shape, generator=generator)
    with torch.no_grad():
        return velocity_and_geometry(
            model.backbone,
            model.heads,
            x_t,
            torch.tensor([0.5]),
            first_frame=None,
            text=model.backbone.encode_text(["a ball falls"]),
        )


def test_model_says_the_same_after_it_was_saved_and_loaded(model, tmp_path):
    model.save(tmp_path)
    again = TrainedModel.load(tmp_path)
    assert (again.clip, again.heads.config) == (model.clip, model.heads.config)
    (velocity, geometry), (velocity_again, geometry_again) = told(model), told(again)
    assert torch.equal(velocity, velocity_again)
    assert geometry.flow.abs().max() > 0
    for name in ("depth", "flow", "depth_change", "visibility"):
        assert torch.equal(getattr(geometry, name), getattr(geometry_again, name)), name


def test_backbone_alone_has_no_heads(model, tmp_path):
    model.backbone.save(tmp_path)
    again = TrainedModel.load(tmp_path)
    assert (again.heads, again.clip) == (None, None)


def test_heads_that_are_away_or_of_another_model_are_a_clear_error(model, tmp_path):
    model.save(tmp_path)
    (tmp_path / "heads.safetensors").unlink()
    with pytest.raises(SpecError, match="train them again by pretrain"):
        TrainedModel.load(tmp_path)
    TrainedModel(backbone=model.backbone, heads=GeometryHeads(model.backbone.shape)).save(tmp_path / "other")
    (tmp_path / "other" / "heads.safetensors").rename(tmp_path / "heads.safetensors")
    with pytest.raises(SpecError, match="cannot be read"):
        TrainedModel.load(tmp_path)
