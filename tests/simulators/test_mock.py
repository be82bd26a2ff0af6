"""The mock backend keeps the simulator contract, and its closed forms are what its docstrings say."""

import numpy as np
import pytest

from simfactory.errors import SimulationError, UnsupportedBody
from simfactory.simulators import create_simulator
from simfactory.simulators.mock import MockSimulator, pose_at, vertices_at
from simfactory.spec import Environment, Jet, SceneSpec
from simfactory.testing.simulator import SimulatorContract
from simfactory.testing.specs import make_body, make_sheet, make_soft, make_spec


class TestMock(SimulatorContract):
    simulator_class = MockSimulator
    body_kinds = ("rigid", "sheet")
    has_contact = False


def test_mock_is_found_by_name():
    assert isinstance(create_simulator("mock"), MockSimulator)


def test_stepping_before_loading_says_what_to_do():
    with pytest.raises(SimulationError, match="load"):
        MockSimulator().step()


def test_pose_at_continues_between_frames():
    spec = make_spec(bodies=[make_body(linear_velocity=(1.0, 0.0, 2.0))], ground=False)
    position, quat = pose_at(spec, 0, 0.25)
    assert np.allclose(position, (0.25, 0.0, 1.0 + 0.5 - 0.5 * 9.81 * 0.0625), atol=1e-12)
    assert np.allclose(quat, (0.0, 0.0, 0.0, 1.0))


def test_spin_turns_about_the_first_axis_by_the_exact_angle():
    spec = make_spec(bodies=[make_body(angular_velocity=(0.0, 0.0, 3.0))], ground=False)
    _, quat = pose_at(spec, 0, 0.7)
    assert np.allclose(quat, (0.0, 0.0, np.sin(1.05), np.cos(1.05)), atol=1e-14)


def test_states_are_the_rounded_closed_forms():
    spec = make_spec(bodies=[make_body(angular_velocity=(1.0, 2.0, 3.0)), make_sheet()], ground=False)
    simulator = MockSimulator()
    simulator.load([spec])
    for _ in range(5):
        simulator.step()
    state = simulator.state(0)
    position, quat = pose_at(spec, 0, state.time)
    assert np.array_equal(state.position[0], position.astype(np.float32))
    assert np.array_equal(state.quat_xyzw[0], quat.astype(np.float32))
    assert np.array_equal(state.vertices[1], vertices_at(spec, 1, state.time).astype(np.float32))


def test_soft_bodies_are_refused_naming_who_simulates_them():
    with pytest.raises(UnsupportedBody, match=r"'soft_body'.*newton"):
        MockSimulator().load([make_spec(bodies=[make_soft()])])


def test_jets_are_refused_naming_who_simulates_them():
    flow = Jet(position=(0.0, 0.0, 1.0), direction=(1.0, 0.0, 0.0), radius=0.1, speed=5.0)
    spec = SceneSpec.model_validate({**dict(make_spec()), "environment": Environment(air_density=1.2, flows=(flow,))})
    with pytest.raises(UnsupportedBody, match=r"environment\.flows\.0 of kind 'jet'.*newton"):
        MockSimulator().load([spec])
