"""A controller turns a policy's actions into commands, frame by frame; here the arm obeys exactly, without physics."""

import numpy as np
import pytest

from simfactory.actions import Controller, Script, action_types
from simfactory.actions.go_to import GoTo
from simfactory.actions.wait import Wait
from simfactory.errors import SimulationError, SpecError
from simfactory.joints import drive_of
from simfactory.testing.arms import arm_state, make_arm_spec, obeyed
from simfactory.testing.specs import make_spec

SPEC = make_arm_spec(frame_count=60)
UP, AWAY = GoTo(offset=(0.0, 0.0, 0.1)), GoTo(target=(5.0, 0.0, 0.0))


def kept(controller):
    return [(entry.frame, entry.action.name, entry.status) for entry in controller.log]


def test_actions_are_what_lies_in_the_folder():
    assert list(action_types()) == ["follow", "go_to", "grasp", "pour", "push", "release", "wait"]
    assert action_types()["go_to"] is GoTo


def test_actions_follow_each_other_and_the_log_says_when():
    controller = Controller(SPEC, Script(Wait(duration=0.5), UP))
    obeyed(controller, SPEC, frames=60)
    assert kept(controller)[:3] == [(0, "wait", "running"), (10, "wait", "succeeded"), (10, "go_to", "running")]
    assert kept(controller)[-1][1:] == ("go_to", "succeeded")
    assert controller.finished


def test_an_action_that_cannot_be_planned_fails_with_the_reason_and_the_policy_goes_on():
    controller = Controller(SPEC, Script(AWAY, Wait(duration=0.1)))
    told = obeyed(controller, SPEC, frames=60)
    assert kept(controller)[:3] == [(0, "go_to", "running"), (0, "go_to", "failed"), (1, "wait", "running")]
    assert "does not reach" in controller.log[1].reason
    assert set(told[0].values()) == {0.0}


def test_what_was_executed_holds_every_command_and_begins_its_phases_when_actions_began():
    controller = Controller(SPEC, Script(Wait(duration=0.5), UP))
    told = obeyed(controller, SPEC, frames=60)
    spec = controller.executed()
    joints = {joint.name: joint for joint in spec.joints}
    for frame, row in enumerate(told, start=1):
        for name, position in row.items():
            assert drive_of(joints[name]).wanted(frame / SPEC.fps)[0] == pytest.approx(position, abs=1e-9)
    assert [(phase.action, phase.start) for phase in spec.robot.phases][:2] == [("wait", 0.0), ("go_to", 0.5)]
    assert spec.robot.phases[-1].action == "idle"
    assert len(drive_of(joints[SPEC.robot.joints[-1]]).waypoints) == 2, "a joint that rests needs no more"


def test_an_action_that_is_broken_off_leaves_no_phase_that_was_not_reached():
    class Timid:
        def act(self, seen):
            return None if seen.history else Wait(duration=5.0)

        def watch(self, seen, action):
            return seen.time > 0.19

    controller = Controller(SPEC, Timid())
    obeyed(controller, SPEC, frames=60)
    assert kept(controller) == [(0, "wait", "running"), (4, "wait", "failed")]
    assert controller.log[-1].reason == "broken off by the policy"
    assert [(phase.action, phase.start) for phase in controller.executed().robot.phases] == [
        ("wait", 0.0),
        ("idle", 0.2),
    ]


def test_an_arm_that_is_held_up_fails():
    controller = Controller(SPEC, Script(UP))
    told = []
    for frame in range(30):
        told.append(controller.targets(arm_state(SPEC, frame, {})))
        if len(controller.log) > 1:
            break
    assert controller.log[-1].status == "failed"
    assert max(abs(position) for position in told[-2].values()) > 0.05
    assert max(abs(position) for position in told[-1].values()) < 1e-6, "it stops pressing"
    assert "something is in the way" in controller.log[-1].reason


def test_what_is_no_action_is_refused():
    class Wordy:
        def act(self, seen):
            return "grasp the cup"

    with pytest.raises(SpecError, match=r"Wordy\.act returned 'grasp the cup'; allowed are actions, or None"):
        Controller(SPEC, Wordy()).targets(arm_state(SPEC, 0, {}))


def test_commands_are_smooth_in_time():
    controller = Controller(SPEC, Script(GoTo(target=(0.4, 0.2, 0.6))))
    told = np.array([list(row.values()) for row in obeyed(controller, SPEC, frames=60)])
    rates = np.abs(np.diff(np.vstack([np.zeros(9), told]), axis=0)) * SPEC.fps
    assert rates[0].max() < 0.2 * rates.max()
    assert rates[-2].max() < 0.2 * rates.max()
    assert rates.max() < 2.2


def test_states_out_of_order_and_scenes_without_robots_are_refused():
    controller = Controller(SPEC, Script(UP))
    controller.targets(arm_state(SPEC, 0, {}))
    with pytest.raises(SimulationError, match="waits for frame 1, this state is of 0 s"):
        controller.targets(arm_state(SPEC, 0, {}))
    with pytest.raises(SpecError, match="has no robot: actions need one"):
        Controller(make_spec(), Script())
    bare = SPEC.model_copy(
        update={
            "joints": tuple(joint.model_copy(update={"drive": None}) for joint in SPEC.joints[:1]) + SPEC.joints[1:]
        }
    )
    with pytest.raises(SpecError, match=r"joints \['robot_link1_joint'\] of robot 'robot' have no drive"):
        Controller(bare, Script())
