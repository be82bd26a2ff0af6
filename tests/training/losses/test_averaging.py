"""Means over pixels, and over objects first."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from simfactory.errors import SpecError
from training.losses import average, charbonnier


def test_plain_average_is_the_weighted_mean():
    error, weight = torch.tensor([[1.0, 2.0, 7.0]]), torch.tensor([[1.0, 3.0, 0.0]])
    assert average(error) == pytest.approx(10 / 3)
    assert average(error, weight=weight).item() == pytest.approx(7 / 4)


def test_every_object_weighs_the_same():
    error = torch.full((20, 20), 0.1)
    instance = torch.ones(20, 20, dtype=torch.uint16)
    error[3:5, 3:5], instance[3:5, 3:5] = 0.5, 7
    assert average(error).item() == pytest.approx((4 * 0.5 + 396 * 0.1) / 400)
    assert average(error, instance=instance).item() == pytest.approx((0.5 + 0.1) / 2)


def test_images_weigh_the_same_and_those_without_a_valid_pixel_nothing():
    error = torch.tensor([[[1.0, 3.0]], [[10.0, 10.0]], [[99.0, 99.0]]])
    instance = torch.tensor([[[1, 2]], [[1, 1]], [[1, 2]]])
    weight = torch.tensor([[[True, True]], [[True, True]], [[False, False]]])
    assert average(error, weight=weight, instance=instance) == (2.0 + 10.0) / 2


@given(st.integers(1, 5), st.integers(0, 2**31))
def test_one_object_an_image_of_equal_sizes_is_the_plain_mean(count, seed):
    generator = torch.Generator().manual_seed(seed)
    error = torch.rand(count, 2, 4, 5, generator=generator, dtype=torch.float64)
    instance = torch.randint(0, 9, (count, 2, 1, 1), generator=generator).expand_as(error)
    # Two orders of one sum of at most 200 numbers below 1.
    torch.testing.assert_close(average(error, instance=instance), average(error), rtol=1e-13, atol=0.0)


def test_errors_of_weight_zero_may_be_nan_and_pass_no_gradient():
    error = torch.tensor([[1.0, float("nan"), float("inf")]], requires_grad=True)
    weight = torch.tensor([[True, False, False]])
    for instance in (None, torch.tensor([[1, 1, 2]])):
        error.grad = None
        loss = average(error, weight=weight, instance=instance)
        loss.backward()
        assert loss == 1.0
        assert error.grad.tolist() == [[1.0, 0.0, 0.0]]


def test_gradients_are_those_of_differences():
    instance = torch.tensor([[[1, 1, 2], [2, 1, 3]]])
    weight = torch.tensor([[[1.0, 0.5, 2.0], [0.0, 1.0, 0.0]]], dtype=torch.float64)
    error = torch.rand(1, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda e: average(e, weight=weight, instance=instance), (error,))


def test_sums_in_half_precision_do_not_overflow():
    error = torch.full((300, 300), 2.0, dtype=torch.float16)  # the sum is 180 000, float16 ends at 65 504
    assert average(error) == 2.0
    assert average(error, instance=torch.zeros(300, 300, dtype=torch.uint8)) == 2.0


def test_shapes_that_differ_are_refused():
    with pytest.raises(SpecError, match="weight"):
        average(torch.ones(2, 3), weight=torch.ones(3, 2))
    with pytest.raises(SpecError, match="instance"):
        average(torch.ones(2, 3), instance=torch.ones(2, 1, dtype=torch.int64))


def test_charbonnier_is_zero_at_zero_and_a_distance_far_from_it():
    assert charbonnier(torch.zeros(1)) == 0.0
    # √(d² + ε²) = d + ε²/(2 d) − …, less ε.
    assert charbonnier(torch.tensor(-2.0, dtype=torch.float64)).item() == pytest.approx(2.0 - 1e-3 + 2.5e-7, abs=1e-12)
