"""Warps of depth and colours: planes with closed forms, the correction along the axis, occlusion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simfactory.errors import SpecError
from training.evaluation import rgb_warp_metrics, warp_metrics

HEIGHT, WIDTH, FOCAL = 12, 16, 20.0


def pixels():
    columns, rows = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    return columns, rows


def moving_plane(slope, step, frame_count=3):
    """Depth, flow and change in depth of the plane z = z₀ + slope·x that moves by `step` (x, y, z) [m] a frame."""
    columns, rows = pixels()
    across, down = (columns - WIDTH / 2) / FOCAL, (rows - HEIGHT / 2) / FOCAL
    depth = np.stack(
        [(4.0 + time * (step[2] - slope * step[0])) / (1.0 - slope * across) for time in range(frame_count)]
    )
    later = depth + step[2]
    flow = np.stack(
        [
            FOCAL * (across * depth + step[0]) / later - FOCAL * across,
            FOCAL * (down * depth + step[1]) / later - FOCAL * down,
        ],
        axis=-1,
    )
    return depth, flow, np.full(depth.shape, step[2])


STEPS = st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3), st.floats(-0.3, 0.3))


@given(slope=st.floats(-0.6, 0.6), step=STEPS)
def test_true_depth_of_a_moving_plane_has_no_corrected_error(slope, step):
    depth, flow, change = moving_plane(slope, step)
    seen = np.ones(depth.shape, bool)
    metrics = warp_metrics(depth, depth, flow, visible=seen, depth_change=change)
    # 1/z is linear in the image over a plane, so only rounding is left: some 2⁻⁵² of up to 8 m, amplified by
    # flow's own rounding.
    assert metrics.all.l1 < 1e-12
    assert metrics.visible == metrics.all
    assert metrics.occluded is None


@pytest.mark.parametrize("step_z", [-0.2, 0.3])
def test_the_papers_form_charges_perfect_depth_for_motion_along_the_axis(step_z):
    depth, flow, _ = moving_plane(0.0, (0.0, 0.0, step_z))
    metrics = warp_metrics(depth, depth, flow, visible=np.ones(depth.shape, bool), mode="paper")
    assert metrics.all.l1 == pytest.approx(abs(step_z), rel=1e-12)
    assert metrics.all.charbonnier == pytest.approx(np.hypot(step_z, 1e-3), rel=1e-12)


def test_interpolated_depth_would_err_where_interpolated_inverse_depth_does_not():
    depth, flow, _ = moving_plane(0.5, (0.05, 0.0, 0.0))
    x = flow[0, 5, 4, 0] + 4.0
    left = int(np.floor(x))
    plain = depth[1, 5, left] * (1 - x + left) + depth[1, 5, left + 1] * (x - left)
    assert abs(plain - depth[0, 5, 4]) > 1e-5  # curvature of z: about z (slope/focal)²/2 · w(1−w)


def test_a_constant_bias_is_returned_as_it_is():
    depth, flow, change = moving_plane(0.0, (0.1, 0.0, 0.0))
    seen = np.ones(depth.shape, bool)
    biased = warp_metrics(depth + 0.25, depth, flow, visible=seen, depth_change=change)
    assert biased.all.l1 == pytest.approx(0.25, rel=1e-12)
    alone = warp_metrics(depth + 0.25, depth, flow, visible=seen, depth_change=change, reference="predicted")
    assert alone.all.l1 < 1e-12  # a prediction that agrees with itself has no warp error, however wrong


def test_errors_are_split_by_what_happens_to_the_point():
    depth = np.full((2, 1, 5), 4.0)
    depth[1, 0, 3:] = 1.0  # something comes in front of the last two pixels
    seen = np.ones(depth.shape, bool)
    seen[0, 0, 3:] = False
    zeros = np.zeros((2, 1, 5, 2))
    metrics = warp_metrics(depth, depth, zeros, visible=seen, depth_change=np.zeros(depth.shape))
    assert (metrics.visible.l1, metrics.visible.pixel_count) == (0.0, 3)
    assert (metrics.occluded.l1, metrics.occluded.pixel_count) == (3.0, 2)
    assert metrics.all.l1 == pytest.approx(6.0 / 5)
    assert metrics.visible.charbonnier == pytest.approx(1e-3)


def test_pixels_that_leave_or_have_no_truth_do_not_count():
    depth = np.full((2, 1, 5), 4.0)
    depth[1, 0, 0] = np.inf
    flow = np.zeros((2, 1, 5, 2))
    flow[0, 0, 1] = (-0.5, 0.0)  # between a true pixel and sky
    flow[0, 0, 4] = (0.5, 0.0)  # beyond the last centre
    flow[0, 0, 3] = (np.nan, 0.0)
    metrics = warp_metrics(depth, depth, flow, visible=np.ones(depth.shape, bool), mode="paper")
    assert metrics.all.pixel_count == 1


def test_pixels_that_are_not_valid_do_not_count():
    depth, guess = np.full((2, 1, 5), 4.0), np.full((2, 1, 5), 4.0)
    guess[1, 0, 2] = 5.0
    valid = np.ones(depth.shape, bool)
    valid[0, 0, 2] = False
    seen, zeros = np.ones(depth.shape, bool), np.zeros((2, 1, 5, 2))
    assert warp_metrics(guess, depth, zeros, visible=seen, mode="paper").all.l1 == pytest.approx(0.2)
    metrics = warp_metrics(guess, depth, zeros, visible=seen, mode="paper", valid=valid)
    assert (metrics.all.l1, metrics.all.pixel_count) == (0.0, 4)


def test_the_last_frame_of_flow_is_not_read():
    depth, flow, change = moving_plane(0.2, (0.1, 0.0, 0.1))
    seen = np.ones(depth.shape, bool)
    flow[-1], change[-1] = np.nan, np.nan
    assert warp_metrics(depth, depth, flow, visible=seen, depth_change=change).all.l1 < 1e-12


def test_shifted_colours_are_brought_back():
    generator = np.random.default_rng(0)
    wide = generator.integers(0, 256, (6, 12, 3), np.uint8)
    frames = np.stack([wide[:, 2:10], wide[:, :8]])  # everything moves two pixels to the right
    flow = np.zeros((2, 6, 8, 2))
    flow[..., 0] = 2.0
    metrics = rgb_warp_metrics(frames, flow)
    # Rounding of weights that are 0 and 1 up to 2⁻⁵².
    assert metrics.l1 < 1e-15
    assert metrics.charbonnier == pytest.approx(1e-3)
    assert metrics.pixel_count == 6 * 6
    still = rgb_warp_metrics(frames, np.zeros_like(flow))
    assert still.l1 == pytest.approx(np.abs(frames[1] / 255.0 - frames[0] / 255.0).mean())


def test_half_a_pixel_is_the_mean_of_two():
    frames = np.zeros((2, 1, 3, 1))
    frames[1, 0, :, 0] = (0.0, 1.0, 0.0)
    flow = np.full((2, 1, 3, 2), (0.5, 0.0))
    valid = np.zeros((2, 1, 3), bool)
    valid[0, 0, 0] = True
    assert rgb_warp_metrics(frames, flow, valid=valid).l1 == 0.5


ONES = np.ones((2, 3, 4))
SEEN = np.ones((2, 3, 4), bool)
STILL = np.zeros((2, 3, 4, 2))


@pytest.mark.parametrize(
    ("predicted", "target", "flow", "options", "message"),
    [
        (ONES, np.ones((2, 4, 3)), STILL, {}, r"\(2, 3, 4\).*\(2, 4, 3\)"),
        (ONES, ONES, np.zeros((2, 3, 5, 2)), {}, r"\(2, 3, 5\).*\(2, 3, 4\)"),
        (ONES, ONES, STILL, {"mode": "corrected"}, "needs depth_change"),
        (ONES, ONES, STILL, {"mode": "corrected", "depth_change": np.zeros((1, 3, 4))}, r"\(1, 3, 4\).*\(2, 3, 4\)"),
        (ONES[:1], ONES[:1], STILL[:1], {"visible": SEEN[:1]}, "two or more"),
        (0.0 * ONES, ONES, STILL, {}, "not positive at 24 of 24"),
        (ONES, ONES, STILL + 9.0, {}, "nothing valid"),
        (ONES, np.full((2, 3, 4), np.inf), STILL, {}, "nothing valid"),
        (np.full((2, 3, 4), np.inf), ONES, STILL, {}, "finite where the target is"),
        (ONES, ONES, STILL, {"mode": "naive"}, "'paper'"),
        (ONES, ONES, STILL, {"reference": "both"}, "'predicted'"),
    ],
)
def test_what_cannot_be_measured_is_refused(predicted, target, flow, options, message):
    with pytest.raises(SpecError, match=message):
        warp_metrics(predicted, target, flow, **{"visible": SEEN, "mode": "paper"} | options)


@pytest.mark.parametrize(
    ("frames", "flow", "message"),
    [
        (np.zeros((2, 3, 4, 3)), np.zeros((2, 4, 3, 2)), r"\(2, 4, 3\).*\(2, 3, 4\)"),
        (np.zeros((2, 3, 4, 3)), STILL + 9.0, "nothing valid"),
        (np.full((2, 3, 4, 3), np.nan), STILL, "finite"),
    ],
)
def test_colours_that_cannot_be_measured_are_refused(frames, flow, message):
    with pytest.raises(SpecError, match=message):
        rgb_warp_metrics(frames, flow)
