"""Where Newton's figures are off, the error shrinks with the step at the order that the tolerances claim."""

import pytest

from simfactory.simulators import create_simulator
from simfactory.testing.laws import measure, rigid_laws

SUBSTEPS = (1, 2, 4)  # finer ones reach the float32 floor of the second-order figure
FIRST_ORDER = ("fall in air: speed after 2 s", "slope of 30°, μ = 0.606: way in 2 s")
SECOND_ORDER = ("cylinder rolls down 30°, μ = 0.9: acceleration",)
ORDERS = [(name, 1.0) for name in FIRST_ORDER] + [(name, 2.0) for name in SECOND_ORDER]


@pytest.fixture(scope="module")
def errors():
    """Name → absolute errors at 60, 120 and 240 steps per second."""
    result = {name: [] for name, _ in ORDERS}
    for substeps in SUBSTEPS:
        laws = [law for law in rigid_laws(substeps=substeps) if law.name in result]
        for law, figure in zip(laws, measure(create_simulator("newton"), laws), strict=True):
            result[law.name].append(abs(figure - law.exact))
    return result


@pytest.mark.parametrize(("name", "order"), ORDERS)
def test_error_shrinks_at_the_claimed_order(name, order, errors):
    """Halving the step divides the error by 2^order; within a fifth, the next order's share at these steps."""
    coarse, middle, fine = errors[name]
    assert coarse / middle == pytest.approx(2.0**order, rel=0.2)
    assert middle / fine == pytest.approx(2.0**order, rel=0.2)


def test_free_flight_does_not_depend_on_the_step():
    """Parabola and spin are exact in every step, so any step gives the same figures up to float32."""
    free = [law.name for law in rigid_laws() if "air" not in law.needs and "contact" not in law.needs]
    coarse, fine = (
        measure(create_simulator("newton"), [law for law in rigid_laws(substeps=n) if law.name in free])
        for n in (1, 8)
    )  # fmt: skip
    compared = [
        (a, b)
        for name, a, b in zip(free, coarse, fine, strict=True)
        if "energy" not in name and name != "push: when"  # a push waits for the next step, energy is second order
    ]
    assert all(a == pytest.approx(b, abs=4e-4) for a, b in compared)
