"""4D Chamfer: closed forms, and every pair looked at."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simfactory.errors import SpecError
from training.evaluation import chamfer_metrics


def cloud(seed, count):
    return np.random.default_rng(seed).uniform(-1.0, 1.0, (count, 4))


@given(seed=st.integers(0, 2**32 - 1), counts=st.tuples(st.integers(1, 20), st.integers(1, 20)))
def test_it_is_what_looking_at_every_pair_gives(seed, counts):
    ours, theirs = cloud(seed, counts[0]), cloud(seed + 1, counts[1])
    distance = np.array(
        [[np.sqrt(((a[:3] - b[:3]) ** 2).sum() + (0.7 * (a[3] - b[3]) / 2.5) ** 2) for b in theirs] for a in ours]
    )
    metrics = chamfer_metrics(ours, theirs, duration=2.5, time_scale=0.7)
    assert metrics.to_target == pytest.approx(distance.min(axis=1).mean(), rel=1e-12)
    assert metrics.from_target == pytest.approx(distance.min(axis=0).mean(), rel=1e-12)
    assert metrics.chamfer == metrics.to_target + metrics.from_target


@given(seed=st.integers(0, 2**32 - 1))
def test_it_is_symmetric_and_blind_to_order(seed):
    ours, theirs = cloud(seed, 12), cloud(seed + 1, 9)
    there = chamfer_metrics(ours, theirs, duration=1.0)
    back = chamfer_metrics(theirs[::-1], ours[::-1], duration=1.0)
    # The same distances are summed in another order.
    assert (there.to_target, there.from_target) == pytest.approx((back.from_target, back.to_target), rel=1e-12)


def test_a_cloud_is_no_distance_from_itself():
    points = cloud(0, 50)
    assert chamfer_metrics(points, points, duration=3.0).chamfer == 0.0


def test_a_delay_costs_its_share_of_the_clip():
    points = np.array([[0.0, 0.0, 1.0, 0.0]])
    later = np.array([[0.0, 0.0, 1.0, 0.5]])
    assert chamfer_metrics(later, points, duration=2.0, time_scale=3.0).chamfer == pytest.approx(2 * 3.0 * 0.25)
    assert chamfer_metrics(later, points, duration=2.0, time_scale=0.0).chamfer == 0.0


def test_missing_points_are_charged_in_one_direction_only():
    target = np.array([[0.0, 0.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0]])
    metrics = chamfer_metrics(target[:1], target, duration=1.0)
    assert (metrics.to_target, metrics.from_target) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("predicted", "options", "message"),
    [
        (np.empty((0, 4)), {}, "nothing valid: predicted holds no points"),
        (np.full((3, 4), np.inf), {}, "inf at 12 of 12"),
        (np.zeros((3, 3)), {}, r"shape \(3, 3\)"),
        (np.zeros((3, 4)), {"duration": 0.0}, "above zero"),
        (np.zeros((3, 4)), {"time_scale": -1.0}, "zero or more"),
    ],
)
def test_what_cannot_be_measured_is_refused(predicted, options, message):
    with pytest.raises(SpecError, match=message):
        chamfer_metrics(predicted, np.zeros((2, 4)), **{"duration": 1.0} | options)
