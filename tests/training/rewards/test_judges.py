"""Judges from outside: they see the colours only."""

import torch

from training.estimators import load_flow_estimator
from training.rewards import REWARDS, FlowJudge


def test_flow_that_is_seen_tells_the_clip_from_a_still_one_and_from_one_that_runs_backwards(batch, truth):
    judge, reward = FlowJudge(load_flow_estimator("dis_flow")), REWARDS["track_offset"]()
    rgb = batch["rgb"]
    right, still, back = (
        reward(judge(clip, truth), truth).mean()
        for clip in (rgb, rgb[:, :1].expand_as(rgb), torch.cat([rgb[:, :1], rgb[:, 1:].flip(1)], dim=1))
    )
    assert right > still + 0.005
    assert right > back
