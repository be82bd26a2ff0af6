"""The gate refuses ropes that are overstretched, inside something, or gain energy, and takes those that are not."""

from dataclasses import replace

import numpy as np
import pytest

from simfactory.episode import Trajectory, scene_surfaces
from simfactory.quality import episode_report
from simfactory.simulators import create_simulator
from simfactory.spec import Capsule
from simfactory.testing.specs import make_body, make_rope, make_spec

SPEC = make_spec(
    bodies=[
        make_rope(radius=0.02, position=(0.0, 0.0, 0.6)),
        make_body(
            "beam",
            Capsule(radius=0.04, height=0.5),
            position=(0.0, 0.0, 0.5),
            orientation=(0.70710678, 0.0, 0.0, 0.70710678),
            mobility="static",
        ),
    ],
    frame_count=20,
)


@pytest.fixture(scope="module")
def path():
    simulator = create_simulator("newton")
    simulator.load([SPEC])
    states = [simulator.state(0)]
    for _ in range(SPEC.frame_count - 1):
        simulator.step()
        states.append(simulator.state(0))
    return Trajectory.from_states(states, simulator.properties(0))


def report(path, change=None):
    vertices = {0: path.vertices[0] if change is None else change(path.vertices[0].copy())}
    return episode_report(SPEC, replace(path, vertices=vertices), scene_surfaces(SPEC), [])


def test_a_rope_over_a_beam_passes(path):
    result = report(path)
    assert result.reasons == ()
    assert result.figures["rope_strain"] < 0.5
    assert result.figures["penetration"] < 0.05


def test_an_overstretched_rope_is_refused(path):
    def longer(vertices):
        vertices[12:] *= (1.1, 1.0, 1.0)
        vertices[12:, -38:, 2] -= np.linspace(0.3, 0.6, 8)[:, None] * 1.0
        return vertices

    assert "overstretched" in report(path, longer).reasons


def test_a_rope_inside_the_beam_or_the_floor_is_refused(path):
    def lower(vertices):
        vertices[-1] -= np.array([0.0, 0.0, 0.02], np.float32)
        return vertices

    assert report(path, lower).reasons == ("penetration",)


def test_a_rope_that_gains_energy_is_refused(path):
    def thrown(vertices):
        vertices[-1] += np.array([0.0, 0.0, 0.5], np.float32)
        return vertices

    assert "energy_growth" in report(path, thrown).reasons
