"""Scenes with a robot arm: plans are smooth and within limits, the arm holds together, and what it does is recorded."""

from itertools import pairwise

import numpy as np
import pytest

import scenes
from layouts import Stage, certify
from layouts.arms import bench
from layouts.clearance import clearance
from layouts.solids import solid
from layouts.stage import moved
from scenes.manipulation import MANIPULATION
from scenes.manipulation_soft import CLOTH_MANIPULATION, ROPE_MANIPULATION
from simfactory.annotations import annotations
from simfactory.arms import Guide, arm_states, plan_frames
from simfactory.errors import SpecError
from simfactory.joints import joint_states
from simfactory.quality import Thresholds
from simfactory.rng import stream
from simfactory.robots import robot_model
from simfactory.spec import SceneSpec
from simfactory.testing.specs import make_body
from simfactory.testing.trajectories import trajectories

CATEGORIES = {"articulated": MANIPULATION, "cloth": CLOTH_MANIPULATION, "rope": ROPE_MANIPULATION}
NAMES = {row.name: category for category, rows in CATEGORIES.items() for row in rows}


def sampled(name, index=0, frame_count=13):
    return scenes.sample(NAMES[name], scene=name, seed=0, index=index, views=1, frame_count=frame_count, size=(64, 64))


def test_there_are_ten_tasks_and_more():
    assert len(NAMES) >= 10


@pytest.mark.parametrize("name", NAMES)
def test_plans_are_smooth_and_within_limits(name):
    spec = sampled(name)
    assert SceneSpec.model_validate_json(spec.model_dump_json()).digest() == spec.digest()
    certify(spec.bodies, spec.ground, spec.room, joints=spec.joints, robot=spec.robot)
    moving = [part for part in robot_model(spec.robot.model).parts if part.parent is not None]
    of = {joint.name: joint for joint in spec.joints}
    for joint_name, part, start in zip(spec.robot.joints, moving, spec.robot.start, strict=True):
        points = of[joint_name].drive.waypoints
        assert points[0].position == 0.0
        for before, after in pairwise(points):
            rate = (after.position - before.position) / (after.time - before.time)
            assert abs(rate) <= 1.01 * part.rate, joint_name
            if part.joint == "hinge":
                assert part.lower <= start + after.position <= part.upper, joint_name


@pytest.mark.parametrize("name", ["robot_presses_button", "robot_pushes_block", "robot_places_cup"])
def test_a_task_is_done_at_its_end_and_not_before(name):
    plain = sampled(name)
    spec = plain.model_copy(update={"frame_count": plan_frames(plain)})
    (path,) = trajectories([spec])
    arm, states = arm_states(spec, spec.robot, path), joint_states(spec, **path.motion())
    assert not arm.success[0]
    assert arm.success[-1]
    assert states.gap.max() < Thresholds().joint_gap
    assert states.tilt.max() < Thresholds().joint_tilt
    if "grasping" in spec.phenomena:
        cup = [body.name for body in spec.bodies].index("cup")
        lifting = arm.phase == [phase.action for phase in spec.robot.phases].index("carry")
        assert set(arm.holding[lifting].tolist()) == {cup}


GUIDED = [name for name, category in NAMES.items() if category != "articulated"]


@pytest.mark.parametrize("name", GUIDED)
def test_a_guided_arm_goes_through_nothing_that_stands_still(name):
    """Its solver would not stop it; clear by a tenth of a millimetre at every fifth of a second."""
    spec = sampled(name)
    assert spec.robot is not None
    guide = Guide(spec, dt=0.2, steps=1)
    fixed = [solid(body) for body in spec.bodies if body.mobility == "static" and body.name != "robot_link0"]
    parts = {body.name: body for body in spec.bodies if body.name in spec.robot.bodies[3:]}
    for frame in range(int(plan_frames(spec) / spec.fps / 0.2)):
        way = guide.frame(frame)
        for part, place, quat in zip(spec.robot.bodies[1:], way.position[0], way.quat_xyzw[0], strict=True):
            if part in parts:
                hull = solid(moved(parts[part], position=place, orientation=quat))
                for other in fixed:
                    assert clearance(hull, other, enough=1e-4) >= 1e-4, (part, other.name, 0.2 * (frame + 1))


def of_guided_arm(name):
    plain = sampled(name).model_copy(update={"fps": 12.0})
    return plain.model_copy(update={"frame_count": plan_frames(plain)})


def test_a_guided_arm_drags_a_rope_by_the_friction_of_its_fingers():
    spec = of_guided_arm("robot_drags_rope")
    (path,) = trajectories([spec])
    arm = arm_states(spec, spec.robot, path)
    dragging = arm.phase == [phase.action for phase in spec.robot.phases].index("drag")
    assert not arm.success[0]
    assert arm.success[-1]
    assert set(arm.holding[dragging].tolist()) == {[body.name for body in spec.bodies].index("rope")}


def test_a_guided_arm_lifts_a_cloth_and_not_with_fingers_that_stay_open():
    spec = of_guided_arm("robot_lifts_cloth")
    fingers = spec.robot.joints[-2:]
    joints = [joint.model_copy(update={"drive": None}) if joint.name in fingers else joint for joint in spec.joints]
    idle = spec.model_copy(update={"joints": tuple(joints)})
    arm, other = (
        arm_states(each, each.robot, path) for each, path in zip((spec, idle), trajectories([spec, idle]), strict=True)
    )
    holding = arm.phase == [phase.action for phase in spec.robot.phases].index("hold")
    assert not arm.success[0]
    assert arm.success[-1]
    assert np.abs(arm.position - arm.command).max() < 1e-5
    assert set(arm.holding[holding].tolist()) == {[body.name for body in spec.bodies].index("cloth")}
    assert not other.success.any()
    assert (other.holding == -1).all()


def test_an_unreachable_target_is_refused_while_sampling():
    bench_body = make_body("bench", mobility="static")
    table = bench(bench_body, Stage(gravity=np.array([0.0, 0.0, -9.81])), stream(0, "bench"))
    planner = table.planner(table.point(0.5, 0.0, 0.2), table.down())
    with pytest.raises(SpecError, match=r"robot 'panda' does not reach .*: move the target or the base"):
        planner.move(table.point(1.4, 0.0, 0.2))


def test_an_unknown_robot_is_refused_while_sampling():
    stage = Stage(gravity=np.array([0.0, 0.0, -9.81]))
    with pytest.raises(SpecError, match="robot 'r2d2' is unknown; allowed are"):
        bench(make_body("bench", mobility="static"), stage, stream(0, "bench"), robot="r2d2")


def test_only_scenes_with_a_robot_record_one():
    chosen = [entry.name for entry in annotations((), spec=sampled("robot_pushes_block"))]
    assert "robot" in chosen
    other = scenes.sample("articulated", scene="pendulum_swing", seed=0, views=1, frame_count=4, size=(64, 64))
    assert "robot" not in [entry.name for entry in annotations((), spec=other)]
