"""The warp losses on planes, squares and images whose motion is known in closed form."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from simfactory.errors import SpecError
from training.losses import rgb_warp_loss, warp_loss

FRONTAL, SLANTED = (0.0, 0.0, 1.0), (0.5, -0.3, 0.8)
NEARER = (0.0, 0.0, -0.2)  # 20 cm towards the camera
# Float64: some ten roundings of depths of a few metres.
EXACT = 1e-12


@pytest.mark.parametrize("normal", [FRONTAL, SLANTED])
def test_corrected_loss_of_a_true_plane_is_zero(plane, normal):
    assert plane(normal, 3.0, NEARER).loss() < EXACT


@given(
    tilt=st.tuples(st.floats(-0.6, 0.6), st.floats(-0.6, 0.6)),
    distance=st.floats(1.0, 8.0),
    shift=st.tuples(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1), st.floats(-0.3, 0.3)),
)
def test_corrected_loss_of_any_true_plane_in_any_motion_is_zero(plane, tilt, distance, shift):
    # Depths reach 8 m / (1 − 0.6 · 0.7) ≈ 14 m, and errors of 1/z come back multiplied by z².
    assert plane((*tilt, 1.0), distance, shift).loss() < 200 * EXACT


def test_corrected_loss_in_single_precision_is_a_rounding_error(plane):
    # 3 to 8 m in float32 are known to 5e-7 m; a few of these add up.
    assert plane(SLANTED, 3.0, NEARER, dtype=torch.float32).loss() < 3e-6


def test_depth_itself_interpolated_is_biased_on_a_slanted_plane_only(plane):
    assert plane(FRONTAL, 3.0, NEARER).loss(interpolation="linear") < EXACT
    slanted = plane(SLANTED, 3.0, NEARER)
    # The chord of z between pixel centres lies above it by up to z''/8 [m/px²]: z'' = 2 z³ (g/d)², g = n_x / f.
    curvature = 2 * slanted.depth**3 * (0.5 / 40.0 / 3.0) ** 2
    bias = slanted.loss(interpolation="linear")
    assert 1e-5 < bias < float(curvature.max() / 4)


@pytest.mark.parametrize("normal", [FRONTAL, SLANTED])
def test_paper_loss_of_a_true_plane_is_the_motion_along_the_axis(plane, normal):
    assert plane(normal, 3.0, NEARER).loss(mode="paper").item() == pytest.approx(0.2, abs=EXACT)


def test_both_forms_agree_where_nothing_moves_along_the_axis(plane):
    sideways = plane(SLANTED, 3.0, (0.05, 0.02, 0.0))
    assert sideways.loss(mode="paper") < EXACT
    assert sideways.loss() < EXACT


def test_a_wrong_change_of_depth_costs_its_error(plane):
    true = plane(SLANTED, 3.0, NEARER)
    wrong = true._replace(depth_change=true.depth_change + 0.07)
    assert wrong.loss().item() == pytest.approx(0.07, abs=EXACT)


def square(left, *, background=4.0, near=2.0):
    depth = torch.full((16, 16), background, dtype=torch.float64)
    depth[4:10, left : left + 6] = near
    return depth


def shifted_square(pixels=3):
    """A square of 6 × 6 px before a wall moves right by whole pixels; with what the wall loses sight of."""
    before, after = square(2), square(2 + pixels)
    flow = torch.zeros(2, 16, 16, dtype=torch.float64)
    flow[0][before == 2.0] = pixels
    visible = (before == 2.0) | (after == 4.0)
    return before, after, flow, visible


def test_shifted_square_warps_onto_itself_where_it_is_visible():
    before, after, flow, visible = shifted_square()
    still = torch.zeros_like(before)
    assert (~visible).sum() == 6 * 3
    assert warp_loss(before, after, flow, depth_change=still, visible=visible) == 0.0
    assert rgb_warp_loss(before[None], after[None], flow, visible=visible) == 0.0


def test_hidden_pixels_cost_something_unless_they_are_masked():
    before, after, flow, _ = shifted_square()
    # 18 of 256 pixels see the wall at 4 m, and the square at 2 m in its place.
    expected = 18 * 2.0 / 256
    assert warp_loss(before, after, flow, mode="paper").item() == pytest.approx(expected, rel=1e-12)
    with_epsilon = 18 * ((4.0 + 1e-6) ** 0.5 - 1e-3) / 256
    assert rgb_warp_loss(before[None], after[None], flow).item() == pytest.approx(with_epsilon, rel=1e-12)


def test_what_leaves_the_frame_costs_nothing():
    before = torch.rand(1, 8, 8, dtype=torch.float64)
    after = torch.rand(1, 8, 8, dtype=torch.float64)
    gone = torch.full((2, 8, 8), 100.0, dtype=torch.float64)
    assert rgb_warp_loss(before, after, gone) == 0.0
    assert warp_loss(before[0] + 1, after[0] + 1, gone, mode="paper") == 0.0
    after[:, :, 3:] = before[:, :, :5]
    right = torch.zeros(2, 8, 8, dtype=torch.float64)
    right[0] = 3.0
    assert rgb_warp_loss(before, after, right) == 0.0


def test_a_small_ball_weighs_as_much_as_the_background():
    before = square(2)
    instance = torch.where(before == 2.0, 5, 1)
    worse = torch.where(before == 2.0, before + 0.3, before + 0.1)
    flow = torch.zeros(2, 16, 16, dtype=torch.float64)
    plain = warp_loss(before, worse, flow, mode="paper")
    fair = warp_loss(before, worse, flow, mode="paper", instance=instance)
    assert plain.item() == pytest.approx((36 * 0.3 + 220 * 0.1) / 256, rel=1e-9)
    assert fair.item() == pytest.approx(0.2, rel=1e-9)
    colours = rgb_warp_loss(before[None], worse[None], flow, instance=instance, scale=1e-9)
    assert colours.item() == pytest.approx(0.2, rel=1e-6)


@pytest.mark.parametrize("mode", ["corrected", "paper"])
@pytest.mark.parametrize("interpolation", ["inverse", "linear"])
def test_gradients_are_those_of_differences(plane, mode, interpolation):
    seen = plane(SLANTED, 3.0, (0.07, 0.03, -0.2), size=(4, 5))
    # Off the truth: |x| has no derivative at 0, and bilinear weights none at whole pixels.
    inputs = (seen.depth + 0.05, seen.depth_next, seen.flow * 0.5 + 0.13, seen.depth_change)

    def loss(depth, depth_next, flow, change):
        return warp_loss(depth, depth_next, flow, depth_change=change, mode=mode, interpolation=interpolation)

    assert torch.autograd.gradcheck(loss, tuple(values.detach().requires_grad_() for values in inputs))


def test_gradients_of_colours_are_those_of_differences():
    generator = torch.Generator().manual_seed(1)
    shapes = (3, 4, 5), (3, 4, 5), (2, 4, 5)
    inputs = [torch.rand(shape, generator=generator, dtype=torch.float64) * 0.8 + 0.1 for shape in shapes]
    assert torch.autograd.gradcheck(rgb_warp_loss, tuple(values.requires_grad_() for values in inputs))


@pytest.mark.parametrize("bad", [float("inf"), float("nan"), 0.0, -1.0])
def test_depth_that_is_none_takes_no_part_and_gets_no_gradient(plane, bad):
    seen = plane(SLANTED, 3.0, NEARER)
    inputs = [values.clone() for values in seen]
    inputs[0][2, 3] = inputs[1][10, 12] = bad
    if bad not in (0.0, -1.0):
        inputs[2][1, 20, 5] = inputs[3][14, 25] = float("nan")
    for values in inputs:
        values.requires_grad_()
    depth, depth_next, flow, change = inputs
    loss = warp_loss(depth, depth_next, flow, depth_change=change)
    loss.backward()
    assert loss < EXACT
    assert all(torch.isfinite(values.grad).all() for values in inputs)
    assert depth.grad[2, 3] == 0.0
    assert depth_next.grad[10, 12] == 0.0
    assert depth.grad.any()


def test_loss_without_a_pixel_is_zero_and_can_be_differentiated():
    nothing = torch.full((4, 4), float("inf"), requires_grad=True)
    loss = warp_loss(nothing, nothing, torch.zeros(2, 4, 4), mode="paper", instance=torch.ones(4, 4, dtype=torch.int32))
    loss.backward()
    assert loss == 0.0
    assert not nothing.grad.any()


def test_any_batch_shape_gives_the_mean_of_its_parts(plane):
    planes = [plane(SLANTED, distance, (0.0, 0.0, shift)) for distance, shift in ((2.0, 0.1), (3.0, 0.2), (4.0, 0.4))]
    # Equal weights in every part: an object of its own in each image.
    together = [torch.stack(parts).unflatten(0, (1, 3)) for parts in zip(*planes, strict=True)]
    instance = torch.ones(1, 3, 24, 32, dtype=torch.uint16)
    loss = warp_loss(*together[:3], mode="paper", instance=instance)
    assert loss.item() == pytest.approx((0.1 + 0.2 + 0.4) / 3, abs=EXACT)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_single(plane, dtype):
    seen = plane(FRONTAL, 2.0, (0.0, 0.0, -0.25))
    depth, depth_next, flow, change = (values.to(dtype) for values in seen)  # 2.0, 1.75 and 0.25 are exact
    loss = warp_loss(depth, depth_next, flow, depth_change=change)
    assert loss.dtype == torch.float32
    assert loss < 1e-6
    assert warp_loss(depth, depth_next, flow, mode="paper").item() == pytest.approx(0.25, abs=1e-6)


def test_what_does_not_fit_is_refused(plane):
    depth, depth_next, flow, change = plane(FRONTAL, 3.0, NEARER)
    with pytest.raises(SpecError, match="depth_change"):
        warp_loss(depth, depth_next, flow)
    with pytest.raises(SpecError, match="'paper'"):
        warp_loss(depth, depth_next, flow, mode="naive")
    with pytest.raises(SpecError, match="visible"):
        warp_loss(depth, depth_next, flow, depth_change=change, visible=torch.ones(3, 3, dtype=torch.bool))
    with pytest.raises(SpecError, match="flow"):
        warp_loss(depth, depth_next, flow.transpose(0, 1), depth_change=change)
    with pytest.raises(SpecError, match="equal shapes"):
        rgb_warp_loss(depth[None], depth_next, flow)
