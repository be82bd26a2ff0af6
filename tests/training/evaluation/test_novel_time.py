"""Held-out times: depth carried forward, and what both neighbours say."""

import numpy as np
import pytest

from simfactory.errors import SpecError
from training.evaluation import carry_depth, novel_time_metrics


def sliding_square(frame_count=5, near=2.0, approach=0.0):
    """A square before a wall at 6 m that moves one pixel right a frame and comes nearer by `approach` [m]."""
    depth, flow = np.full((frame_count, 8, 12), 6.0), np.zeros((frame_count, 8, 12, 2))
    change = np.zeros(depth.shape)
    for time in range(frame_count):
        square = (time, slice(2, 5), slice(2 + time, 5 + time))
        depth[square], flow[square], change[square] = near - time * approach, (1.0, 0.0), -approach
    return depth, flow, change


def test_true_depth_and_flow_miss_only_what_was_hidden():
    depth, flow, change = sliding_square()
    metrics = novel_time_metrics(depth, flow, depth, flow, depth_change=change)
    assert metrics.depth_error == 0.0
    assert metrics.abs_rel == 0.0
    # The column that the square leaves: three pixels of 96, in each held-out frame, show a wall that was hidden.
    assert metrics.coverage == pytest.approx(93 / 96)
    assert metrics.frame_count == 2
    # Ahead of the square, wall that it is about to hide: the next frame says 2 m where the wall is at 6 m.
    assert metrics.warp_error == pytest.approx(4.0 * 3 / 93)


def test_predicted_depth_of_held_out_frames_is_not_read():
    depth, flow, change = sliding_square()
    holed = depth.copy()
    holed[1::2] = np.nan
    assert novel_time_metrics(holed, flow, depth, flow, depth_change=change) == novel_time_metrics(
        depth, flow, depth, flow, depth_change=change
    )


def test_depth_that_is_not_carried_along_the_axis_errs_by_the_motion():
    depth, flow, change = sliding_square(frame_count=2, approach=0.5)
    without = novel_time_metrics(depth, flow, depth, flow, depth_change=change)
    assert without.depth_error == pytest.approx(0.5 * 9 / 93)
    assert without.abs_rel == pytest.approx(0.5 / 1.5 * 9 / 93)
    with_change = novel_time_metrics(depth, flow, depth, flow, depth_change=change, predicted_change=change)
    assert with_change.depth_error == 0.0
    assert np.isnan(with_change.warp_error)  # no frame after the last


def test_a_biased_prediction_errs_by_its_bias_and_agrees_with_itself():
    depth = np.full((3, 4, 5), 3.0)
    still = np.zeros((3, 4, 5, 2))
    metrics = novel_time_metrics(depth + 0.5, still, depth, still, depth_change=np.zeros(depth.shape))
    assert metrics.depth_error == pytest.approx(0.5)
    assert metrics.warp_error == pytest.approx(0.0, abs=1e-15)  # 1 / (1 / 3.5)
    assert metrics.coverage == 1.0


def test_the_next_frame_is_brought_back_along_the_axis_too():
    depth = np.broadcast_to(np.array([4.0, 3.5, 3.0])[:, None, None], (3, 4, 5))
    change, still = np.full(depth.shape, -0.5), np.zeros((3, 4, 5, 2))
    metrics = novel_time_metrics(depth, still, depth, still, depth_change=change, predicted_change=change)
    assert (metrics.depth_error, metrics.coverage) == (0.0, 1.0)
    assert metrics.warp_error == pytest.approx(0.0, abs=1e-15)  # 1 / (1 / 3)
    carried = novel_time_metrics(depth, still, depth, still, depth_change=change)
    assert carried.warp_error == pytest.approx(0.5)


def test_truth_that_is_missing_does_not_count():
    depth = np.full((3, 4, 5), 3.0)
    still = np.zeros((3, 4, 5, 2))
    holed = depth.copy()
    holed[1, 0] = np.inf
    guess = depth.copy()
    guess[0, 0] = 9.0
    metrics = novel_time_metrics(guess, still, holed, still, depth_change=np.zeros(depth.shape))
    assert (metrics.depth_error, metrics.coverage) == (0.0, 1.0)


def test_the_nearest_of_those_that_land_together_wins():
    flow = np.zeros((1, 4, 2))
    flow[0, 0, 0], flow[0, 3, 0] = 1.2, 5.0  # over pixel 1; out of the frame
    carried = carry_depth(np.array([[2.0, 6.0, np.inf, 4.0]]), flow)
    assert carried[0, 1] == 2.0
    assert np.isnan(carried[0, [0, 2, 3]]).all()


def test_what_moves_behind_the_camera_goes_nowhere():
    carried = carry_depth(np.full((1, 2), 2.0), np.zeros((1, 2, 2)), depth_change=np.array([[-2.5, -1.5]]))
    assert np.isnan(carried[0, 0])
    assert carried[0, 1] == 0.5


def test_undefined_flow_goes_nowhere():
    assert np.isnan(carry_depth(np.ones((2, 2)), np.full((2, 2, 2), np.nan))).all()


ONES, STILL = np.ones((3, 2, 4)), np.zeros((3, 2, 4, 2))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"target": np.ones((3, 4, 2))}, r"\(3, 2, 4\).*\(3, 4, 2\)"),
        ({"predicted_flow": np.zeros((3, 4, 2, 2))}, r"predicted_flow.*\(3, 4, 2\).*\(3, 2, 4\)"),
        ({"flow": np.zeros((2, 2, 4, 2))}, r"flow.*\(2, 2, 4\).*\(3, 2, 4\)"),
        ({"depth_change": np.zeros((2, 2, 4))}, r"depth_change.*\(2, 2, 4\).*\(3, 2, 4\)"),
        ({"valid": np.zeros((3, 2, 4), bool)}, "nothing valid"),
        ({"predicted_flow": STILL + 9.0}, "nothing valid"),
        ({"predicted": -ONES}, "not positive at 16 of 16"),
    ],
)
def test_what_cannot_be_measured_is_refused(changed, message):
    given = {"predicted": ONES, "predicted_flow": STILL, "target": ONES, "flow": STILL} | changed
    with pytest.raises(SpecError, match=message):
        novel_time_metrics(**{"depth_change": np.zeros((3, 2, 4))} | given)


def test_one_frame_cannot_be_held_out():
    with pytest.raises(SpecError, match="two or more"):
        novel_time_metrics(ONES[:1], STILL[:1], ONES[:1], STILL[:1], depth_change=np.zeros((1, 2, 4)))
