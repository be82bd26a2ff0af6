"""Flow is believed where the way back returns it."""

import numpy as np
import pytest

from simfactory.errors import SpecError
from training.flow_consistency import field_at, flow_reliability


def constant(across, down, *, size=(6, 8)):
    return np.stack([np.full(size, across), np.full(size, down)]).astype(np.float32)


def test_a_shift_and_its_opposite_agree_wherever_they_stay_inside():
    inside, reliable = flow_reliability(constant(2.0, 0.0), constant(-2.0, 0.0))
    assert inside[:, :6].all()
    assert not inside[:, 6:].any()
    assert (reliable == inside).all()


@pytest.mark.parametrize(("miss", "believed"), [(0.69, True), (0.72, False)])
def test_the_miss_may_grow_with_the_way(miss, believed):
    # 0.5 + 0.05 (2 + 2 − miss) is 0.666 to 0.6655 for these: the two lie on either side of 0.7 − 0.05 miss.
    _, reliable = flow_reliability(constant(2.0, 0.0), constant(miss * 0.95 - 2.0, 0.0))
    assert reliable[:, :6].all() == believed


def test_what_is_not_finite_is_not_believed():
    forward = constant(1.0, 0.0)
    forward[:, 2, 3] = np.nan
    inside, reliable = flow_reliability(forward, constant(-1.0, 0.0))
    assert not inside[2, 3]
    assert not reliable[2, 3]
    with pytest.raises(SpecError, match="twice"):
        flow_reliability(forward, forward[:, :-1])


def test_fields_are_bilinear_between_pixel_centres_and_constant_beyond():
    column, row = np.meshgrid(np.arange(5) + 0.5, np.arange(4) + 0.5)
    field = np.stack([2.0 * column + row, row])
    points = np.random.default_rng(0).uniform((0.5, 0.5), (4.5, 3.5), (50, 2))
    np.testing.assert_allclose(field_at(field, points), np.stack([points @ (2, 1), points[:, 1]], -1), atol=1e-5)
    np.testing.assert_allclose(field_at(field, np.array([[-3.0, 9.0]])), [[2 * 0.5 + 3.5, 3.5]])
    assert np.isnan(field_at(field, np.array([[np.nan, 1.0]]))).all()
    assert field_at(field[:, :1, :1], np.array([[4.0, 4.0]])).tolist() == [[1.5, 0.5]]
