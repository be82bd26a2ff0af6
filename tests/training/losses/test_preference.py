"""The preference loss against its closed form."""

import math

import pytest
import torch

from simfactory.errors import SpecError
from training.losses import dpo_loss, flow_matching_errors, flow_matching_loss


def errors(*values):
    return torch.tensor(values, dtype=torch.float64)


def loss(winner, loser, reference_winner, reference_loser, beta=2.0):
    return dpo_loss(winner, loser, reference_winner=reference_winner, reference_loser=reference_loser, beta=beta)


def test_the_reference_itself_costs_log_2():
    winner, loser = errors(0.3, 0.9), errors(0.5, 0.1)
    assert float(loss(winner, loser, winner, loser)) == pytest.approx(math.log(2.0), abs=1e-12)
    assert float(loss(winner, loser, loser, winner, beta=0.0)) == pytest.approx(math.log(2.0), abs=1e-12)


def test_the_closed_form():
    found = float(loss(errors(0.2), errors(0.7), errors(0.4), errors(0.6), beta=10.0))
    margin = -(10.0 / 2.0) * ((0.2 - 0.4) - (0.7 - 0.6))
    assert found == pytest.approx(-math.log(1.0 / (1.0 + math.exp(-margin))), rel=1e-12)


def test_gradients_lower_the_error_of_the_winner_and_raise_that_of_the_loser():
    winner, loser = errors(0.3).requires_grad_(), errors(0.3).requires_grad_()
    loss(winner, loser, errors(0.3), errors(0.3), beta=8.0).backward()
    assert float(winner.grad) == pytest.approx(8.0 / 4.0)
    assert float(loser.grad) == pytest.approx(-8.0 / 4.0)


def test_large_margins_stay_finite():
    assert float(loss(errors(0.0), errors(9.0), errors(0.0), errors(0.0), beta=1e4)) == pytest.approx(0.0, abs=1e-12)
    assert float(loss(errors(9.0), errors(0.0), errors(0.0), errors(0.0), beta=1e4)) == pytest.approx(4.5e4)


def test_what_does_not_fit_is_refused():
    with pytest.raises(SpecError, match="four of one shape"):
        loss(errors(1.0, 2.0), errors(1.0), errors(1.0), errors(1.0))
    with pytest.raises(SpecError, match="give 0 or more"):
        loss(errors(1.0), errors(1.0), errors(1.0), errors(1.0), beta=-1.0)


def test_the_mean_of_the_clips_errors_is_the_flow_matching_loss():
    torch.manual_seed(0)
    velocity, clean, noise = (torch.randn(3, 2, 4, 5, 5) for _ in range(3))
    weight = torch.ones(1, 1, 4, 1, 1)
    weight[:, :, 0] = 0.0
    each = flow_matching_errors(velocity, clean, noise, weight=weight)
    assert each.shape == (3,)
    torch.testing.assert_close(each.mean(), flow_matching_loss(velocity, clean, noise, weight=weight))
    assert float(flow_matching_errors(noise - clean, clean, noise).max()) == pytest.approx(0.0, abs=1e-12)
