"""Newton obeys every law of jointed bodies within its stated tolerance, which stands beside the law."""

import pytest

from simfactory.simulators import create_simulator
from simfactory.testing.laws import joint_laws, measure

LAWS = joint_laws(substeps=4)


@pytest.fixture(scope="module")
def figures():
    return dict(zip([law.name for law in LAWS], measure(create_simulator("newton"), LAWS), strict=True))


@pytest.mark.parametrize("law", LAWS, ids=[law.name for law in LAWS])
def test_newton_obeys(law, figures):
    assert figures[law.name] == pytest.approx(law.exact, abs=law.tolerance, rel=0.0), law.reason


def test_laws_have_their_own_names():
    assert len({law.name for law in LAWS}) == len(LAWS)
