"""A robot beside cloth or ropes is moved along its commands, as fast as its joints can and no farther than they go."""

import numpy as np
import pytest

from simfactory.arms import Guide, acting_bodies, equipped, held_joints, is_guided
from simfactory.errors import SpecError
from simfactory.robots import part_poses, robot_model
from simfactory.simulators import create_simulator
from simfactory.simulators.newton.steps import steps_for
from simfactory.spec import Drive, JointHinge, JointSlider, SceneSpec
from simfactory.testing.specs import make_body, make_cloth, make_rope, make_spec

MODEL = robot_model("panda")
HOME = np.array([0.0, -0.4, 0.0, -2.2, 0.0, 1.8, 0.785, 0.02, 0.02])
AWAY = HOME + np.array([0.3, 0.0, 0.2, 0.1, -0.2, 0.1, 0.4, -0.01, -0.01])


def scene(*others, times=(0.0, 1.0), rows=(HOME, AWAY), joints=(), **changes):
    arm = equipped(MODEL, np.eye(4), np.array(times), np.array(rows), grip=20.0)
    plain = make_spec(bodies=[*arm.bodies, *others], joints=[*arm.joints, *joints], fps=20.0, frame_count=21)
    return SceneSpec.model_validate({**dict(plain), "robot": arm.robot, **changes})


def far(**options):
    return make_cloth(position=(2.0, 2.0, 1.0), **options)


def test_robots_are_guided_beside_cloth_and_ropes_alone():
    assert is_guided(scene(far()))
    assert is_guided(scene(make_rope(position=(2.0, 2.0, 1.0))))
    plain = scene(make_body(position=(2.0, 2.0, 1.0)))
    assert not is_guided(plain)
    assert held_joints(plain) == plain.joints
    assert acting_bodies(plain) == plain.bodies


def test_parts_that_are_guided_are_kinematic_and_their_joints_need_no_solver():
    spec = scene(far())
    assert held_joints(spec) == ()
    mobility = {body.name: body.mobility for body in acting_bodies(spec)}
    assert {mobility[name] for name in spec.robot.bodies[1:]} == {"kinematic"}
    assert mobility["cloth"] == "dynamic"
    assert steps_for(spec).__name__ == "StepsCloth"


def test_parts_follow_the_commands_of_all_joints():
    spec = scene(far())
    guide, dt = Guide(spec, dt=1.0 / 80.0, steps=4), 1.0 / 80.0
    ways = [guide.frame(number) for number in range(20)]
    wanted = part_poses(MODEL, HOME + 0.5 * (AWAY - HOME), np.eye(4))[1:]
    middle = ways[9]
    for part, pose, place in zip(MODEL.parts[1:], wanted, middle.position[-1], strict=True):
        assert place == pytest.approx(pose[:3, :3] @ part.center + pose[:3, 3], abs=1e-6)
    step = np.diff(np.concatenate([way.position for way in ways]), axis=0) / dt
    assert np.concatenate([way.linear_velocity for way in ways])[1:] == pytest.approx(step, abs=1e-9)


def test_frames_can_be_asked_for_again():
    guide = Guide(scene(far()), dt=1.0 / 80.0, steps=4)
    first = guide.frame(0)
    guide.frame(7)
    assert np.array_equal(guide.frame(0).position, first.position)
    assert np.array_equal(guide.frame(7).position, Guide(scene(far()), dt=1.0 / 80.0, steps=4).frame(7).position)


def test_a_command_faster_than_a_joint_is_followed_at_its_largest_rate():
    hurried = HOME + np.array([1.5, *np.zeros(8)])
    spec = scene(far(), times=(0.0, 0.1), rows=(HOME, hurried))
    guide = Guide(spec, dt=1.0 / 80.0, steps=4)
    speed = np.linalg.norm(np.concatenate([guide.frame(k).angular_velocity[:, 0] for k in range(10)]), axis=-1)
    assert speed.max() == pytest.approx(MODEL.parts[1].rate, rel=1e-3)


def test_a_command_beyond_a_limit_stops_there():
    apart = HOME.copy()
    apart[7:] = 0.03
    spec = scene(far(), times=(0.0, 0.5), rows=(HOME, apart))
    joints = [
        joint.model_copy(update={"upper": 0.005}) if isinstance(joint, JointSlider) else joint for joint in spec.joints
    ]
    guide = Guide(spec.model_copy(update={"joints": tuple(joints)}), dt=1.0 / 80.0, steps=4)
    way = guide.frame(19)
    apart_now = np.linalg.norm(way.position[-1, 7] - way.position[-1, 8])
    begun = np.linalg.norm(np.subtract(spec.bodies[8].position, spec.bodies[9].position))
    assert apart_now == pytest.approx(begun + 0.01, abs=1e-6)


def test_a_part_that_is_not_where_the_joints_put_it_is_refused():
    spec = scene(far())
    moved = tuple(
        body.model_copy(update={"position": (1.0, 0.0, 1.0)}) if body.name == "robot_link3" else body
        for body in spec.bodies
    )
    with pytest.raises(SpecError, match=r"part 'robot_link3' of robot 'robot' is .* m from where robot.start puts it"):
        Guide(spec.model_copy(update={"bodies": moved}), dt=0.01, steps=1)


def test_other_joints_beside_cloth_are_refused():
    door = make_body("door", position=(2.0, -2.0, 1.0))
    hinge = JointHinge(name="hinge", child="door", anchor=(2.0, -2.0, 1.0), axis=(0.0, 0.0, 1.0))
    with pytest.raises(SpecError, match="newton holds no joints in scenes with bodies of kinds cloth, rigid"):
        steps_for(scene(far(), door, joints=[hinge]))


def test_commands_of_frames_are_those_of_waypoints_bit_for_bit():
    far_off = scene(make_rope(position=(2.0, 2.0, 1.0)))
    random = np.random.default_rng(0)
    told = np.cumsum(0.02 * random.uniform(-1.0, 1.0, (6, 9)), axis=0).round(6) * ([1.0] * 7 + [0.1] * 2)
    simulator = create_simulator("newton")
    simulator.load([far_off, far_off])
    names, states = far_off.robot.joints, []
    for row in told:
        simulator.drive(1, dict(zip(names, row.tolist(), strict=True)))
        simulator.step()
        states.append(simulator.state(1))
    times = np.arange(7) / far_off.fps
    joints = tuple(
        joint.model_copy(update={"drive": drive_along(joint.drive, times, [0.0, *told[:, names.index(joint.name)]])})
        for joint in far_off.joints
    )
    simulator.load([far_off.model_copy(update={"joints": joints})])
    for state in states:
        simulator.step()
        assert np.array_equal(simulator.state(0).position, state.position)
        assert np.array_equal(simulator.state(0).linear_velocity, state.linear_velocity)
    planned = Guide(far_off, dt=1.0 / 80.0, steps=4).frame(5).position[-1]
    assert np.abs(states[-1].position[1:10] - planned).max() > 5e-3


def drive_along(drive, times, positions):
    points = [{"time": time, "position": position} for time, position in zip(times, positions, strict=True)]
    return Drive.model_validate({**dict(drive), "waypoints": points})
