"""The curriculum: how often each tier is drawn."""

from collections.abc import Sequence
from typing import get_args

from simfactory.rng import Stream
from simfactory.spec import Tier

__all__ = ["TIERS", "WEIGHTS", "draw_tier"]

TIERS: tuple[Tier, ...] = get_args(Tier)

WEIGHTS: dict[Tier, float] = {"single": 0.30, "two_body": 0.35, "multi_object": 0.35}


def draw_tier(draw: Stream, tiers: Sequence[Tier] = TIERS) -> Tier:
    """Draw one of the given tiers by its weight in the curriculum."""
    return draw.choice(tiers, [WEIGHTS[tier] for tier in tiers])
