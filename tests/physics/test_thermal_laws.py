"""Newton obeys every law of heat and of moving air within its stated tolerance."""

import pytest

from simfactory.simulators import create_simulator
from simfactory.testing.laws import air_laws, heat_laws, measure

LAWS = [*heat_laws(), *air_laws()]


@pytest.mark.parametrize("law", LAWS, ids=[law.name for law in LAWS])
def test_newton_obeys(law):
    """One law a load: their solver steps differ."""
    (figure,) = measure(create_simulator("newton"), [law])
    assert figure == pytest.approx(law.exact, abs=law.tolerance, rel=0.0), law.reason
