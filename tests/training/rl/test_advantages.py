"""Advantages against numbers by hand."""

import pytest
import torch

from simfactory.errors import SpecError
from training.rl import RunningBaseline, advantages, best_and_worst, groups_with_spread, shuffled

REWARDS = torch.tensor([[1.0, 2.0, 3.0, 6.0], [0.0, 0.0, 0.0, 4.0]])


def test_groups_are_standardised_by_themselves():
    found = advantages(REWARDS, kind="grpo_group")
    torch.testing.assert_close(found[0], torch.tensor([-2.0, -1.0, 0.0, 3.0]) / 3.5**0.5)
    torch.testing.assert_close(found[1], torch.tensor([-1.0, -1.0, -1.0, 3.0]) / 3.0**0.5)


def test_the_batch_shares_a_deviation():
    found = advantages(REWARDS, kind="grpo_global")
    # Mean 2 and mean square 66/8 of all eight.
    torch.testing.assert_close(found[0], torch.tensor([-2.0, -1.0, 0.0, 3.0]) / (66 / 8 - 4) ** 0.5)


def test_leave_one_out_compares_with_the_others():
    found = advantages(REWARDS, kind="rloo", limit=100.0)
    for row, rewards in zip(found, REWARDS, strict=True):
        for index, value in enumerate(row):
            others = torch.cat([rewards[:index], rewards[index + 1 :]])
            assert float(value) == pytest.approx(float(rewards[index] - others.mean()), abs=1e-6)


def test_a_baseline_is_subtracted():
    found = advantages(REWARDS, kind="value", baseline=torch.tensor([2.0, 1.0]))
    torch.testing.assert_close(found, torch.tensor([[-1.0, 0.0, 1.0, 4.0], [-1.0, -1.0, -1.0, 3.0]]))


def test_the_baseline_is_of_earlier_iterations():
    baseline = RunningBaseline(kept=0.5)
    assert baseline.expected(["a"]).tolist() == [0.0]
    baseline.update(["a", "b"], torch.tensor([[1.0, 3.0], [5.0, 7.0]]))
    assert baseline.expected(["a", "b", "new"]).tolist() == [2.0, 6.0, 4.0]
    baseline.update(["a"], torch.tensor([[4.0, 4.0]]))
    again = RunningBaseline(kept=0.5)
    again.load_state_dict(baseline.state_dict())
    assert again.expected(["a", "b"]).tolist() == [3.0, 6.0]


@pytest.mark.parametrize("kind", ["grpo_group", "grpo_global", "rloo", "value"])
def test_sizes_end_at_five(kind):
    rewards = torch.zeros(2, 64)
    rewards[0, 0], rewards[1, 0] = 1000.0, -1000.0
    found = advantages(rewards, kind=kind, baseline=torch.zeros(2))
    assert found.amax() == 5.0
    assert found.amin() == -5.0


def test_groups_without_spread_say_nothing():
    rewards = torch.tensor([[2.0, 2.0], [1.0, 1.5]])
    assert groups_with_spread(rewards).tolist() == [False, True]
    assert advantages(rewards, kind="grpo_group")[0].tolist() == [0.0, 0.0]


def test_the_best_and_the_worst_are_found():
    assert best_and_worst(REWARDS, 1).tolist() == [[3, 0], [3, 2]]
    assert sorted(best_and_worst(REWARDS, 2)[0].tolist()) == [0, 1, 2, 3]
    with pytest.raises(SpecError, match=r"1 … 2"):
        best_and_worst(REWARDS, 3)


def test_shuffling_keeps_the_numbers_but_not_their_places():
    values = torch.arange(40.0).reshape(4, 10)
    mixed = shuffled(values, torch.Generator().manual_seed(0))
    assert not torch.equal(mixed, values)
    assert torch.equal(mixed.flatten().sort().values, values.flatten())
    assert (mixed.mean(1) - values.mean(1)).abs().max() > 1.0  # over prompts, too


@pytest.mark.parametrize(
    ("rewards", "kind", "told"),
    [
        (torch.zeros(3), "grpo_group", "2 or more samples"),
        (torch.zeros(3, 1), "rloo", "2 or more samples"),
        (torch.zeros(3, 2), "gae", "choose one of"),
        (torch.zeros(3, 2), "value", "a baseline of each prompt"),
    ],
)
def test_what_is_wrong_is_named(rewards, kind, told):
    with pytest.raises(SpecError, match=told):
        advantages(rewards, kind=kind)
