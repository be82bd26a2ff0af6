"""A gripper holds cloth and rope by friction as the laws say, each within its stated tolerance."""

import pytest

from simfactory.simulators import create_simulator
from simfactory.testing.laws import handling_laws, measure

LAWS = handling_laws()


@pytest.fixture(scope="module")
def figures():
    """Those of cloth share a load, so do those of ropes."""
    found = {}
    for kind in ("cloth", "rope"):
        laws = [law for law in LAWS if kind in law.needs]
        found |= dict(zip([law.name for law in laws], measure(create_simulator("newton"), laws), strict=True))
    return found


@pytest.mark.parametrize("law", LAWS, ids=[law.name for law in LAWS])
def test_newton_obeys(law, figures):
    assert figures[law.name] == pytest.approx(law.exact, abs=law.tolerance, rel=0.0), law.reason
