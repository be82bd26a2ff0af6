"""Whether cloth is folded and things are within a box is measured from where their vertices are."""

import math

import numpy as np
import pytest

from simfactory.arms import folded_share
from simfactory.arms.conditions import _within
from simfactory.spec import ConditionFolded, ConditionWithin, Rectangle
from simfactory.tailoring import cut
from simfactory.testing.specs import make_cloth

SIDE = 0.3
CLOTH = make_cloth(geometry=Rectangle(size=(SIDE, SIDE)), resolution=15)
FLAT = cut(CLOTH.geometry, CLOTH.resolution).vertices


FOLDED = ConditionFolded(body="cloth", share=0.5, radius=0.015, height=0.04, apart=0.1)


@pytest.mark.parametrize("direction", [(1.0, 0.0), (0.0, -1.0), (math.sqrt(0.5), -math.sqrt(0.5))])
def test_a_cloth_folded_in_half_lies_double_and_a_flat_one_does_not(direction):
    way = np.array([*direction, 0.0])
    over = np.maximum(FLAT @ way, 0.0)[:, None]
    lies = FLAT - 2.0 * over * way + (over > 0.0) * np.array([0.0, 0.0, 0.004])
    frames = np.stack([FLAT, lies]) + np.array([0.2, -0.1, 0.5])
    shares = folded_share(FOLDED, CLOTH, frames.astype(np.float32))
    assert shares[0] == 0.0
    # 5 cm on both sides of the fold are less than 10 cm apart in the flat cloth: a third, or more along a diagonal.
    strip = 0.1 * (SIDE if 0.0 in direction else math.sqrt(2.0) * SIDE - 0.1) / SIDE**2
    assert shares[1] == pytest.approx(1.0 - strip, abs=0.1)


def test_a_half_that_stands_up_or_hangs_is_not_folded():
    over = np.maximum(FLAT[:, 0], 0.0)
    for sign in (-1.0, 1.0):
        stands = FLAT - np.stack([over, 0.0 * over, sign * over], axis=-1)
        assert folded_share(FOLDED, CLOTH, stands[None].astype(np.float32))[0] == 0.0


def test_what_is_within_a_turned_box_counts():
    box = ConditionWithin(body="rope", share=0.5, center=(1.0, 0.0, 0.5), size=(2.0, 0.2, 0.4), bearing=0.5 * math.pi)
    inside, outside = (1.05, 0.9, 0.6), (1.9, 0.05, 0.6)
    frames = np.array([[inside, outside], [outside, outside]], np.float32)
    assert _within(box, frames).tolist() == [True, False]
