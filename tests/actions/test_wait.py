"""Wait holds still."""

import numpy as np
import pytest

from simfactory.actions.wait import Wait
from simfactory.errors import SpecError


def test_nothing_moves_for_as_long_as_told(look):
    plan = Wait(duration=0.7).begin(look()).plan
    assert plan.times[-1] == pytest.approx(0.7)
    assert np.ptp(plan.positions, axis=0).max() == 0.0


def test_no_time_is_refused(look):
    with pytest.raises(SpecError, match="wait has a duration of 0 s; allowed is more than 0"):
        Wait(duration=0.0).begin(look())
