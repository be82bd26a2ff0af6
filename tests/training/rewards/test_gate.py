"""The gate opens for rewards that put truth before imitations, and imitations before clips of something else."""

from dataclasses import replace

import pytest
import torch

from simfactory.errors import RunError
from training.estimators import load_flow_estimator
from training.rewards import (
    FlowJudge,
    Scene4D,
    TotalReward,
    check_rewards,
    gate_report,
    judged_gate_report,
    swap_clips,
    truth_of,
)


@pytest.fixture(scope="module")
def half_right(truth):
    own = truth.as_scene()
    return gate_report(Scene4D.of(own.depth * 1.05, own.motion * 0.7), truth, TotalReward())


def test_it_opens_for_an_imitation_that_is_half_right(half_right):
    assert half_right.is_open
    check_rewards(half_right)
    assert half_right.parts.keys() == TotalReward().weights.keys()
    assert half_right.truth_lead.mean == pytest.approx(half_right.truth - half_right.generated)
    assert half_right.generated_lead.mean == pytest.approx(half_right.generated - half_right.wrong)


def test_it_stays_shut_for_nonsense_and_says_the_figures(truth):
    own = truth.as_scene()
    nonsense = Scene4D.of(torch.full_like(own.depth, 0.1), own.motion.flip(-1) * 20.0)
    with pytest.raises(RunError, match=r"truth > generated > wrong clip on 8 clips \(truth .*pretrain and sft"):
        check_rewards(gate_report(nonsense, truth, TotalReward()))


def test_wrong_clips_themselves_are_not_better_than_wrong_clips(truth):
    assert not gate_report(swap_clips(truth.as_scene()), truth, TotalReward()).is_open


def test_a_lead_that_may_be_chance_does_not_open_it(half_right):
    assert half_right.generated > half_right.wrong
    doubtful = replace(half_right.generated_lead, low=-0.01)
    with pytest.raises(RunError, match="only touches 0"):
        check_rewards(replace(half_right, generated_lead=doubtful))


def test_the_truth_is_not_before_itself(truth):
    assert not gate_report(truth.as_scene(), truth, TotalReward()).is_open


def test_it_trusts_no_two_clips(truth):
    few = truth.taken(torch.arange(2))
    with pytest.raises(RunError, match="asked of 2 clips"):
        check_rewards(gate_report(few.as_scene(), few, TotalReward()))


def test_a_judge_that_sees_less_than_another_clip_shows_does_not_open_it(batch, truth):
    """Flow by DIS is 1.2 px wrong of balls that move by 2 px: even the true colours, read so, are no good imitation."""
    judge = FlowJudge(load_flow_estimator("dis_flow"))
    report = judged_gate_report(judge, batch["rgb"], batch, TotalReward())
    assert report == gate_report(judge(batch["rgb"], truth), truth_of(batch), TotalReward())
    assert report.truth_lead.low > 0.0
    with pytest.raises(RunError, match="generated before wrong clip by -"):
        check_rewards(report)
