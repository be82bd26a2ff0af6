"""Specs with robots: what is refused, and with which words."""

import numpy as np
import pytest
from pydantic import ValidationError

from simfactory.arms import equipped
from simfactory.robots import robot_model
from simfactory.spec import (
    BodySoft,
    ConditionFolded,
    ConditionJoint,
    ConditionPlace,
    ConditionWithin,
    RobotPart,
    SceneSpec,
    Vessel,
)
from simfactory.testing.specs import make_body, make_material, make_spec

HOME = (0.0, -0.4, 0.0, -2.2, 0.0, 1.8, 0.785, 0.02, 0.02)


def fields(**changes):
    arm = equipped(robot_model("panda"), np.eye(4), np.array([0.0, 1.0]), np.array([HOME, HOME]), grip=20.0)
    plain = make_spec(bodies=list(arm.bodies), joints=arm.joints)
    return {**dict(plain), "robot": arm.robot.model_copy(update=changes)}


def test_a_robot_survives_json():
    spec = SceneSpec.model_validate(fields())
    assert SceneSpec.model_validate_json(spec.model_dump_json()).digest() == spec.digest()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bodies": ("robot_link0", "robot_link1", "robot_link2")}, "lists 3 bodies, 9 joints and 9 positions"),
        ({"start": HOME[:-1]}, "9 joints and 8 positions"),
        ({"joints": ("nothing",) * 9}, "names joint 'nothing'; allowed there is a hinge"),
        ({"success": (ConditionJoint(joint="knob"),)}, "success names joint 'knob'; allowed are"),
        (
            {"success": (ConditionPlace(bodies=("cup",), target=(0.0, 0.0, 0.0), radius=0.1, height=0.1),)},
            "names bodies \\['cup'\\]; allowed are",
        ),
        (
            {"success": (ConditionWithin(body="robot_hand", share=0.5, center=(0, 0, 0), size=(1, 1, 1)),)},
            "success names body 'robot_hand'; allowed are the scene's cloths and ropes: \\[\\]",
        ),
        (
            {"success": (ConditionFolded(body="cup", share=0.5, radius=0.1, height=0.1, apart=0.1),)},
            "success names body 'cup'; allowed are the scene's rectangles of cloth: \\[\\]",
        ),
    ],
)
def test_a_robot_that_does_not_fit_its_scene_is_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        SceneSpec.model_validate(fields(**changes))


def test_a_box_without_volume_is_refused():
    with pytest.raises(ValidationError, match="allowed is more than 0 along each axis: give the box a volume"):
        ConditionWithin(body="rope", share=0.5, center=(0, 0, 0), size=(1, 1, 0))


def test_an_unknown_robot_is_refused():
    record = SceneSpec.model_validate(fields()).model_dump(mode="json")
    record["robot"]["model"] = "r2d2"
    with pytest.raises(ValidationError, match="'r2d2' is unknown; allowed are \\['panda'\\]"):
        SceneSpec.model_validate(record)


def test_an_unknown_part_is_refused():
    with pytest.raises(ValidationError, match="has no part 'tail'; allowed are"):
        RobotPart(robot="panda", part="tail")


def test_parts_of_robots_are_rigid_and_keep_their_size():
    part = RobotPart(robot="panda", part="hand")
    with pytest.raises(ValidationError, match="leave its scale and aspect at 1"):
        make_body("hand", part, scale=2.0)
    with pytest.raises(ValidationError, match="those are rigid"):
        BodySoft(name="hand", position=(0, 0, 1), geometry=part, physical=make_material(), visual={})


def test_a_vessel_has_a_hollow():
    with pytest.raises(ValidationError, match=r"wall is 0\.05 m; allowed is less than half"):
        Vessel(radius=0.05, base_radius=0.04, height=0.1, wall=0.05)
