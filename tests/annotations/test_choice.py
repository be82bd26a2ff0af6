"""Which annotations a request gets, and on which frames tracks begin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simfactory.annotations import ALWAYS, annotation_names, annotations, keyframes
from simfactory.errors import SpecError


def test_no_names_means_all():
    assert tuple(annotation.name for annotation in annotations()) == annotation_names()


def test_small_indispensable_ones_come_along():
    assert {annotation.name for annotation in annotations(["depth"])} == {"depth"} | ALWAYS


def test_order_and_repetition_do_not_matter():
    assert annotations(["rgb", "depth", "rgb"]) == annotations(["depth", "rgb"])


def test_an_unknown_name_is_refused_with_the_allowed_ones():
    with pytest.raises(SpecError, match=r"\['colour'\].*flow_forward.*rgb"):
        annotations(["depth", "colour"])


@given(st.integers(1, 10_000))
def test_keyframes_begin_at_zero_and_are_few(frame_count):
    frames = keyframes(frame_count)
    assert frames[0] == 0
    assert len(frames) == min(8, frame_count)
    assert frames == tuple(sorted(set(frames)))
    assert frames[-1] <= frame_count - 1
