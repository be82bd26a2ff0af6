"""Grasp comes to where a body is seen, across its thinnest side, and says what the fingers closed on."""

import math

import numpy as np
import pytest

from simfactory.actions import Controller, Script
from simfactory.actions.grasp import Grasp
from simfactory.errors import SpecError
from simfactory.testing.arms import obeyed


def planned(action, seen):
    planner = seen.planner()
    action.motion(seen, planner)
    return planner


@pytest.mark.parametrize("place", [(0.45, 0.1, 0.3252), (0.5, -0.1, 0.3252)])
def test_the_fingers_close_about_the_body_where_it_is_seen(look, place):
    planner = planned(Grasp(target="block"), look(places={"block": place}))
    assert planner.tool[:3, 3] == pytest.approx((*place[:2], 0.3502 - 0.016), abs=1e-3)
    assert abs(planner.tool[1, 1]) > math.cos(0.1), "fingers move along y, where the block is 3 cm wide"
    assert planner.opening < 0.0


def test_a_hand_comes_level_if_told_to(look):
    planner = planned(Grasp(target="block", lean=math.pi / 2, bearing=math.pi / 2), look())
    assert planner.tool[:3, 2] == pytest.approx((0.0, 1.0, 0.0), abs=2e-3)


@pytest.mark.parametrize(
    ("held", "status", "reason"),
    [
        ("block", "succeeded", ""),
        ("", "failed", "the fingers closed on nothing"),
        ("brick", "failed", "closed on 'brick' instead of 'block'"),
    ],
)
def test_it_tells_what_the_fingers_closed_on(spec, held, status, reason):
    controller = Controller(spec, Script(Grasp(target="block")))
    obeyed(controller, spec, frames=80, held={20: held})
    assert controller.log[-1].status == status
    assert reason in controller.log[-1].reason


def test_what_is_too_wide_or_comes_to_a_full_hand_is_refused(look):
    with pytest.raises(SpecError, match="'brick' is 110 mm wide; allowed is up to 75 mm"):
        Grasp(target="brick").begin(look())
    with pytest.raises(SpecError, match="the hand holds 'block': release it first"):
        Grasp(target="block").begin(look(held="block"))


def test_the_bench_that_fingers_touch_is_not_held(look):
    assert look(held="bench").holding is None
    assert look(held="block").holding == "block"


def test_a_place_is_taken_as_it_is_told(look):
    planner = planned(Grasp(target=(0.5, 0.0, 0.35)), look())
    assert planner.tool[:3, 3] == pytest.approx((0.5, 0.0, 0.35), abs=1e-3)
    assert np.abs(planner.tool[:3, 2] - (0.0, 0.0, -1.0)).max() < 2e-3
