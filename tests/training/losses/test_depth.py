"""The depth loss in closed form."""

import pytest
import torch

from simfactory.errors import SpecError
from training.losses import depth_loss


def ramp(slope, *, size=(16, 16)):
    return slope * torch.arange(size[1], dtype=torch.float64).expand(size)


def test_truth_costs_nothing():
    target = torch.rand(2, 3, 16, 16, dtype=torch.float64) + 1.0
    assert depth_loss(target, target) == 0.0


def test_a_constant_error_costs_itself_and_has_no_gradient_term():
    target = torch.rand(16, 16, dtype=torch.float64) + 1.0
    assert depth_loss(target + 0.3, target).item() == pytest.approx(0.3, rel=1e-12)


def test_a_ramp_of_error_costs_its_slope_on_every_scale():
    target = torch.full((16, 16), 2.0, dtype=torch.float64)
    predicted = target + ramp(0.01)
    # L1: 0.01 · 7.5. Scales 1, 2, 4, 8 px: |∂_x R| is 0.01 times the step, |∂_y R| is 0; their mean is 0.0375. On a
    # square image there are as many steps along x as along y.
    expected = 0.075 + 0.5 * 0.01 * (1 + 2 + 4 + 8) / 4
    assert depth_loss(predicted, target).item() == pytest.approx(expected, rel=1e-12)
    single = depth_loss(predicted, target, scale_count=1, gradient_weight=2.0)
    assert single.item() == pytest.approx(0.075 + 2.0 * 0.01, rel=1e-12)


def test_scales_end_with_the_image():
    target = torch.ones(2, 2, dtype=torch.float64)
    predicted = target + torch.tensor([[0.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
    assert depth_loss(predicted, target, scale_count=9).item() == pytest.approx(0.5 + 0.5 * 1.0)
    assert depth_loss(predicted[:1, :1] + 0.25, target[:1, :1]) == 0.25


def test_mirrored_images_cost_the_same():
    predicted, target = torch.rand(2, 9, 7, dtype=torch.float64)
    instance = torch.randint(0, 4, (9, 7))
    loss = depth_loss(predicted, target, instance=instance, scale_count=1)
    for axis in (0, 1):
        mirrored = (values.flip(axis) for values in (predicted, target, instance))
        first, second, ids = mirrored
        # Sums of 63 numbers in another order.
        torch.testing.assert_close(depth_loss(first, second, instance=ids, scale_count=1), loss, rtol=1e-13, atol=0.0)


def test_a_small_ball_weighs_as_much_as_the_background():
    target = torch.full((32, 32), 5.0, dtype=torch.float64)
    instance = torch.ones(32, 32, dtype=torch.int32)
    instance[10:14, 10:14] = 2
    predicted = torch.where(instance == 2, target + 1.0, target)
    fair = depth_loss(predicted, target, instance=instance, gradient_weight=0.0)
    plain = depth_loss(predicted, target, gradient_weight=0.0)
    assert fair == 0.5
    assert plain == 16 / 1024


@pytest.mark.parametrize("bad", [float("inf"), float("nan")])
def test_sky_is_masked_without_gradients(bad):
    target = torch.full((2, 8, 8), 3.0)
    target[0, :2], target[1] = bad, bad
    predicted = torch.full_like(target, 3.5).requires_grad_()
    loss = depth_loss(predicted, target, instance=torch.zeros(2, 8, 8, dtype=torch.uint8))
    loss.backward()
    assert loss == 0.5
    assert torch.isfinite(predicted.grad).all()
    assert not predicted.grad[~torch.isfinite(target)].any()
    assert predicted.grad[0, 2:].all()


def test_a_prediction_that_is_no_number_is_not_hidden():
    target, predicted = torch.ones(4, 4), torch.ones(4, 4)
    predicted[1, 1] = float("nan")
    assert depth_loss(predicted, target).isnan()
    valid = torch.ones(4, 4, dtype=torch.bool)
    valid[1, 1] = False
    assert depth_loss(predicted, target, valid=valid) == 0.0


def test_gradients_are_those_of_differences():
    generator = torch.Generator().manual_seed(3)
    target = torch.rand(2, 4, 5, generator=generator, dtype=torch.float64)
    target[0, 1, 1] = float("inf")
    predicted = torch.rand(2, 4, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    instance = torch.randint(0, 3, (2, 4, 5), generator=generator)
    assert torch.autograd.gradcheck(lambda p: depth_loss(p, target, instance=instance), (predicted,))


def test_half_precision_is_computed_in_single():
    target = torch.full((64, 64), 2.0, dtype=torch.bfloat16)
    loss = depth_loss(target + 0.5, target)
    assert loss.dtype == torch.float32
    assert loss == 0.5


def test_what_does_not_fit_is_refused():
    with pytest.raises(SpecError, match="equal shapes"):
        depth_loss(torch.ones(4, 4), torch.ones(1, 4, 4))
    with pytest.raises(SpecError, match="0 scales"):
        depth_loss(torch.ones(4, 4), torch.ones(4, 4), scale_count=0)
