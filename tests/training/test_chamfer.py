"""The 4D Chamfer distance in closed form, and beside all pairs."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from simfactory.errors import SpecError
from training.chamfer import _nearest_of_all, chamfer_4d


def cloud(count, seed):
    """Points `(count, 3)` [m] in a room and times `(count,)` [s] of a clip."""
    generator = np.random.default_rng(seed)
    return generator.uniform(-2.0, 2.0, (count, 3)), generator.uniform(0.0, 1.0, count)


def all_pairs(a, times_a, b, times_b, *, time_scale, squared=False):
    space = ((a[:, None] - b[None]) ** 2).sum(axis=-1)
    distance = space + (time_scale * (times_a[:, None] - times_b[None])) ** 2
    distance = distance if squared else np.sqrt(distance)
    return distance.min(axis=1).mean() + distance.min(axis=0).mean()


@pytest.mark.parametrize("squared", [False, True])
@given(st.integers(1, 60), st.integers(1, 60), st.floats(0.0, 5.0), st.integers(0, 2**31))
def test_it_is_that_of_all_pairs(squared, count_a, count_b, time_scale, seed):
    a, b = cloud(count_a, seed), cloud(count_b, seed + 1)
    expected = all_pairs(*a, *b, time_scale=time_scale, squared=squared)
    assert chamfer_4d(*a, *b, time_scale=time_scale, squared=squared) == pytest.approx(expected, abs=1e-12)
    tensors = [torch.tensor(values, dtype=torch.float32) for values in (*a, *b)]
    single = chamfer_4d(*tensors, time_scale=time_scale, squared=squared)
    # Points are rounded to float32: 2e-7 m of a few metres; squares of up to 8 m double the distance's error.
    assert single.item() == pytest.approx(expected, abs=1e-6 if not squared else 1e-5)


def test_a_large_set_is_that_of_all_pairs():
    a, b = cloud(3000, 1), cloud(2000, 2)
    expected = all_pairs(*a, *b, time_scale=0.9)
    assert chamfer_4d(*a, *b, time_scale=0.9) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("pairs", [1, 700, 1 << 20])
def test_all_pairs_some_rows_at_a_time_find_the_nearest(pairs):
    queries, targets = (torch.tensor(np.column_stack(cloud(count, count))) for count in (150, 140))
    found = _nearest_of_all(queries, targets, pairs=pairs)
    difference = queries[:, None] - targets[None]
    assert torch.equal(found, difference.square().sum(dim=-1).argmin(dim=1))


def test_all_pairs_keep_the_digits_of_near_points_far_from_the_origin():
    # 1 mm apart, 1 km away: |x|² − 2 x·y + |y|² would be rounded to 0.06 m² in float32.
    targets = torch.tensor([[1000.0, 0.0, 0.0, 0.0], [1000.001, 0.0, 0.0, 0.0]])
    assert _nearest_of_all(targets.repeat(40, 1), targets, pairs=64).tolist() == [0, 1] * 40


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_finds_what_the_tree_finds():
    a, b = ([torch.tensor(values, dtype=torch.float32) for values in cloud(5000, seed)] for seed in (1, 2))
    expected = chamfer_4d(*a, *b, time_scale=0.9)
    there = [values.cuda() for values in (*a, *b)]
    assert chamfer_4d(*there, time_scale=0.9).item() == pytest.approx(expected.item(), abs=1e-6)


def test_a_shifted_set_is_twice_the_shift_away():
    # A grid of 1 m: each point's nearest is itself, moved by 0.13 m.
    points = np.stack(np.meshgrid(*[np.arange(4.0)] * 3), axis=-1).reshape(-1, 3)
    times = np.zeros(len(points))
    shifted = points + np.array([0.05, 0.0, 0.12])
    assert chamfer_4d(points, times, points, times, time_scale=0.9) == 0.0
    assert chamfer_4d(points, times, shifted, times, time_scale=0.9) == pytest.approx(0.26, abs=1e-12)
    squared = chamfer_4d(points, times, shifted, times, time_scale=0.9, squared=True)
    assert squared == pytest.approx(2 * 0.13**2, abs=1e-12)


def test_a_delay_of_what_stands_apart_in_time_costs_its_scaled_length():
    point, time = np.zeros((1, 3)), np.zeros(1)
    assert chamfer_4d(point, time, point, time + 0.1, time_scale=0.9) == pytest.approx(2 * 0.09)
    assert chamfer_4d(point, time, point, time + 0.1, time_scale=0.0) == 0.0


@pytest.mark.parametrize("speed", [0.1, 0.9, 5.0])
def test_a_delay_of_a_moving_point_costs_its_scaled_length_or_less(speed):
    """Known hole: the later point is near an earlier one; the faster, the nearer in comparison."""
    fps, delay = 1000.0, 0.02
    times = np.arange(10_000) / fps
    points = np.stack([speed * times, 0 * times, 0 * times], axis=-1)
    cost = chamfer_4d(points, times, points, times + delay, time_scale=0.9)
    # The worldlines are two parallel lines of slope v over λ t: λ Δt v / √(v² + λ²) apart, there and back.
    apart = 0.9 * delay * speed / math.hypot(speed, 0.9)
    assert cost <= 2 * 0.9 * delay
    # The ends, 0.2 % of the line, have no partner at a right angle; frames are 1 ms apart.
    assert cost == pytest.approx(2 * apart, rel=0.02)


@given(st.integers(0, 2**31))
def test_order_does_not_matter(seed):
    a, b = cloud(40, seed), cloud(30, seed + 1)
    order = np.random.default_rng(seed).permutation(40)
    shuffled = chamfer_4d(a[0][order], a[1][order], *b, time_scale=0.9)
    # The same distances, added up in another order.
    assert shuffled == pytest.approx(chamfer_4d(*a, *b, time_scale=0.9), abs=1e-13)
    assert chamfer_4d(*b, *a, time_scale=0.9) == pytest.approx(chamfer_4d(*a, *b, time_scale=0.9), abs=1e-13)


def test_the_distances_have_gradients():
    a, b = ([torch.tensor(values) for values in cloud(6, seed)] for seed in (3, 4))
    inputs = tuple(values.requires_grad_() for values in (*a, *b))
    assert torch.autograd.gradcheck(lambda *given: chamfer_4d(*given, time_scale=0.9), inputs)
    assert torch.autograd.gradcheck(lambda *given: chamfer_4d(*given, time_scale=0.9, squared=True), inputs)


def test_equal_points_have_a_gradient_of_zero():
    points, times = (torch.tensor(values) for values in cloud(5, 0))
    other = points.clone().requires_grad_()
    chamfer_4d(points, times, other, times, time_scale=0.9).backward()
    assert not other.grad.any()


def test_half_precision_is_computed_in_single():
    points = torch.zeros(4, 3, dtype=torch.float16)
    distance = chamfer_4d(points, torch.zeros(4), points + 0.5, torch.zeros(4), time_scale=0.9)
    assert distance.dtype == torch.float32
    assert distance.item() == pytest.approx(2 * 0.75**0.5, rel=1e-6)


def test_sets_of_two_precisions_are_compared_in_the_wider():
    points = torch.zeros(4, 3)
    distance = chamfer_4d(points, torch.zeros(4), points.double() + 0.5, torch.zeros(4), time_scale=0.9)
    assert distance.dtype == torch.float64
    assert distance.item() == pytest.approx(2 * 0.75**0.5, rel=1e-12)


def test_empty_sets_are_refused():
    a, empty = cloud(3, 0), (np.zeros((0, 3)), np.zeros(0))
    for sets in ((a, empty), (empty, a), (empty, empty)):
        with pytest.raises(SpecError, match="empty set"):
            chamfer_4d(*sets[0], *sets[1], time_scale=0.9)


def test_what_is_not_finite_or_does_not_fit_is_refused():
    points, times = cloud(3, 0)
    with pytest.raises(SpecError, match="not finite"):
        chamfer_4d(points * np.inf, times, points, times, time_scale=0.9)
    with pytest.raises(SpecError, match="shape"):
        chamfer_4d(points, times[:2], points, times, time_scale=0.9)
    with pytest.raises(SpecError, match="time_scale"):
        chamfer_4d(points, times, points, times, time_scale=-1.0)
    with pytest.raises(SpecError, match="one kind"):
        chamfer_4d(points, times, torch.tensor(points), torch.tensor(times), time_scale=0.9)
