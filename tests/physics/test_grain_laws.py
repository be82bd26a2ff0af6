"""Newton obeys every law of grains within its stated tolerance, and rougher grains lie steeper."""

import pytest

from simfactory.simulators import create_simulator
from simfactory.testing.laws import grain_laws, measure

LAWS = grain_laws()


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


def test_the_slope_at_rest_grows_with_friction(figures):
    slopes = [figures(law) for law in LAWS if law.name.endswith("slope at rest")]
    assert len(slopes) == 3
    assert slopes[0] + 5.0 < slopes[1] < slopes[2] - 5.0
