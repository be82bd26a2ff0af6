"""Follow passes through its places in one motion."""

import numpy as np
import pytest

from simfactory.actions.follow import Follow
from simfactory.errors import SpecError

PLACES = ((0.4, 0.2, 0.6), (0.5, 0.0, 0.7), (0.4, -0.2, 0.6))


def test_the_tool_passes_all_places_and_rests_only_at_the_ends(look):
    plan = Follow(places=PLACES).begin(look()).plan
    for place in PLACES:
        assert np.linalg.norm(plan.tools - place, axis=1).min() < 0.02
    assert plan.tools[-1] == pytest.approx(PLACES[-1], abs=1e-3)
    speed = np.linalg.norm(np.diff(plan.tools, axis=0), axis=1) / np.diff(plan.times)
    assert speed[3:-3].min() > 0.02
    assert speed[[0, -1]].max() < 0.1 * speed.max()


def test_nowhere_to_go_and_no_pace_are_refused(look):
    with pytest.raises(SpecError, match="follow has nowhere to go"):
        Follow(places=()).begin(look())
    with pytest.raises(SpecError, match="pace of action 'follow' is 0"):
        Follow(places=PLACES, pace=0.0).begin(look())
