"""The flow-matching loss in closed form."""

import pytest
import torch

from simfactory.errors import SpecError
from training.losses import flow_matching_loss


def test_true_velocity_costs_nothing():
    clean, noise = torch.randn(2, 2, 4, 3, 5, 5)
    assert flow_matching_loss(noise - clean, clean, noise) == 0.0


def test_no_motion_costs_the_mean_square_of_the_velocity():
    clean, noise = torch.full((2, 3), 1.0), torch.full((2, 3), -2.0)
    assert flow_matching_loss(torch.zeros(2, 3), clean, noise) == 9.0


def test_latents_of_weight_zero_do_not_count():
    clean, noise = torch.zeros(2, 2, 1, 3, 4, 4)
    velocity = torch.ones(2, 1, 3, 4, 4)
    velocity[:, :, 0] = 100.0  # the given first frame
    later = torch.tensor([False, True, True])[:, None, None]
    assert flow_matching_loss(velocity, clean, noise, weight=later) == 1.0


def test_half_precision_is_computed_in_single():
    clean = torch.zeros(600, 600, dtype=torch.float16)
    loss = flow_matching_loss(clean, clean, clean + 1.0)
    assert loss.dtype == torch.float32
    assert loss == 1.0


def test_gradients_are_those_of_differences():
    velocity, clean, noise = torch.randn(3, 2, 3, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda v: flow_matching_loss(v, clean, noise), (velocity.requires_grad_(),))


def test_shapes_that_differ_are_refused():
    with pytest.raises(SpecError, match="equal shapes"):
        flow_matching_loss(torch.ones(2, 3), torch.ones(3, 2), torch.ones(3, 2))
    with pytest.raises(SpecError, match="differ"):
        flow_matching_loss(torch.ones(2, 3), torch.ones(2, 3), torch.ones(3))
