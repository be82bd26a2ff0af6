"""Joints on the backends: environments stay apart, a reset begins the drives anew, and who has none says so."""

import numpy as np
import pytest

from simfactory.errors import SpecError, UnsupportedBody
from simfactory.preflight import check_scene
from simfactory.simulators import create_simulator
from simfactory.spec import Box, Drive, JointHinge, JointWeld, Waypoint
from simfactory.testing.specs import make_body, make_soft, make_spec


def driven(rate):
    """A bar that a motor turns about the vertical at a rate which changes after a tenth of a second."""
    points = tuple(Waypoint(time=t, position=p) for t, p in ((0.0, 0.0), (0.1, 0.1 * rate), (2.0, 5.0 * rate)))
    drive = Drive(waypoints=points, stiffness=20.0, damping=2.0, strength=50.0)
    joint = JointHinge(name="motor", child="bar", anchor=(0.0, 0.0, 1.0), axis=(0.0, 0.0, 1.0), drive=drive)
    bar = make_body("bar", Box(size=(0.6, 0.06, 0.06)), position=(0.2, 0.0, 1.0))
    return make_spec(bodies=[bar], joints=[joint], frame_count=20)


def rolled(simulator, environment, frames=12):
    states = []
    for _ in range(frames):
        simulator.step()
        states.append(simulator.state(environment).quat_xyzw)
    return np.stack(states)


def test_an_environment_does_not_depend_on_those_beside_it():
    simulator = create_simulator("newton")
    simulator.load([driven(3.0)])
    alone = rolled(simulator, 0)
    simulator.load([driven(1.0), driven(3.0), driven(2.0)])
    np.testing.assert_array_equal(rolled(simulator, 1), alone)


def test_a_reset_begins_the_drive_anew_and_leaves_others_alone():
    simulator = create_simulator("newton")
    simulator.load([driven(3.0), driven(1.0)])
    first = rolled(simulator, 0)
    kept = simulator.state(1).quat_xyzw
    simulator.reset(0)
    np.testing.assert_array_equal(simulator.state(1).quat_xyzw, kept)
    np.testing.assert_array_equal(rolled(simulator, 0), first)


def test_backends_without_joints_say_so():
    with pytest.raises(UnsupportedBody, match="joint 'motor' of kind 'hinge'; backends that do: newton"):
        create_simulator("mock").load([driven(1.0)])
    with pytest.raises(UnsupportedBody, match=r"joints.0.kind is 'hinge', which backend 'mock' does not simulate"):
        check_scene(driven(1.0), backend="mock")


def test_joints_in_scenes_with_soft_bodies_are_refused():
    bodies = [make_body("left"), make_body("right", position=(0.5, 0.0, 1.0)), make_soft(position=(2.0, 0.0, 1.0))]
    weld = JointWeld(name="weld", parent="left", child="right", anchor=(0.25, 0.0, 1.0))
    with pytest.raises(SpecError, match="newton holds no joints in scenes with bodies of kinds rigid, soft_body"):
        create_simulator("newton").load([make_spec(bodies=bodies, joints=[weld])])
