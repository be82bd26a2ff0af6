"""Judges from outside: they see the colours only."""

import pytest
import torch

from simfactory.errors import SpecError
from training.estimators import load_flow_estimator
from training.model import GeometryHeads, HeadsConfig, TrainedModel
from training.model.backbones.tiny import TinyBackbone, TinyConfig
from training.predicting import read_geometry
from training.rewards import REWARDS, FlowJudge, HeadsJudge, TotalReward
from training.testing.backbone import randomise


@pytest.fixture(scope="module")
def model():
    """A second model, whose weights are those of no policy."""
    backbone = TinyBackbone(TinyConfig(width=96, block_count=1, head_count=2, patch=(1, 4, 4)))
    randomise(backbone)
    heads = GeometryHeads(backbone.shape, HeadsConfig(depth_width=8))
    randomise(heads)
    return TrainedModel(backbone=backbone, heads=heads)


def test_flow_that_is_seen_tells_the_clip_from_a_still_one_and_from_one_that_runs_backwards(batch, truth):
    judge, reward = FlowJudge(load_flow_estimator("dis_flow")), REWARDS["track_offset"]()
    rgb = batch["rgb"]
    right, still, back = (
        reward(judge(clip, truth), truth).mean()
        for clip in (rgb, rgb[:, :1].expand_as(rgb), torch.cat([rgb[:, :1], rgb[:, 1:].flip(1)], dim=1))
    )
    assert right > still + 0.005
    assert right > back


def test_heads_read_each_clip_by_its_colours_alone(model, batch, truth):
    judge, rgb = HeadsJudge(model), batch["rgb"]
    scene = judge(rgb, truth)
    frames = ((rgb[2] + 1.0) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    alone = read_geometry(model, frames)
    torch.testing.assert_close(scene.depth[2], torch.from_numpy(alone.depth))
    torch.testing.assert_close(scene.motion[2, :-1, :2], torch.from_numpy(alone.flow[:-1]))
    torch.testing.assert_close(scene.motion[2, :-1, 2], torch.from_numpy(alone.depth_change[:-1]))
    # Of the clips that are imitated nothing is taken but the colours that are given.
    others = truth.taken(torch.arange(len(truth)).flip(0))
    assert torch.equal(judge(rgb, others).depth, scene.depth)
    assert not torch.equal(judge(1.0 - rgb, truth).depth, scene.depth)
    for name, values in TotalReward().parts(scene, truth).items():
        assert torch.isfinite(values).all(), name


def test_a_model_without_heads_judges_nothing(model, batch, truth):
    with pytest.raises(SpecError, match="no heads"):
        HeadsJudge(TrainedModel(backbone=model.backbone))(batch["rgb"], truth)
