"""The policy's objective, divergence, steps and copies in closed form."""

import pytest
import torch
from torch import nn

from simfactory.errors import RunError, SpecError
from training.model.sampling import time_grid
from training.rl import (
    Exploration,
    WeightCopy,
    chosen_steps,
    clipped_objective,
    gaussian_divergence,
    policy_terms,
    roll_out,
)


@pytest.mark.parametrize(
    ("ratio", "advantage", "objective", "gradient"),
    [
        (1.0, 2.0, 2.0, 2.0),
        (1.05, 2.0, 2.1, 2.1),
        (1.3, 2.0, 2.2, 0.0),  # better than 1 + ε is not wanted more
        (0.7, 2.0, 1.4, 1.4),  # but lost ground is won back
        (0.7, -2.0, -1.8, 0.0),
        (1.3, -2.0, -2.6, -2.6),
    ],
)
def test_ratios_are_clipped_on_one_side_only(ratio, advantage, objective, gradient):
    told = torch.tensor(ratio).log().requires_grad_()
    found, clipped, seen = clipped_objective(told, torch.zeros(()), torch.tensor(advantage), clip=0.1)
    found.backward()
    assert float(found.detach()) == pytest.approx(objective)
    assert float(told.grad) == pytest.approx(gradient, abs=1e-6)
    assert bool(clipped) == (gradient == 0.0)
    assert float(seen) == pytest.approx(ratio)


def test_the_divergence_is_that_of_normal_distributions():
    mean, other = torch.tensor([[0.0, 1.0], [2.0, 2.0]]), torch.tensor([[0.5, 1.0], [2.0, 3.0]])
    normal = torch.distributions.Normal
    wanted = torch.distributions.kl_divergence(normal(mean, 0.4), normal(other, 0.4))
    torch.testing.assert_close(gaussian_divergence(mean, other, torch.tensor(0.4)), wanted.mean(1))
    torch.testing.assert_close(gaussian_divergence(mean, other, torch.tensor(0.4), reduction="sum"), wanted.sum(1))


def linear(weight):
    return lambda x, t: weight * x + t.reshape(-1, *(1,) * (x.ndim - 1))


@pytest.mark.parametrize("sampler", ["exact", "flow_grpo", "dance", "cps"])
def test_the_policy_that_sampled_has_ratio_one_and_the_gradient_of_reinforce(sampler):
    exploration = Exploration(sampler=sampler, noise_level=0.6)
    generator = torch.Generator().manual_seed(0)
    weight = torch.tensor(0.3, requires_grad=True)
    policy = linear(weight)
    rollout = roll_out(
        policy, torch.randn(5, 3, 2, generator=generator), time_grid(4), exploration=exploration, generator=generator
    )
    assert rollout.states.shape == (5, 5, 3, 2)
    assert rollout.trainable_count == 3
    advantage = torch.tensor([1.0, -1.0, 0.5, 2.0, -2.5])
    for step in range(3):
        velocity = policy(rollout.states[step], rollout.times[step].expand(5))
        terms = policy_terms(
            velocity,
            rollout,
            step,
            advantage,
            exploration=exploration,
            clip=0.1,
            reference_velocity=velocity + 0.2,
        )
        torch.testing.assert_close(terms.ratio, torch.ones(5))
        torch.testing.assert_close(terms.objective, advantage)
        assert not terms.clipped.any()
        assert bool((terms.divergence > 0).all())
        (slope,) = torch.autograd.grad(terms.objective.sum(), weight)
        # By differences of the log-probability: ∇ E[r A] = Σ A ∇ log π at r = 1.
        ends = [
            policy_terms(
                linear(weight.detach() + shift)(rollout.states[step], rollout.times[step].expand(5)),
                rollout,
                step,
                torch.ones(5),
                exploration=exploration,
                clip=10.0,
            ).ratio.log()
            for shift in (-1e-2, 1e-2)
        ]
        assert float(slope) == pytest.approx(float((advantage * (ends[1] - ends[0])).sum() / 2e-2), rel=2e-2, abs=1e-3)


def test_some_samples_of_a_rollout():
    exploration = Exploration()
    noise = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
    rollout = roll_out(linear(0.1), noise, time_grid(3), exploration=exploration)
    some = rollout.chosen(torch.tensor([3, 1]))
    assert torch.equal(some.clean, rollout.clean[[3, 1]])
    assert torch.equal(some.log_probabilities[1], rollout.log_probabilities[1, [3, 1]])
    with pytest.raises(SpecError, match="two steps or more"):
        roll_out(linear(0.1), noise, time_grid(1), exploration=exploration)


def test_a_share_of_the_steps_is_drawn():
    generator = torch.Generator().manual_seed(0)
    draws = [chosen_steps(9, 0.5, generator) for _ in range(50)]
    assert all(len(draw) == 5 and list(draw) == sorted(set(draw)) for draw in draws)
    assert {step for draw in draws for step in draw} == set(range(9))
    assert chosen_steps(9, 1.0, generator) == tuple(range(9))
    assert len(chosen_steps(9, 0.01, generator)) == 1
    assert len(chosen_steps(10, 0.3, generator)) == 3


def test_a_copy_stays_takes_the_place_and_follows():
    layer = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        layer.weight.fill_(1.0)
    copy = WeightCopy({"weight": layer.weight})
    with torch.no_grad():
        layer.weight.fill_(3.0)
    with copy.in_place():
        assert float(layer.weight.detach()) == 1.0
    assert float(layer.weight.detach()) == 3.0
    copy.follow(0.9)  # (1 + 1)/(10 + 1) is kept
    with copy.in_place():
        assert float(layer.weight.detach()) == pytest.approx(2 / 11 * 1 + 9 / 11 * 3)
    again = WeightCopy({"weight": layer.weight})
    again.load_state_dict(copy.state_dict())
    copy.follow(0.9)
    again.follow(0.9)
    assert torch.equal(copy.state_dict()["weight"], again.state_dict()["weight"])
    for _ in range(400):
        copy.follow(0.9)
    assert float(copy.state_dict()["weight"]) == pytest.approx(3.0)
    with pytest.raises(RunError, match="another model"):
        copy.load_state_dict({"updates": torch.tensor(1)})
