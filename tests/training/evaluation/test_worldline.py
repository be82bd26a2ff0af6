"""Worldlines: drift by hand, tracks lifted from depth, flow chained."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simfactory.errors import SpecError
from training.evaluation import chain_flow, lift_tracks, worldline_metrics


def strayed(*deviations):
    """Worldlines whose deviation at each frame is given: each strays along one axis."""
    target = np.random.default_rng(0).normal(size=(len(deviations), len(deviations[0]), 3))
    predicted = target.copy()
    predicted[..., 1] += np.array(deviations)
    return predicted, target


def test_drift_failure_and_length_are_those_computed_by_hand():
    predicted, target = strayed([0.0, 0.1, 0.2, 0.3], [0.0, 0.0, 0.0, 0.1])
    metrics = worldline_metrics(predicted, target)
    assert metrics.drift == pytest.approx((0.0, 0.05, 0.1, 0.2))
    assert metrics.l2 == pytest.approx((0.15 + 0.025) / 2)
    assert metrics.mean_drift == pytest.approx(0.35 / 4)
    assert metrics.final_drift == pytest.approx(0.2)
    assert metrics.failure_rate == 0.5
    assert metrics.valid_length == 3.5  # fails at frame 3; never, of 4
    assert metrics.worldline_count == 2


def test_a_failed_worldline_stays_failed():
    metrics = worldline_metrics(*strayed([0.0, 1.0, 0.0, 0.0]))
    assert (metrics.failure_rate, metrics.valid_length) == (1.0, 1.0)


def test_the_threshold_itself_is_no_failure():
    predicted = np.zeros((1, 2, 3))
    predicted[0, 1, 0] = 0.25
    assert worldline_metrics(predicted, np.zeros((1, 2, 3))).failure_rate == 0.0


def test_perfect_worldlines_are_perfect():
    target = strayed([0.0] * 5)[1]
    metrics = worldline_metrics(target, target)
    assert (metrics.l2, metrics.mean_drift, metrics.final_drift, metrics.failure_rate) == (0.0, 0.0, 0.0, 0.0)
    assert metrics.valid_length == 5.0


def test_hidden_positions_and_positions_without_truth_do_not_count():
    predicted, target = strayed([0.1, 9.0, 9.0, 0.1], [0.3, 0.3, 9.0, 9.0], [9.0] * 4)
    visible = np.array([[1, 0, 0, 1], [1, 1, 1, 0], [0, 0, 0, 0]], bool)
    predicted[2] = np.nan
    target[1, 2] = np.nan
    metrics = worldline_metrics(predicted, target, visible=visible, threshold=0.5)
    assert metrics.l2 == pytest.approx(0.2)
    assert metrics.drift[:2] == pytest.approx((0.2, 0.3))
    assert np.isnan(metrics.drift[2])
    assert metrics.mean_drift == pytest.approx((0.2 + 0.3 + 0.1) / 3)
    assert metrics.final_drift == pytest.approx(0.1)
    assert (metrics.failure_rate, metrics.worldline_count) == (0.0, 2)


@given(seed=st.integers(0, 2**32 - 1))
def test_figures_agree_with_a_slow_count(seed):
    generator = np.random.default_rng(seed)
    predicted, target = generator.normal(0.0, 0.1, (2, 4, 5, 3))
    visible = generator.random((4, 5)) < 0.6
    visible[0, 0] = True
    means, failures, lengths = [], [], []
    for line in range(4):
        errors = {t: np.linalg.norm(predicted[line, t] - target[line, t]) for t in range(5) if visible[line, t]}
        if errors:
            means.append(np.mean(list(errors.values())))
            beyond = [t for t, error in errors.items() if error > 0.25]
            failures.append(bool(beyond))
            lengths.append(min(beyond, default=5))
    metrics = worldline_metrics(predicted, target, visible=visible)
    assert metrics.l2 == pytest.approx(np.mean(means), rel=1e-12)
    assert metrics.failure_rate == np.mean(failures)
    assert metrics.valid_length == np.mean(lengths)


def test_a_lifted_track_is_the_point_it_was_projected_from():
    intrinsics = np.array([[20.0, 0.0, 8.0], [0.0, 25.0, 6.0], [0.0, 0.0, 1.0]])
    columns = np.arange(16) + 0.5
    depth = np.broadcast_to(4.0 / (1.0 - 0.3 * (columns - 8.0) / 20.0), (2, 12, 16))  # the plane z = 4 + 0.3 x
    x = np.array([[-0.5, 0.2], [0.7, 0.9]])
    points = np.stack([x, np.array([[0.1, -0.3], [0.4, 0.0]]), 4.0 + 0.3 * x], axis=-1)
    projected = points @ intrinsics.T
    tracks = projected[..., :2] / projected[..., 2:]
    # 1/z is linear in the image over a plane: only rounding is left.
    assert lift_tracks(depth, tracks, intrinsics) == pytest.approx(points, abs=1e-12)


def test_a_track_outside_the_frame_is_not_lifted():
    lifted = lift_tracks(np.full((1, 4, 4), 2.0), np.array([[[0.2, 2.0]], [[2.0, 2.0]]]), np.eye(3))
    assert np.isnan(lifted[0]).all()
    assert lifted[1, 0].tolist() == [4.0, 4.0, 2.0]


def test_chained_flow_follows_a_point_until_it_leaves():
    flow = np.zeros((5, 6, 8, 2))
    flow[..., 0] = np.arange(8) + 0.5  # doubles the distance from the left edge: linear, so exact between centres
    tracks = chain_flow(np.array([[0.75, 3.5]]), flow)
    assert tracks[0, :4, 0].tolist() == [0.75, 1.5, 3.0, 6.0]
    assert tracks[0, 4].tolist() == [12.0, 3.5]
    longer = chain_flow(np.array([[0.75, 3.5]]), np.concatenate([flow, flow[:1]]))
    assert np.isnan(longer[0, 5]).all()


@pytest.mark.parametrize(
    ("predicted", "target", "options", "message"),
    [
        (np.zeros((2, 3, 3)), np.zeros((3, 2, 3)), {}, r"\(2, 3, 3\).*\(3, 2, 3\)"),
        (np.zeros((2, 3, 3)), np.full((2, 3, 3), np.nan), {}, "nothing valid"),
        (np.zeros((2, 3, 3)), np.zeros((2, 3, 3)), {"visible": np.zeros((2, 3), bool)}, "nothing valid"),
        (np.full((2, 3, 3), np.nan), np.zeros((2, 3, 3)), {}, "NaN or inf at 18 of 18"),
        (np.zeros((2, 3, 3)), np.zeros((2, 3, 3)), {"threshold": 0.0}, "above zero"),
    ],
)
def test_what_cannot_be_measured_is_refused(predicted, target, options, message):
    with pytest.raises(SpecError, match=message):
        worldline_metrics(predicted, target, **options)


def test_tracks_that_do_not_fit_the_depth_are_refused():
    with pytest.raises(SpecError, match=r"\(1, 3, 2\).*\(2, 4, 4\)"):
        lift_tracks(np.ones((2, 4, 4)), np.zeros((1, 3, 2)), np.eye(3))
    with pytest.raises(SpecError, match=r"give a \(3, 3\) matrix"):
        lift_tracks(np.ones((3, 4, 4)), np.zeros((1, 3, 2)), np.ones((2, 3)))
    with pytest.raises(SpecError, match="not positive at 1 of 16"):
        lift_tracks(1.0 - 2.0 * (np.arange(16) == 5).reshape(1, 4, 4), np.zeros((1, 1, 2)), np.eye(3))
