"""Release opens the hand and draws it back."""

import pytest

from simfactory.actions import Controller, Script
from simfactory.actions.release import Release
from simfactory.testing.arms import obeyed


def test_the_hand_opens_before_it_draws_back(look):
    seen = look()
    plan = Release(back=0.08).begin(seen).plan
    assert plan.positions[-1, -1] == pytest.approx(0.0395)
    assert plan.tools[-1] == pytest.approx(seen.tool[:3, 3] + (0.0, 0.0, 0.08), abs=1e-3)
    assert [phase.action for phase in plan.phases] == ["release", "retreat"]


@pytest.mark.parametrize(("frame", "status"), [(4, "succeeded"), (90, "failed")])
def test_it_succeeds_where_nothing_is_held_any_more(spec, frame, status):
    controller = Controller(spec, Script(Release()))
    obeyed(controller, spec, frames=80, held={0: "block", frame: ""})
    assert controller.log[-1].status == status
    assert (controller.log[-1].reason == "the hand still holds 'block'") == (status == "failed")
