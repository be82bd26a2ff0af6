"""Laws of motion: parabolas, collisions, kicks from nowhere; balls inside each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simfactory.errors import SpecError
from training.evaluation import dynamics_metrics, penetration_metrics

FPS = 30.0
TIMES = np.arange(12) / FPS


def thrown(start, velocity, gravity=(0.0, 0.0, -9.81)):
    time = TIMES[:, None]
    return np.array(start) + np.array(velocity) * time + 0.5 * np.array(gravity) * time**2


@given(velocity=st.tuples(*[st.floats(-5.0, 5.0)] * 3), mass=st.floats(0.1, 50.0))
def test_a_parabola_keeps_momentum_and_energy(velocity, mass):
    paths = np.stack([thrown((0.0, 0.0, 2.0), velocity), thrown((3.0, 0.0, 2.0), (0.0, 0.0, 0.0))], axis=1)
    metrics = dynamics_metrics(paths, masses=np.array([mass, 1.0]), fps=FPS)
    # Second differences of positions up to 5 m lose 4 · 2⁻⁵² · 5 m · fps² = 4e-12 m/s²; energies lose less.
    assert metrics.momentum_residual < 1e-11
    assert metrics.energy_residual < 1e-11
    assert metrics.energy_gain < 1e-10
    assert metrics.free_count == 10


def test_a_body_that_hovers_lacks_gravity():
    metrics = dynamics_metrics(np.ones((5, 1, 3)), masses=np.ones(1), fps=FPS)
    assert metrics.momentum_residual == pytest.approx(9.81)
    assert (metrics.energy_residual, metrics.energy_gain) == (0.0, 0.0)


def test_the_wrong_gravity_is_found():
    path = thrown((0.0, 0.0, 2.0), (1.0, 0.0, 0.0), (0.0, 0.0, -1.62))[:, None]
    metrics = dynamics_metrics(path, masses=np.ones(1), fps=FPS)
    assert metrics.momentum_residual == pytest.approx(9.81 - 1.62, rel=1e-10)


def test_bodies_that_hit_each_other_keep_their_common_momentum():
    """A ball of 1 kg at 2 m/s hits one of 3 kg at rest and sticks: 0.5 m/s for both, three quarters of E lost."""
    hit = TIMES[6]
    paths = np.zeros((12, 2, 3))
    paths[:, 0, 0] = np.where(hit > TIMES, 2.0 * (TIMES - hit), 0.5 * (TIMES - hit))
    paths[:, 1, 0] = np.where(hit > TIMES, 0.0, 0.5 * (TIMES - hit))
    metrics = dynamics_metrics(paths, masses=np.array([1.0, 3.0]), fps=FPS, gravity=(0.0, 0.0, 0.0))
    assert metrics.momentum_residual < 1e-11
    assert metrics.energy_gain < 1e-12
    # 2 J to 0.5 J over 4 kg, spread over nine steps between inner frames.
    assert metrics.energy_residual == pytest.approx(1.5 / 4 / 9)


def test_energy_from_nowhere_is_found_even_at_contacts():
    path = np.zeros((8, 1, 3))
    path[4:, 0, 0] = np.arange(1, 5) / FPS  # at rest, then 1 m/s
    metrics = dynamics_metrics(path, masses=np.array([2.0]), fps=FPS, gravity=(0.0, 0.0, 0.0), free=np.zeros(8, bool))
    assert metrics.energy_gain == pytest.approx(0.5)
    assert np.isnan(metrics.momentum_residual)
    assert np.isnan(metrics.energy_residual)
    assert metrics.free_count == 0


def test_frames_beside_a_contact_are_not_judged():
    height = np.abs(TIMES - TIMES[5])  # reflected at frame 5
    path = np.zeros((12, 1, 3))
    path[:, 0, 2] = height
    free = np.ones(12, bool)
    free[5] = False
    metrics = dynamics_metrics(path, masses=np.ones(1), fps=FPS, gravity=(0.0, 0.0, 0.0), free=free)
    assert metrics.momentum_residual < 1e-11
    assert metrics.free_count == 7


@pytest.mark.parametrize(
    ("positions", "options", "message"),
    [
        (np.zeros((5, 2, 3)), {}, r"\(1,\).*\(5, 2, 3\)"),
        (np.zeros((2, 1, 3)), {}, "three frames"),
        (np.zeros((5, 1, 3)), {"fps": 0.0}, "above zero"),
        (np.zeros((5, 1, 3)), {"masses": np.zeros(1)}, "above zero"),
        (np.full((5, 1, 3), np.nan), {}, "whole"),
        (np.zeros((5, 1, 3)), {"free": np.ones(4, bool)}, r"\(4,\).*\(5,\)"),
    ],
)
def test_what_cannot_be_judged_is_refused(positions, options, message):
    with pytest.raises(SpecError, match=message):
        dynamics_metrics(positions, **{"masses": np.ones(1), "fps": FPS} | options)


def test_overlaps_with_balls_and_ground_are_those_computed_by_hand():
    positions = np.array(
        [
            [[0.0, 0.0, 1.0], [3.0, 0.0, 0.5]],
            [[0.0, 0.0, 0.9], [3.0, 0.0, 0.5]],  # 0.1 below the ground
            [[0.0, 0.0, 1.0], [1.2, 0.0, 1.0]],  # 1 + 0.5 − 1.2 inside each other
        ]
    )
    metrics = penetration_metrics(positions, radii=np.array([1.0, 0.5]))
    assert metrics.rate == pytest.approx(2 / 3)
    assert metrics.max_depth == pytest.approx(0.3)
    assert metrics.mean_depth == pytest.approx(0.4 / 3)


def test_what_rests_on_the_ground_is_not_inside_it():
    metrics = penetration_metrics(np.array([[[0.0, 0.0, 0.5]]]), radii=np.array([0.5]))
    assert (metrics.rate, metrics.max_depth) == (0.0, 0.0)


def test_walls_may_stand_anywhere():
    wall = np.array([[-1.0, 0.0, 0.0, -2.0]])  # free where x < 2
    positions = np.array([[[1.75, 0.0, -9.0]]])
    assert penetration_metrics(positions, radii=np.array([0.5]), planes=wall).max_depth == pytest.approx(0.25)
    assert penetration_metrics(positions, radii=np.array([0.5]), planes=np.empty((0, 4))).max_depth == 0.0


@pytest.mark.parametrize(
    ("radii", "planes", "message"),
    [
        (np.ones(2), None, r"\(2,\).*\(3, 1, 3\)"),
        (np.zeros(1), None, "radii > 0"),
        (np.ones(1), np.array([[0.0, 0.0, 2.0, 0.0]]), "unit normals"),
    ],
)
def test_shapes_that_make_no_sense_are_refused(radii, planes, message):
    with pytest.raises(SpecError, match=message):
        penetration_metrics(np.zeros((3, 1, 3)), radii=radii, planes=planes)
