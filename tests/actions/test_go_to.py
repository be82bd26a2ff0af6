"""GoTo moves the tool in a straight line to a body or a place, and notices when it loses what it held."""

import numpy as np
import pytest

from simfactory.actions import Controller, Script
from simfactory.actions.go_to import GoTo
from simfactory.arms import approach
from simfactory.errors import SpecError
from simfactory.testing.arms import obeyed


def test_the_tool_comes_to_where_a_body_is_seen(look):
    plan = GoTo(target="block", offset=(0.0, 0.0, 0.2)).begin(look(places={"block": (0.4, 0.0, 0.35)})).plan
    assert plan.tools[-1] == pytest.approx((0.4, 0.0, 0.55), abs=1e-3)
    way = plan.tools - plan.tools[0]
    off = way - np.outer(way @ way[-1], way[-1]) / (way[-1] @ way[-1])
    assert np.linalg.norm(off, axis=1).max() < 2e-3


def test_it_turns_if_told_to(look):
    seen = look()
    planner = seen.planner()
    GoTo(bearing=0.4, lean=0.3).motion(seen, planner)
    assert planner.tool[:3, :3] == pytest.approx(approach(0.4, lean=0.3), abs=2e-3)
    assert planner.tool[:3, 3] == pytest.approx(seen.tool[:3, 3], abs=1e-3)


def test_a_body_that_is_not_there_is_refused_with_those_that_are(look):
    with pytest.raises(SpecError, match=r"no body 'cup'; allowed are \['bench', 'block', 'brick'\]"):
        GoTo(target="cup").begin(look())


def test_a_joint_beyond_its_limits_is_refused(spec, look):
    joint = spec.joints[0].model_copy(update={"upper": 0.1})
    tight = look().spec.model_copy(update={"joints": (joint, *spec.joints[1:])})
    seen = look()
    object.__setattr__(seen, "spec", tight)
    with pytest.raises(SpecError, match=r"joint 'robot_link1_joint' would turn from 0.00 to 0\.\d+ rad"):
        GoTo(target=(0.3, 0.3, 0.6)).begin(seen)


def test_what_stays_behind_is_lost(spec):
    controller = Controller(spec, Script(GoTo(offset=(0.0, 0.0, 0.15))))
    obeyed(controller, spec, frames=40, held={0: "block", 6: ""})
    assert controller.log[-1][2:] == ("failed", "lost 'block'")
    assert controller.log[-1].frame < 10
