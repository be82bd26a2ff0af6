"""Newton obeys every law of liquids within its stated tolerance, and thicker ones spread less."""

import pytest

from simfactory.simulators import create_simulator
from simfactory.testing.laws import fluid_laws, measure

LAWS = fluid_laws()


@pytest.fixture(scope="module")
def figures():
    """The figure of every law, measured once; one law a load, as their lengths differ."""
    found = {}

    def figure(law):
        if law.name not in found:
            (found[law.name],) = measure(create_simulator("newton"), [law])
        return found[law.name]

    return figure


@pytest.mark.parametrize("law", LAWS, ids=[law.name for law in LAWS])
def test_newton_obeys(law, figures):
    assert figures(law) == pytest.approx(law.exact, abs=law.tolerance, rel=0.0), law.reason
