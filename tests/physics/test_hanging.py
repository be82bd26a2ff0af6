"""Rings that hang on a peg by contact alone: they stay, swing, and move when they are struck."""

from functools import partial

import numpy as np
import pytest

from layouts import Stage
from layouts.placements.hang import Hang
from simfactory.episode import scene_surfaces
from simfactory.quality import episode_report
from simfactory.rng import stream
from simfactory.spec import Box, Capsule, Push, Torus
from simfactory.testing.specs import make_body, make_spec
from simfactory.testing.trajectories import trajectories

RING = Torus(radius=0.14, tube=0.025)
SECONDS, FPS = 5, 24


def scene(*, swing=0.0, push=None):
    """A ring on a peg, for five seconds; optionally pushed sideways by a change of velocity [m/s] at 0.5 s."""
    parts = (
        make_body("post", Box(size=(0.1, 0.1, 0.5)), mobility="static"),
        make_body("peg", Capsule(radius=0.03, height=0.3), mobility="static"),
        make_body("ring", RING),
    )
    stage = Hang(swing=(swing, swing)).place(
        "ring", parts, Stage(gravity=np.array([0.0, 0.0, -9.81])), streams=partial(stream, 4)
    )
    triggers = []
    if push is not None:
        (peg,), (ring,) = stage.groups["ring_peg"], stage.groups["ring"]
        out = (np.asarray(peg.position) - np.asarray(stage.groups["ring_post"][0].position)) * np.array([1.0, 1.0, 0.0])
        across = np.cross(out / np.linalg.norm(out), [0.0, 0.0, 1.0])
        mass = ring.physical.density * 2.0 * np.pi**2 * RING.radius * RING.tube**2
        triggers = [Push(body="ring", time=0.5, impulse=tuple(float(c) for c in push * mass * across))]
    return make_spec(bodies=stage.bodies, triggers=triggers, frame_count=SECONDS * FPS, fps=FPS)


def peg_radius(spec):
    return spec.bodies[1].geometry.radius


@pytest.fixture(scope="module")
def episodes():
    specs = [scene(), scene(swing=5.0), scene(push=1.0)]
    return list(zip(specs, trajectories(specs), strict=True))


def test_all_pass_the_quality_gate(episodes):
    for spec, trajectory in episodes:
        report = episode_report(spec, trajectory, scene_surfaces(spec), [])
        assert report.passed, report
        # It is placed up to 1.5 mm above the peg; a twentieth of its tube would be 2.5 mm.
        assert report.figures["penetration"] < 0.05


def test_a_ring_at_rest_stays_where_it_hangs(episodes):
    _, trajectory = episodes[0]
    ring = trajectory.position[:, 2]
    assert np.linalg.norm(ring - ring[0], axis=-1).max() < 3e-3
    assert np.abs(trajectory.linear_velocity[-FPS:, 2]).max() < 1e-2


@pytest.mark.parametrize("which", [1, 2])
def test_a_ring_that_swings_or_is_pushed_moves_to_and_fro_and_stays_on_its_peg(which, episodes):
    spec, trajectory = episodes[which]
    ring, peg = trajectory.position[:, 2], np.asarray(spec.bodies[1].position)
    way = np.linalg.svd(ring - ring.mean(axis=0))[2][0]
    course = (ring - ring[0]) @ way
    assert np.ptp(course) > 0.05
    turns = np.diff(np.sign(np.diff(course)))
    assert (turns != 0).sum() >= 4
    assert ring[-1, 2] == pytest.approx(peg[2] + peg_radius(spec) - (RING.radius - RING.tube), abs=0.02)


def test_a_ring_swings_at_the_rate_of_a_pendulum_that_rolls(episodes):
    spec, trajectory = episodes[2]
    velocity = trajectory.linear_velocity[FPS:, 2] @ np.linalg.svd(trajectory.linear_velocity[FPS:, 2])[2][0]
    crossings = np.flatnonzero(np.diff(np.sign(velocity)) != 0)
    period = 2.0 * float(np.diff(crossings).mean()) / FPS
    # Source: a hoop whose inner side (radius b) rolls on a fixed rod (radius a): with l = b − a,
    # T = 2π √(l (1 + k²/b²) / g), k² = R² + 3/4 r² its squared radius of gyration about the axis.
    b, a = RING.radius - RING.tube, peg_radius(spec)
    gyration = RING.radius**2 + 0.75 * RING.tube**2
    expected = 2.0 * np.pi * np.sqrt((b - a) * (1.0 + gyration / b**2) / 9.81)
    # Swings of up to 45° take 4 % longer than small ones; the period is read from frames 1/24 s apart over four swings.
    assert period == pytest.approx(expected, rel=0.08)
