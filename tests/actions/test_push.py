"""Push comes down behind a body, goes along its way, and measures where the body is."""

import numpy as np
import pytest

from simfactory.actions import Controller
from simfactory.actions.push import Push
from simfactory.errors import SpecError
from simfactory.testing.arms import arm_state


def test_the_fingers_come_down_behind_the_body_and_stop_where_its_rear_shall_be(look):
    plan = Push(target="block", way=(0.0, -0.15)).begin(look()).plan
    begin = next(phase.start for phase in plan.phases if phase.action == "push")
    end = next(phase.start for phase in plan.phases if phase.action == "retreat")
    first, last = (np.array([np.interp(time, plan.times, column) for column in plan.tools.T]) for time in (begin, end))
    assert first == pytest.approx((0.45, 0.1 + 0.015 + 0.076, 0.3002 + 0.0225), abs=2e-3)
    assert last - first == pytest.approx((0.0, -0.2, 0.0), abs=2e-3)
    assert plan.positions[-1, -1] == pytest.approx(0.0)


@pytest.mark.parametrize(("gone", "status"), [(0.14, "succeeded"), (0.05, "failed")])
def test_it_succeeds_where_the_body_has_gone_far_enough(spec, gone, status):
    class Once:
        def act(self, seen):
            return None if seen.history else Push(target="block", way=(0.0, -0.15))

    controller, told = Controller(spec, Once()), {}
    for frame in range(120):
        place = (0.45, 0.1 - (gone if frame > 50 else 0.0), 0.3252)
        told = controller.targets(arm_state(spec, frame, told, places={"block": place}))
        if controller.finished:
            break
    assert controller.log[-1].status == status
    if status == "failed":
        assert controller.log[-1].reason == "'block' has gone (0.000, -0.050) m, wanted was (0.000, -0.150) m"


def test_no_way_or_a_full_hand_is_refused(look):
    with pytest.raises(SpecError, match="allowed are ways of more than 1 mm"):
        Push(target="block", way=(0.0, 0.0)).begin(look())
    with pytest.raises(SpecError, match="the hand holds 'brick': release it first"):
        Push(target="block", way=(0.1, 0.0)).begin(look(held="brick"))
