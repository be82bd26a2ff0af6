"""Flow: figures by hand, KITTI's outliers, bins of motion, objects, zero flow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simfactory.errors import SpecError
from training.evaluation import epe_by_motion, flow_metrics, object_flow_metrics, zero_flow_metrics


def test_errors_are_those_computed_by_hand():
    target = np.array([[3.0, 4.0], [0.0, 0.0], [100.0, 0.0], [10.0, 0.0]])
    predicted = np.array([[0.0, 0.0], [0.0, 0.5], [104.0, 0.0], [10.0, 3.5]])
    metrics = flow_metrics(predicted, target)
    assert metrics.epe == pytest.approx((5.0 + 0.5 + 4.0 + 3.5) / 4)
    assert metrics.fl_all == 0.5  # 4 px of 100 are within 5 %
    assert metrics.outlier_1px == 0.75
    assert metrics.pixel_count == 4


@pytest.mark.parametrize(("error", "share"), [(3.0, 0.0), (3.0 + 1e-9, 1.0)])
def test_an_outlier_of_kitti_misses_by_more_than_three_pixels(error, share):
    assert flow_metrics(np.array([[error, 0.0]]), np.zeros((1, 2))).fl_all == share


@pytest.mark.parametrize(("length", "share"), [(79.0, 1.0), (80.0, 0.0)])
def test_an_outlier_of_kitti_misses_by_more_than_five_percent(length, share):
    assert flow_metrics(np.array([[length, 4.0]]), np.array([[length, 0.0]])).fl_all == share


def test_perfect_flow_is_perfect():
    flow = np.random.default_rng(0).normal(0.0, 5.0, (2, 4, 5, 2))
    metrics = flow_metrics(flow, flow)
    assert (metrics.epe, metrics.fl_all, metrics.outlier_1px) == (0.0, 0.0, 0.0)


@given(seed=st.integers(0, 2**32 - 1))
def test_figures_agree_with_a_slow_count(seed):
    generator = np.random.default_rng(seed)
    target = generator.normal(0.0, 30.0, (2, 3, 4, 2))
    predicted = target + generator.normal(0.0, 3.0, target.shape)
    valid = generator.random(target.shape[:-1]) < 0.7
    valid[0, 0, 0] = True
    errors, outliers, off = [], 0, 0
    for index in np.ndindex(valid.shape):
        if valid[index]:
            error = float(np.hypot(*(predicted[index] - target[index])))
            errors.append(error)
            outliers += error > 3.0 and error / float(np.hypot(*target[index])) > 0.05
            off += error > 1.0
    metrics = flow_metrics(predicted, target, valid=valid)
    assert metrics.epe == pytest.approx(np.mean(errors), rel=1e-12)
    assert metrics.fl_all == outliers / len(errors)
    assert metrics.outlier_1px == off / len(errors)


def test_zero_flow_errs_by_the_motion_itself():
    target = np.array([[3.0, 4.0], [0.0, 0.0]])
    assert zero_flow_metrics(target).epe == 2.5


def test_undefined_truth_does_not_count():
    target = np.array([[1.0, 0.0], [np.nan, 0.0], [0.0, np.inf]])
    predicted = np.array([[1.0, 0.0], [np.nan, np.nan], [5.0, 5.0]])
    metrics = flow_metrics(predicted, target)
    assert (metrics.epe, metrics.pixel_count) == (0.0, 1)


def test_bins_hold_their_lower_edge_and_weigh_up_to_the_mean():
    target = np.array([[0.0, 0.0], [1.0, 0.0], [3.0, 4.0], [50.0, 0.0]])
    predicted = target + np.array([[0.5, 0.0], [1.0, 0.0], [2.0, 0.0], [4.0, 0.0]])
    bins = epe_by_motion(predicted, target)
    assert [part.pixel_count for part in bins] == [1, 1, 1, 0, 1]
    assert [part.epe for part in bins if part.pixel_count] == [0.5, 1.0, 2.0, 4.0]
    assert np.isnan(bins[3].epe)
    weighted = sum(part.epe * part.pixel_count for part in bins if part.pixel_count) / 4
    assert weighted == flow_metrics(predicted, target).epe


def test_objects_count_alike_beside_zero_flow():
    target = np.zeros((1, 2, 4, 2))
    instance = np.array([[[1, 2, 2, 2], [0, 2, 2, 2]]], np.uint16)
    target[instance == 1] = (6.0, 0.0)
    zero = object_flow_metrics(np.zeros_like(target), target, instance, object_ids=[1, 2, 3])
    assert zero.by_object.keys() == {1, 2}
    assert zero.by_object[1].epe == 6.0
    assert (zero.mean.epe, zero.mean.fl_all, zero.mean.pixel_count) == (3.0, 0.5, 7)


@pytest.mark.parametrize(
    ("predicted", "target", "valid", "message"),
    [
        (np.zeros((3, 4, 2)), np.zeros((4, 3, 2)), None, r"\(3, 4, 2\).*\(4, 3, 2\)"),
        (np.zeros((3, 3)), np.zeros((3, 3)), None, "the last of size 2"),
        (np.zeros((3, 2)), np.full((3, 2), np.nan), None, "nothing valid"),
        (np.zeros((3, 2)), np.zeros((3, 2)), np.zeros(3, bool), "nothing valid"),
        (np.full((3, 2), np.inf), np.zeros((3, 2)), None, "NaN or inf at 6 of 6"),
        (np.zeros((3, 2)), np.zeros((3, 2)), np.ones((3, 2), bool), r"valid has shape \(3, 2\)"),
    ],
)
def test_what_cannot_be_measured_is_refused(predicted, target, valid, message):
    with pytest.raises(SpecError, match=message):
        flow_metrics(predicted, target, valid=valid)


def test_edges_must_increase():
    with pytest.raises(SpecError, match="increase"):
        epe_by_motion(np.zeros((1, 2)), np.zeros((1, 2)), edges=(0.0, 2.0, 2.0))
    with pytest.raises(SpecError, match="nothing valid"):
        object_flow_metrics(np.zeros((1, 2)), np.zeros((1, 2)), np.zeros(1), object_ids=[4])
