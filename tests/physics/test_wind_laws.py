"""Newton obeys every law of wind on grains, drops and a ball over a jet within its stated tolerance."""

import pytest

from simfactory.simulators import create_simulator
from simfactory.testing.laws import measure, wind_laws

LAWS = wind_laws()


@pytest.mark.parametrize("law", LAWS, ids=[law.name for law in LAWS])
def test_newton_obeys(law):
    (figure,) = measure(create_simulator("newton"), [law])
    assert figure == pytest.approx(law.exact, abs=law.tolerance, rel=0.0), law.reason
