"""Joints in specs: what is refused, what drives want, and how positions are read from poses."""

import math

import numpy as np
import pytest
from pydantic import ValidationError

from simfactory.joints import joint_states
from simfactory.spec import Box, Drive, JointBall, JointHinge, JointSlider, Waypoint
from simfactory.testing.specs import make_body, make_spec
from simfactory.transforms import quat_from_axis_angle

HINGE = {"name": "hinge", "child": "box", "anchor": (0.0, 0.0, 1.0), "axis": (0.0, 0.0, 1.0)}


def jointed(**changes):
    bodies = [make_body(), make_body("wall", position=(2.0, 0.0, 1.0), mobility="static")]
    return make_spec(bodies=bodies, joints=[JointHinge.model_validate(HINGE | changes)])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"child": "ghost"}, r"child 'ghost'; allowed are the dynamic rigid bodies: \['box'\]"),
        ({"child": "wall"}, r"child 'wall'; allowed are the dynamic rigid bodies: \['box'\]"),
        ({"parent": "ghost"}, r"parent 'ghost'; allowed are the rigid bodies: \['box', 'wall'\]"),
        ({"parent": "box"}, "joins 'box' with itself"),
        ({"axis": (0.0, 0.0, 2.0)}, "an axis has length 1, this one has 2"),
        ({"lower": 0.5}, "less than or equal to 0"),
        ({"upper": 3.1}, r"limit of 3.1 rad, allowed is up to ±2.985"),
        ({"kind": "slider"}, "Input should be 'hinge'"),
    ],
)
def test_mistakes_are_named_with_what_is_allowed(changes, message):
    with pytest.raises(ValidationError, match=message):
        jointed(**changes)


def test_names_of_joints_are_unique():
    joint = JointHinge.model_validate(HINGE)
    with pytest.raises(ValidationError, match="joints repeats"):
        make_spec(bodies=[make_body()], joints=[joint, joint])


@pytest.mark.parametrize(
    ("waypoints", "options", "message"),
    [
        ([(1.0, 0.0), (1.0, 2.0)], {}, "rising time"),
        ([(0.0, 0.0)], {"stiffness": 0.0, "damping": 0.0}, "does nothing"),
        ([], {}, "at least 1 item"),
    ],
)
def test_drives_that_cannot_work_are_refused(waypoints, options, message):
    points = [{"time": time, "position": position} for time, position in waypoints]
    values = {"stiffness": 1.0, "damping": 1.0, "strength": 1.0} | options
    with pytest.raises(ValidationError, match=message):
        Drive.model_validate({"waypoints": points, **values})


@pytest.mark.parametrize(
    ("time", "wanted"), [(0.0, (1.0, 0.0)), (1.0, (1.0, 2.0)), (1.5, (2.0, 2.0)), (2.0, (3.0, 0.0)), (9.0, (3.0, 0.0))]
)
def test_drives_go_from_waypoint_to_waypoint(time, wanted):
    points = (Waypoint(time=1.0, position=1.0), Waypoint(time=2.0, position=3.0))
    assert Drive(waypoints=points, stiffness=1.0, damping=0.0, strength=1.0).wanted(time) == pytest.approx(wanted)


def test_hinges_count_whole_turns_and_report_what_is_off():
    spec = jointed()
    angles = np.linspace(0.0, 9.0, 40)
    quats = quat_from_axis_angle((0.0, 0.0, 1.0), angles)
    states = joint_states(
        spec,
        position=np.array([[[0.0, 0.0, 1.0 + 0.001 * k], [2.0, 0.0, 1.0]] for k in range(40)]),
        quat_xyzw=np.stack([quats, np.tile([0.0, 0.0, 0.0, 1.0], (40, 1))], axis=1),
        linear_velocity=np.zeros((40, 2, 3)),
        angular_velocity=np.tile([[0.0, 0.0, 2.5], [0.0, 0.0, 0.0]], (40, 1, 1)),
    )
    np.testing.assert_allclose(states.position[:, 0], angles, atol=1e-9)
    np.testing.assert_allclose(states.rate, 2.5)
    np.testing.assert_allclose(states.gap[:, 0], 0.001 * np.arange(40), atol=1e-12)
    np.testing.assert_allclose(states.tilt, 0.0, atol=1e-7)


def test_a_slider_moves_along_the_axis_of_its_parent():
    turn = (0.0, 0.0, math.sin(0.25), math.cos(0.25))
    bodies = [make_body("base"), make_body(geometry=Box(size=(0.1, 0.1, 0.1)), position=(1.0, 0.0, 1.0))]
    joint = JointSlider(name="rail", parent="base", child="box", anchor=(1.0, 0.0, 1.0), axis=(1.0, 0.0, 0.0))
    spec = make_spec(bodies=bodies, joints=[joint])
    out = np.array([math.cos(0.5), math.sin(0.5), 0.0])
    states = joint_states(
        spec,
        position=[[(0.0, 0.0, 1.0), tuple(1.3 * out + (0.0, 0.0, 1.0))]],
        quat_xyzw=[[turn, turn]],
        linear_velocity=[[(0.0, 0.0, 0.0), tuple(0.7 * out)]],
        angular_velocity=np.zeros((1, 2, 3)),
    )
    assert states.position[0, 0] == pytest.approx(0.3)
    assert states.rate[0, 0] == pytest.approx(0.7)
    assert states.gap[0, 0] == pytest.approx(0.0, abs=1e-12)


def test_a_ball_joint_has_no_position():
    spec = make_spec(bodies=[make_body()], joints=[JointBall(name="ball", child="box", anchor=(0.0, 0.0, 1.2))])
    states = joint_states(
        spec,
        position=[[(0.0, 0.0, 1.0)]],
        quat_xyzw=[[(0.0, 0.0, 0.0, 1.0)]],
        linear_velocity=np.zeros((1, 1, 3)),
        angular_velocity=np.zeros((1, 1, 3)),
    )
    assert np.isnan(states.position).all()
    assert states.gap[0, 0] == 0.0
