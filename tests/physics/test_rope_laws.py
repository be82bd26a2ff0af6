"""Newton obeys every law of ropes within its stated tolerance, and its bending error is of second order."""

import pytest

from simfactory.simulators import create_simulator
from simfactory.testing.laws import beam_law, measure, rope_laws

LAWS = rope_laws()


@pytest.mark.parametrize("law", LAWS, ids=[law.name for law in LAWS])
def test_newton_obeys(law):
    (figure,) = measure(create_simulator("newton"), [law])
    assert figure == pytest.approx(law.exact, abs=law.tolerance, rel=0.0), law.reason


def test_bending_converges_with_the_square_of_the_segments():
    errors = [measure(create_simulator("newton"), [beam_law(n, substeps=4)])[0] - 1.0 for n in (8, 16, 32)]
    assert 3.5 < errors[0] / errors[1] < 7.0
    assert errors[2] < errors[1] / 3.5
