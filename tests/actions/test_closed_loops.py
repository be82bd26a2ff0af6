"""Closed loops under real physics: several environments at once, each with actions of its own length and outcome."""

import math

import numpy as np
import pytest

from simfactory.actions import Script
from simfactory.actions.go_to import GoTo
from simfactory.actions.grasp import Grasp
from simfactory.actions.pour import Pour
from simfactory.actions.push import Push
from simfactory.actions.release import Release
from simfactory.errors import SpecError
from simfactory.rollouts import rollout, rollouts
from simfactory.spec import Box, Sphere, Vessel
from simfactory.spec import Push as Trigger
from simfactory.testing.arms import BENCH, arm_thing, make_arm_spec
from simfactory.testing.specs import make_spec
from simfactory.testing.trajectories import trajectories

FAST = 1.3  # of all speeds
BLOCK = arm_thing("block", Box(size=(0.05, 0.04, 0.05)), (0.45, 0.1), below=0.025)
CUP = arm_thing("cup", Vessel(radius=0.034, base_radius=0.031, height=0.08, wall=0.0035), (0.45, 0.1), below=0.0354)
MUG = arm_thing("mug", Vessel(radius=0.034, base_radius=0.033, height=0.085, wall=0.0035), (0.46, -0.1), below=0.0365)
BOWL = arm_thing("bowl", Vessel(radius=0.09, base_radius=0.06, height=0.05, wall=0.005), (0.48, 0.13), below=0.0185)
BEADS = tuple(
    arm_thing(f"bead_{number}", Sphere(radius=0.008), (0.46 + x, -0.1 + y), below=0.013)
    for number, (x, y) in enumerate(((0.0085, 0.0085), (0.0085, -0.0085), (-0.0085, 0.0085), (-0.0085, -0.0085)))
)
STRUCK = Trigger(body="block", time=0.3, impulse=(0.0, -0.06, 0.0))  # 1 m/s, while the hand is on its way
LIFT = GoTo(offset=(0.0, 0.0, 0.1), pace=FAST)


class Observant:
    """Takes the block where it is seen and lifts it; tries again if the fingers closed on nothing."""

    def act(self, seen):
        if seen.holding == "block":
            return None if seen.last.action == LIFT else LIFT
        return Grasp(target="block", pace=FAST) if len(seen.history) < 4 else None


class Watchful(Observant):
    """Does not even finish a grasp whose block has moved."""

    def watch(self, seen, action):
        return isinstance(action, Grasp) and seen.holding is None and abs(seen.place("block")[1] - self.aim) > 0.02

    def act(self, seen):
        self.aim = seen.place("block")[1]
        if seen.time < 0.5 and seen.history:
            return GoTo(offset=(0.0, 0.0, 0.02))  # until the block rests
        return super().act(seen)


PLACE = Script(
    Grasp(target="cup", pace=FAST),
    LIFT,
    GoTo(target=(0.45, -0.15, BENCH + 0.18), pace=FAST),
    GoTo(target=(0.45, -0.15, BENCH + 0.067), pace=FAST),
    Release(pace=FAST),
    on_failure="stop",
)
BLIND = Script(Grasp(target=(0.45, 0.1, BENCH + 0.034), pace=FAST), LIFT)
POUR = Script(
    Grasp(target="mug", lean=math.pi / 2, height=0.01, pace=FAST),
    LIFT,
    Pour(into="bowl", contents=tuple(bead.name for bead in BEADS), pace=FAST, duration=1.0),
    on_failure="stop",
)


@pytest.fixture(scope="module")
def outcomes():
    scenes = {
        "push": (make_arm_spec(BLOCK), Script(Push(target="block", way=(0.05, -0.12), pace=FAST))),
        "observant": (make_arm_spec(BLOCK, triggers=[STRUCK]), Observant()),
        "watchful": (make_arm_spec(BLOCK, triggers=[STRUCK]), Watchful()),
        "blind": (make_arm_spec(BLOCK, triggers=[STRUCK]), BLIND),
    }
    return rolled(scenes)


def rolled(scenes):
    made = rollouts([spec for spec, _ in scenes.values()], [policy for _, policy in scenes.values()])
    return dict(zip(scenes, made, strict=True))


def ended_at(outcome, body):
    return outcome.trajectory.position[-1, [entry.name for entry in outcome.spec.bodies].index(body)]


@pytest.mark.slow
def test_a_block_is_pushed(outcomes):
    assert outcomes["push"].outcomes == (("push", "succeeded"),)
    assert ended_at(outcomes["push"], "block")[:2] == pytest.approx((0.5, -0.02), abs=0.02)


@pytest.mark.slow
def test_who_observes_takes_a_block_that_was_struck_and_who_does_not_misses_it(outcomes):
    assert outcomes["observant"].outcomes == (("grasp", "failed"), ("grasp", "succeeded"), ("go_to", "succeeded"))
    assert "closed on nothing" in outcomes["observant"].log[1].reason
    assert ended_at(outcomes["observant"], "block")[2] > BENCH + 0.1
    assert outcomes["blind"].outcomes[0] == ("grasp", "failed")
    assert ended_at(outcomes["blind"], "block")[2] < BENCH + 0.03


@pytest.mark.slow
def test_who_watches_breaks_off_and_is_done_sooner(outcomes):
    assert "broken off by the policy" in [entry.reason for entry in outcomes["watchful"].log]
    assert ended_at(outcomes["watchful"], "block")[2] > BENCH + 0.1
    assert outcomes["watchful"].trajectory.frame_count < outcomes["observant"].trajectory.frame_count


@pytest.mark.slow
def test_a_cup_is_placed_and_beads_are_poured():
    scenes = {"place": (make_arm_spec(CUP), PLACE), "pour": (make_arm_spec(MUG, BOWL, *BEADS), POUR)}
    done = rolled(scenes)
    assert {status for _, status in done["place"].outcomes} == {"succeeded"}
    assert ended_at(done["place"], "cup") == pytest.approx((0.45, -0.15, BENCH + 0.0356), abs=0.01)
    assert done["pour"].outcomes == (("grasp", "succeeded"), ("go_to", "succeeded"), ("pour", "succeeded"))


@pytest.mark.slow
def test_environments_last_as_long_as_their_own_actions(outcomes):
    assert len({outcome.trajectory.frame_count for outcome in outcomes.values()}) == len(outcomes)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["push", "observant", "watchful"])
def test_what_was_executed_repeats_itself_without_a_policy_bit_for_bit(outcomes, name):
    done = outcomes[name]
    (path,) = trajectories([done.spec])
    for field in ("position", "quat_xyzw", "linear_velocity", "angular_velocity"):
        assert np.array_equal(getattr(path, field), getattr(done.trajectory, field)), field


def test_a_short_reach_repeats_itself_bit_for_bit():
    done = rollout(make_arm_spec(frame_count=30), Script(GoTo(offset=(0.05, 0.0, 0.02), pace=2.0)))
    assert done.outcomes == (("go_to", "succeeded"),)
    (path,) = trajectories([done.spec])
    assert np.array_equal(path.position, done.trajectory.position)
    assert np.abs(path.position[-1] - path.position[0]).max() > 0.04


def test_a_policy_for_each_spec():
    with pytest.raises(SpecError, match="1 specs come with 0 policies"):
        rollouts([make_spec()], [])
