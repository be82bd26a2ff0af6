"""Named random streams: fixed for ever, independent, and with the distributions they promise."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simfactory.rng import stream

GOLDEN = [0.6212950162454917, 0.7359628603314734, 0.7850414484527392]
GOLDEN_INTEGER = 621295
NAMES = st.lists(st.one_of(st.text("abcxyz_", min_size=1, max_size=6), st.integers(0, 99)), min_size=1, max_size=4)


def test_draws_are_the_same_on_every_machine():
    draw = stream(7, "body", 3, "mass")
    assert [draw.uniform() for _ in range(3)] == GOLDEN
    assert stream(7, "body", 3, "mass").integer(0, 10**6) == GOLDEN_INTEGER


@given(st.integers(), NAMES)
def test_a_stream_begins_anew_each_time_it_is_named(seed, names):
    first, second = stream(seed, *names), stream(seed, *names)
    assert [first.uniform() for _ in range(4)] == [second.uniform() for _ in range(4)]


@given(st.integers(0, 2**62), NAMES, NAMES, st.integers(0, 20))
def test_draws_from_one_stream_never_change_another(seed, names, others, count):
    expected = stream(seed, *names).uniform()
    greedy = stream(seed, *others)
    for _ in range(count):
        greedy.uniform()
    assert stream(seed, *names).uniform() == expected


def test_different_names_and_seeds_give_different_draws():
    draws = {stream(seed, name, k).uniform() for seed in range(20) for name in ("a", "b") for k in range(20)}
    assert len(draws) == 800


def test_streams_are_uncorrelated():
    table = np.array([[stream(0, name, k).uniform() for k in range(2000)] for name in ("camera", "light", "body")])
    # Three standard errors of a correlation over 2,000 pairs.
    assert np.abs(np.corrcoef(table) - np.eye(3)).max() < 3.0 / math.sqrt(2000)


@given(st.integers(0, 2**62), st.integers(-50, 50), st.integers(0, 50))
def test_integers_stay_within_both_ends(seed, low, width):
    draw = stream(seed, "n")
    assert all(low <= draw.integer(low, low + width) <= low + width for _ in range(10))


def test_every_integer_of_a_range_is_drawn():
    draw = stream(1, "dice")
    assert {draw.integer(1, 6) for _ in range(300)} == {1, 2, 3, 4, 5, 6}


@given(st.integers(0, 2**62), st.floats(1e-6, 1e3), st.floats(1.0, 1e6))
def test_log_uniform_draws_stay_in_range(seed, low, factor):
    value = stream(seed, "x").log_uniform(low, low * factor)
    assert low * (1 - 1e-12) <= value <= low * factor * (1 + 1e-12)


def test_log_uniform_draws_fill_each_decade_alike():
    draw = stream(2, "density")
    decades = np.histogram([math.log10(draw.log_uniform(1.0, 1e4)) for _ in range(4000)], bins=4)[0]
    assert np.all(np.abs(decades - 1000) < 4.0 * math.sqrt(4000 * 0.25 * 0.75))


def test_choices_follow_their_weights():
    draw = stream(3, "tier")
    drawn = [draw.choice("abc", (0.3, 0.35, 0.35)) for _ in range(4000)]
    for letter, weight in zip("abc", (0.3, 0.35, 0.35), strict=True):
        assert drawn.count(letter) / 4000 == pytest.approx(weight, abs=4.0 * math.sqrt(weight * (1 - weight) / 4000))


def test_normal_draws_have_zero_mean_and_unit_variance():
    draw = stream(4, "noise")
    values = np.array([draw.normal() for _ in range(4000)])
    assert abs(values.mean()) < 4.0 / math.sqrt(4000)
    assert abs(values.var() - 1.0) < 4.0 * math.sqrt(2.0 / 4000)


@given(st.integers(0, 2**62))
def test_directions_and_rotations_are_unit(seed):
    assert math.hypot(*stream(seed, "d").direction()) == pytest.approx(1.0, abs=1e-12)
    assert math.hypot(*stream(seed, "q").quat_xyzw()) == pytest.approx(1.0, abs=1e-12)


def test_directions_cover_the_sphere_evenly():
    draw = stream(5, "d")
    points = np.array([draw.direction() for _ in range(4000)])
    assert np.abs(points.mean(axis=0)).max() < 4.0 * math.sqrt(1.0 / 3.0 / 4000)
    assert np.abs(points.T @ points / 4000 - np.eye(3) / 3).max() < 0.03
