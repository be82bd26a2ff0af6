"""Pour tips what is held from the side over a place, and counts what lies there."""

import math

import numpy as np
import pytest

from simfactory.actions.base import Attempt
from simfactory.actions.go_to import GoTo
from simfactory.actions.observer import Observer
from simfactory.actions.pour import Pour
from simfactory.errors import SpecError
from simfactory.testing.arms import arm_state

ACTION = Pour(into=(0.48, 0.13, 0.32), contents=("block", "brick"), share=0.6)


@pytest.fixture
def level(spec, look):
    """What is seen with a level hand that holds the block."""
    observer, seen = Observer(spec), look()
    planner = seen.planner()
    GoTo(target=(0.45, -0.1, 0.45), bearing=math.pi / 2, lean=math.pi / 2, spin=math.pi).motion(seen, planner)
    moved = dict(zip(spec.robot.joints, planner.arm - observer.start[:7], strict=False))
    command = np.concatenate([planner.arm, observer.start[7:]])
    return observer.observe(arm_state(spec, 0, moved, held="block"), command=command)


def test_the_vessel_is_tipped_beside_the_place_and_set_upright_again(level):
    planner = level.planner()
    ACTION.motion(level, planner)
    tops = np.array([row[6] for row in planner.finished().positions])
    assert np.ptp(tops) == pytest.approx(math.radians(120.0), abs=0.5)
    assert planner.tool[:3, :3] == pytest.approx(level.tool[:3, :3], abs=5e-3)
    assert np.linalg.norm(planner.tool[:2, 3] - (0.48, 0.13)) == pytest.approx(0.05, abs=2e-3)


@pytest.mark.parametrize(("there", "status"), [((0.5, 0.1, 0.32), "succeeded"), ((0.48, 0.3, 0.32), "failed")])
def test_it_succeeds_where_enough_of_the_contents_lies_about_the_place(spec, look, there, status):
    now = look(places={"block": (0.48, 0.12, 0.32), "brick": there})
    attempt = Attempt(action=ACTION, plan=look().planner().finished(), start=now)
    verdict = ACTION.outcome(attempt, now)
    assert verdict.status == status
    assert verdict.reason == f"{100 if status == 'succeeded' else 50} % of the contents lie there"


def test_an_empty_hand_or_one_that_holds_from_above_is_refused(look):
    with pytest.raises(SpecError, match="the hand holds nothing to pour from"):
        ACTION.begin(look())
    with pytest.raises(SpecError, match="'block' is held from above; allowed is a grasp from the side"):
        ACTION.begin(look(held="block"))
