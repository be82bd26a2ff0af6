"""Newton obeys every law of cloth within its stated tolerance."""

import pytest

from simfactory.simulators import create_simulator
from simfactory.testing.laws import cloth_laws, heavy_elastica, measure

LAWS = cloth_laws()


@pytest.mark.parametrize("law", LAWS, ids=[law.name for law in LAWS])
def test_newton_obeys(law):
    """One law a load: their solver steps differ."""
    (figure,) = measure(create_simulator("newton"), [law])
    assert figure == pytest.approx(law.exact, abs=law.tolerance, rel=0.0), law.reason


def test_the_heavy_elastica_is_a_beam_under_small_loads_and_hangs_down_under_large_ones():
    assert heavy_elastica(0.01)[1] == pytest.approx(0.01 / 8.0, rel=1e-3)
    along, down = heavy_elastica(100.0)
    assert 0.9 < down < 1.0
    assert along < 0.2
