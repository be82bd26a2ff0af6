"""A robot arm obeys every law within its stated tolerance, which stands beside the law."""

import pytest

from simfactory.simulators import create_simulator
from simfactory.testing.laws import measure, robot_laws

LAWS = robot_laws()


@pytest.fixture(scope="module")
def figures():
    return dict(zip([law.name for law in LAWS], measure(create_simulator("newton"), LAWS), strict=True))


@pytest.mark.parametrize("law", LAWS, ids=[law.name for law in LAWS])
def test_newton_obeys(law, figures):
    assert figures[law.name] == pytest.approx(law.exact, abs=law.tolerance, rel=0.0), law.reason
