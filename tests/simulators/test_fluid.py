"""Liquids on Newton: reruns and resets are bit-identical, environments stand apart, every particle is told of."""

import numpy as np
import pytest

from simfactory.simulators import create_simulator
from simfactory.spec import Box
from simfactory.testing.specs import make_body, make_fluid, make_material, make_spec

FRAMES = 6


def scene(shift=0.0):
    block = make_body(
        "block", Box(size=(0.1, 0.1, 0.06)), position=(shift, 0.0, 0.3), physical=make_material(density=500.0)
    )
    return make_spec(bodies=[make_fluid(position=(0.0, 0.0, 0.11)), block], fps=24.0, frame_count=FRAMES, substeps=10)


def run(simulator, count):
    states = []
    for _ in range(FRAMES):
        simulator.step()
        states.append([simulator.state(env) for env in range(count)])
    return states


@pytest.fixture(scope="module")
def pair():
    """Two environments that ran together, their simulator and their states."""
    simulator = create_simulator("newton")
    simulator.load([scene(), scene(0.05)])
    return simulator, run(simulator, 2)


def same(first, second):
    return all(
        np.array_equal(getattr(first, name), getattr(second, name))
        for name in ("position", "quat_xyzw", "linear_velocity", "angular_velocity")
    ) and np.array_equal(first.particles[0], second.particles[0])


def test_an_environment_moves_as_if_it_were_alone(pair):
    alone = create_simulator("newton")
    alone.load([scene(0.05)])
    assert all(same(states[0], both[1]) for states, both in zip(run(alone, 1), pair[1], strict=True))


def test_a_reset_environment_runs_again_bit_identical(pair):
    simulator, before = pair
    for environment in (0, 1):
        simulator.reset(environment)
    again = run(simulator, 2)
    assert all(same(a[k], b[k]) for a, b in zip(again, before, strict=True) for k in (0, 1))


def test_states_tell_of_every_particle_and_of_no_vertices(pair):
    state = pair[1][0][0]
    assert state.particles[0].shape == state.particle_velocities[0].shape
    assert 0 not in state.vertices
    np.testing.assert_allclose(state.particles[0].mean(axis=0), state.position[0], atol=5e-3)
