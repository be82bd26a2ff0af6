"""Stored values are within the promised distance of the given ones, and missing stays missing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from simfactory.errors import StoreError
from simfactory.signals import Precision, Signal
from simfactory.store.precision import Quantiser

NAN = float("nan")
FLOW = Precision(dtype="int16", scale=1 / 64, scale_max=1 / 8)


def quantiser(*, precision=FLOW, fill=NAN, dtype="float32", profile="portable"):
    signal = Signal(
        name="signal", dims=("time",), dtype=dtype, unit="px", description="d", fill=fill, precision=precision
    )
    return Quantiser(signal, profile=profile)


def round_trip(coder, values):
    stored = np.empty(values.shape, coder.encoding.stored)
    beyond = coder.encode(values, stored)
    return coder.encoding.decode(stored), beyond


def fields(bound):
    numbers = st.floats(-bound, bound, width=32) | st.just(NAN)
    return npst.arrays(np.float32, npst.array_shapes(max_dims=3, max_side=6), elements=numbers)


@given(fields(511.984375))
def test_flow_is_within_half_a_step(values):
    found, beyond = round_trip(quantiser(), values)
    assert found.dtype == np.float32
    assert beyond is None
    np.testing.assert_array_equal(np.isnan(found), np.isnan(values))
    assert np.nanmax(np.abs(found - values), initial=0.0) <= 1 / 128


@given(fields(4000.0))
def test_step_is_the_smallest_that_holds_the_clip(values):
    coder = quantiser()
    coder.widen(coder.peak(values))
    scale, peak = coder.encoding.scale, np.nanmax(np.abs(values), initial=0.0)
    assert scale in (1 / 64, 1 / 32, 1 / 16, 1 / 8)
    assert scale == 1 / 64 or np.rint(peak / (scale / 2)) > 32767
    found, beyond = round_trip(coder, values)
    assert beyond is None
    assert np.nanmax(np.abs(found - values), initial=0.0) <= scale / 2


def test_values_beyond_the_last_step_saturate_and_say_so():
    coder = quantiser()
    coder.widen(1e6)
    found, beyond = round_trip(coder, np.array([1e6, -1e6, 4095.0, NAN], np.float32))
    np.testing.assert_array_equal(beyond, [True, True, False, False])
    np.testing.assert_array_equal(found, np.array([4095.875, -4095.875, 4095.0, NAN], np.float32))
    assert coder.saturated == 2


@given(npst.arrays(np.float32, 8, elements=st.floats(-1, 1, width=32)))
def test_normals_are_within_four_tenths_of_a_degree(values):
    normals = values.reshape(-1, 2)
    normals = np.concatenate([normals, np.ones((len(normals), 1), np.float32)], axis=1)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    found, _ = round_trip(quantiser(precision=Precision(dtype="int8", scale=1 / 127)), normals)
    found = found / np.linalg.norm(found, axis=1, keepdims=True)
    angle = np.degrees(np.arctan2(np.linalg.norm(np.cross(found, normals), axis=1), (found * normals).sum(1)))
    assert angle.max() <= 0.4


@given(npst.arrays(np.float32, 8, elements=st.floats(2**-12, 60000, width=32) | st.just(np.inf)))
def test_depth_is_within_half_precision_and_sky_stays_infinite(values):
    found, _ = round_trip(quantiser(precision=Precision(dtype="float16"), fill=np.inf), values)
    np.testing.assert_array_equal(np.isinf(found), np.isinf(values))
    hit = np.isfinite(values)
    assert (np.abs(found[hit] - values[hit]) <= 5e-4 * values[hit]).all()


def test_depth_too_far_for_half_precision_is_no_sky():
    coder = quantiser(precision=Precision(dtype="float16"), fill=np.inf)
    found, beyond = round_trip(coder, np.array([1e6, np.inf, 3.0], np.float32))
    np.testing.assert_array_equal(found, np.array([65504, np.inf, 3.0], np.float32))
    np.testing.assert_array_equal(beyond, [True, False, False])


@given(npst.arrays(np.float32, 8, elements=st.floats(width=32, allow_infinity=False)))
def test_archive_keeps_every_bit(values):
    found, beyond = round_trip(quantiser(profile="archive"), values)
    assert beyond is None
    assert found.tobytes() == values.tobytes()


@pytest.mark.parametrize("precision", [FLOW, Precision(dtype="float16"), Precision()])
@pytest.mark.parametrize(("fill", "wrong"), [(None, NAN), (None, np.inf), (NAN, np.inf), (np.inf, NAN)])
def test_a_value_that_is_neither_finite_nor_missing_is_refused(precision, fill, wrong):
    with pytest.raises(StoreError, match=r"signal: given .*(NaN|inf)"):
        round_trip(quantiser(precision=precision, fill=fill), np.array([1.0, wrong], np.float32))


def test_scale_needs_a_signed_integer():
    with pytest.raises(StoreError, match="signed integer"):
        quantiser(precision=Precision(dtype="uint16", scale=0.1))
