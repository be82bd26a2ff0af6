"""The gate opens for rewards that put truth before imitations, and imitations before clips of something else."""

import pytest
import torch

from simfactory.errors import RunError
from training.rewards import Scene4D, TotalReward, check_rewards, gate_report, swap_clips


def test_it_opens_for_an_imitation_that_is_half_right(truth):
    own = truth.as_scene()
    report = gate_report(Scene4D.of(own.depth * 1.05, own.motion * 0.7), truth, TotalReward())
    assert report.is_open
    check_rewards(report)
    assert report.parts.keys() == TotalReward().weights.keys()


def test_it_stays_shut_for_nonsense_and_says_the_figures(truth):
    own = truth.as_scene()
    nonsense = Scene4D.of(torch.full_like(own.depth, 0.1), own.motion.flip(-1) * 20.0)
    with pytest.raises(RunError, match=r"truth > generated > wrong clip on 4 clips \(truth .*pretrain and sft"):
        check_rewards(gate_report(nonsense, truth, TotalReward()))


def test_wrong_clips_themselves_are_not_better_than_wrong_clips(truth):
    assert not gate_report(swap_clips(truth.as_scene()), truth, TotalReward()).is_open


def test_it_trusts_no_two_clips(truth):
    few = truth.taken(torch.arange(2))
    with pytest.raises(RunError, match="asked of 2 clips"):
        check_rewards(gate_report(few.as_scene(), few, TotalReward()))
