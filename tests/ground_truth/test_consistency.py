"""Clips of every category agree with themselves, and the harness notices where they do not."""

from functools import cache

import numpy as np
import pytest

import scenes
from scenes.listing import categories
from simfactory.simulation import simulate
from simfactory.testing.ground_truth import CONSISTENT, consistency, track_flow_residual

PHYSICAL = {"not_finite", "out_of_bounds", "energy_growth", "penetration", "inverted_elements", "lost_grains"}


@cache
def episode(category, index):
    spec = scenes.sample(category, seed=5, index=index, frame_count=8, fps=24.0, size=(64, 64), views=1)
    return simulate(spec)


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("category", list(categories()))
def test_two_short_episodes_are_stable_and_consistent(category, index):
    taken = episode(category, index)
    assert not PHYSICAL & set(taken.quality["reasons"])
    figures = consistency(taken)
    assert figures.keys() == CONSISTENT.keys()
    assert {name: value for name, value in figures.items() if value > CONSISTENT[name]} == {}
    assert len(taken.clips[0].arrays["tracks/frame"]) > 0


def test_flow_that_is_late_or_shifted_is_found():
    arrays = dict(episode("rigid", 0).clips[0].arrays)
    assert track_flow_residual(arrays).max() < CONSISTENT["track_flow_px"]
    late = arrays | {"flow_forward": np.roll(arrays["flow_forward"], 1, axis=0)}
    assert track_flow_residual(late).max() > 10.0 * CONSISTENT["track_flow_px"]
    shifted = arrays | {"flow_forward": arrays["flow_forward"] + np.float32(0.02)}
    assert track_flow_residual(shifted).min() > CONSISTENT["track_flow_px"]
