"""Intervals: closed forms, order and seed, coverage, pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simfactory.errors import SpecError
from training.evaluation import bootstrap_interval, paired_difference

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30)


@given(values=VALUES, seed=st.integers(0, 2**32 - 1))
def test_the_order_of_clips_changes_nothing(values, seed):
    shuffled = np.random.default_rng(seed).permutation(values)
    first = bootstrap_interval(np.array(values), seed=1, resamples=50)
    assert bootstrap_interval(shuffled, seed=1, resamples=50) == first


@given(values=VALUES)
def test_the_interval_lies_within_the_values(values):
    interval = bootstrap_interval(np.array(values), seed=0, resamples=50)
    slack = 1e-9  # rounding of sums of 30 numbers below 1e3
    assert min(values) - slack <= interval.low <= interval.high <= max(values) + slack
    assert min(values) - slack <= interval.mean <= max(values) + slack


def test_a_seed_gives_one_interval_and_another_seed_another():
    values = np.random.default_rng(0).normal(size=20)
    assert bootstrap_interval(values, seed=3) == bootstrap_interval(values, seed=3)
    assert bootstrap_interval(values, seed=3).low != bootstrap_interval(values, seed=4).low


def test_one_clip_has_no_width():
    interval = bootstrap_interval(np.array([2.5]), seed=0)
    assert (interval.mean, interval.low, interval.high, interval.clip_count) == (2.5, 2.5, 2.5, 1)


def test_the_width_is_that_of_the_standard_error():
    values = np.random.default_rng(1).normal(size=400)
    interval = bootstrap_interval(values, seed=0)
    expected = 2 * 1.959964 * values.std() / np.sqrt(values.size)
    # Of 400 values the bootstrap's quantiles are normal; of 10 000 resamples each has a relative error of some 1.5 %.
    assert interval.high - interval.low == pytest.approx(expected, rel=0.06)


def test_the_mean_of_coins_has_the_quantiles_of_the_binomial():
    interval = bootstrap_interval(np.array([0.0, 1.0] * 8), seed=0, resamples=40_000)
    # P(Bin(16, 1/2) ≤ 3) = 0.0106 and P(≤ 4) = 0.0384: the 2.5 % quantile is 4, by symmetry the 97.5 % one is 12.
    assert (interval.low, interval.high) == (4 / 16, 12 / 16)


def test_intervals_are_drawn_in_blocks_without_a_seam():
    values = np.random.default_rng(2).normal(size=3000)  # 10 000 resamples in eight blocks
    interval = bootstrap_interval(values, seed=0)
    assert interval.low < interval.mean < interval.high


def test_a_small_steady_difference_is_decided_where_single_means_overlap():
    hard = np.random.default_rng(3).normal(0.0, 10.0, 40)
    better = hard + 0.1
    difference = paired_difference(better, hard, seed=0)
    assert difference.decided
    assert difference.interval.mean == pytest.approx(0.1)
    low, high = bootstrap_interval(hard, seed=0), bootstrap_interval(better, seed=0)
    assert low.high > high.low


def test_no_difference_is_not_decided():
    values = np.random.default_rng(4).normal(size=30)
    assert not paired_difference(values, values, seed=0).decided
    assert not paired_difference(values, -values[::-1] + values.mean() * 2, seed=0).decided


def test_swapping_the_models_flips_the_mean():
    a, b = np.random.default_rng(5).normal(size=(2, 15))
    assert paired_difference(a, b, seed=0).interval.mean == -paired_difference(b, a, seed=0).interval.mean


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (np.array([]), {}, "nothing valid"),
        (np.array([1.0, np.nan]), {}, "NaN or inf at 1 of 2"),
        (np.ones((2, 2)), {}, r"shape \(2, 2\)"),
        (np.ones(3), {"level": 1.0}, "level is 1.0"),
        (np.ones(3), {"resamples": 0}, "resamples 0"),
    ],
)
def test_what_has_no_interval_is_refused(values, options, message):
    with pytest.raises(SpecError, match=message):
        bootstrap_interval(values, seed=0, **options)


def test_pairs_must_be_pairs():
    with pytest.raises(SpecError, match=r"\(3,\).*\(4,\)"):
        paired_difference(np.ones(3), np.ones(4), seed=0)
    with pytest.raises(SpecError, match="inf"):
        paired_difference(np.array([np.inf]), np.array([np.inf]), seed=0)
