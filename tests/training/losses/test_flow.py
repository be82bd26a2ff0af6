"""The losses of the motion head in closed form."""

import math

import pytest
import torch

from simfactory.errors import SpecError
from training.losses import flow_loss, visibility_loss


def test_truth_costs_nothing():
    flow = torch.randn(2, 3, 2, 8, 8)
    assert flow_loss(flow, flow) == 0.0


def test_a_constant_error_costs_both_terms():
    target = torch.zeros(2, 6, 6, dtype=torch.float64)
    predicted = target.clone()
    predicted[0] = 3.0
    # One of two channels is off by 3 px.
    expected = (3.0 + math.sqrt(9.0 + 1e-6) - 1e-3) / 2
    assert flow_loss(predicted, target).item() == pytest.approx(expected, rel=1e-12)


def test_one_channel_serves_for_the_change_of_depth():
    target = torch.full((4, 1, 6, 6), -0.2, dtype=torch.float64)
    loss = flow_loss(target + 0.1, target, scale=1e-6)
    assert loss.item() == pytest.approx(0.2 - 1e-6, abs=1e-11)


def test_a_small_ball_weighs_as_much_as_the_background():
    target = torch.zeros(2, 32, 32)
    instance = torch.ones(32, 32, dtype=torch.uint16)
    instance[4:6, 4:6] = 3
    target[:, instance == 3] = 2.0
    still = torch.zeros_like(target)  # zero flow: right on the background
    fair, plain = flow_loss(still, target, instance=instance), flow_loss(still, target)
    assert fair.item() == pytest.approx((4.0 - 1e-3) / 2, rel=1e-5)
    assert plain.item() == pytest.approx((4.0 - 1e-3) * 4 / 1024, rel=1e-5)


def test_undefined_flow_is_masked_without_gradients():
    target = torch.ones(3, 2, 5, 5)
    target[2] = float("nan")  # the last frame has none
    target[0, 1, 2, 2] = float("nan")
    predicted = torch.zeros_like(target).requires_grad_()
    loss = flow_loss(predicted, target, valid=torch.ones(3, 5, 5, dtype=torch.bool))
    loss.backward()
    assert loss.item() == pytest.approx(2.0 - 1e-3, rel=1e-6)
    assert torch.isfinite(predicted.grad).all()
    assert not predicted.grad[2].any()
    assert not predicted.grad[0, :, 2, 2].any()
    assert predicted.grad[1].all()


def test_a_prediction_that_is_no_number_is_not_hidden():
    predicted = torch.zeros(2, 4, 4)
    predicted[0, 0, 0] = float("nan")
    assert flow_loss(predicted, torch.zeros(2, 4, 4)).isnan()


def test_gradients_are_those_of_differences():
    generator = torch.Generator().manual_seed(2)
    predicted = torch.randn(2, 2, 3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    target = torch.randn(2, 2, 3, 4, generator=generator, dtype=torch.float64)
    instance = torch.randint(0, 3, (2, 3, 4), generator=generator)
    assert torch.autograd.gradcheck(lambda p: flow_loss(p, target, instance=instance), (predicted,))


def test_half_precision_is_computed_in_single():
    target = torch.zeros(2, 400, 400, dtype=torch.float16)
    loss = flow_loss(target + 8.0, target)  # sums to 2.6 million
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(16.0 - 1e-3, rel=1e-6)


def test_visibility_costs_the_logarithm_of_the_odds():
    logit = torch.tensor([[0.0, 0.0], [math.log(3.0), -math.log(3.0)]], dtype=torch.float64)
    visible = torch.tensor([[True, False], [True, True]])
    expected = (2 * math.log(2.0) + math.log(4 / 3) + math.log(4.0)) / 4
    assert visibility_loss(logit, visible).item() == pytest.approx(expected, rel=1e-12)


def test_visibility_of_the_sky_does_not_count():
    logit = torch.tensor([[0.0, float("nan")]], requires_grad=True)
    valid = torch.tensor([[True, False]])
    loss = visibility_loss(logit, torch.tensor([[True, True]]), valid=valid, instance=torch.tensor([[4, 0]]))
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2.0), rel=1e-6)
    assert logit.grad.tolist() == [[-0.5, 0.0]]


def test_what_does_not_fit_is_refused():
    with pytest.raises(SpecError, match="equal shapes"):
        flow_loss(torch.ones(2, 4, 4), torch.ones(1, 4, 4))
    with pytest.raises(SpecError, match="equal shapes"):
        visibility_loss(torch.ones(2, 4), torch.ones(4, 4, dtype=torch.bool))
