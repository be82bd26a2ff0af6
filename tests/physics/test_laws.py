"""Newton obeys every law of rigid bodies within its stated tolerance; mock obeys those that need no solver.

Each tolerance and its reason stand beside the law in `simfactory.testing.laws`. All laws run as worlds of one load.
"""

import pytest

from simfactory.simulators import create_simulator
from simfactory.testing.laws import measure, rigid_laws

LAWS = rigid_laws()
PLAIN_LAWS = [law for law in LAWS if not law.needs]


def names(laws):
    return [law.name for law in laws]


@pytest.fixture(scope="module")
def newton_figures():
    return dict(zip(names(LAWS), measure(create_simulator("newton"), LAWS), strict=True))


@pytest.fixture(scope="module")
def mock_figures():
    return dict(zip(names(PLAIN_LAWS), measure(create_simulator("mock"), PLAIN_LAWS), strict=True))


@pytest.mark.parametrize("law", LAWS, ids=names(LAWS))
def test_newton_obeys(law, newton_figures):
    assert newton_figures[law.name] == pytest.approx(law.exact, abs=law.tolerance, rel=0.0), law.reason


@pytest.mark.parametrize("law", PLAIN_LAWS, ids=names(PLAIN_LAWS))
def test_mock_obeys(law, mock_figures):
    assert mock_figures[law.name] == pytest.approx(law.exact, abs=1e-5, rel=0.0), "closed forms in float64"


def test_laws_have_their_own_names():
    assert len(set(names(LAWS))) == len(LAWS)
