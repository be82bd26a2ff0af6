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


def folded(direction):
    return ConditionFolded(body="cloth", direction=direction, share=0.6, radius=0.03, height=0.02)


@pytest.mark.parametrize("direction", [(1.0, 0.0), (0.0, -1.0), (math.sqrt(0.5), -math.sqrt(0.5))])
@pytest.mark.parametrize("turn", [0.0, 1.0])
def test_a_cloth_mirrored_about_its_middle_is_folded_and_a_flat_one_is_not(direction, turn):
    way = np.array([*direction, 0.0])
    over = np.maximum(FLAT @ way, 0.0)[:, None]
    lies = FLAT - 2.0 * over * way + (over > 0.0) * np.array([0.0, 0.0, 0.004])
    spin = np.array([[math.cos(turn), -math.sin(turn), 0.0], [math.sin(turn), math.cos(turn), 0.0], [0.0, 0.0, 1.0]])
    frames = np.stack([FLAT, lies]) @ spin.T + np.array([0.2, -0.1, 0.5])
    shares = folded_share(folded(direction), CLOTH, frames.astype(np.float32))
    assert shares[0] < 0.3  # the strip beside the fold is near its image at all times
    assert shares[1] > 0.97


def test_a_half_that_stands_up_is_not_folded():
    over = np.maximum(FLAT[:, 0], 0.0)
    stands = FLAT - np.stack([over, 0.0 * over, -over], axis=-1)
    shares = folded_share(folded((1.0, 0.0)), CLOTH, stands[None].astype(np.float32))
    assert shares[0] < 0.3


def test_what_is_within_a_turned_box_counts():
    box = ConditionWithin(body="rope", share=0.5, center=(1.0, 0.0, 0.5), size=(2.0, 0.2, 0.4), bearing=0.5 * math.pi)
    inside, outside = (1.05, 0.9, 0.6), (1.9, 0.05, 0.6)
    frames = np.array([[inside, outside], [outside, outside]], np.float32)
    assert _within(box, frames).tolist() == [True, False]
