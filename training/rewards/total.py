"""The sum of rewards: each in units of its own spread, weighed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

import torch
from torch import Tensor

from simfactory.errors import SpecError
from training.rewards import background, chamfer_4d, conservation, kinematic, no_motion, track_offset
from training.rewards.scene import Reward, Scene4D, Truth4D
from training.rl_config import REWARD_WEIGHTS

__all__ = ["REWARDS", "Judged", "TotalReward"]

REWARDS: Mapping[str, type[Reward]] = {
    "chamfer_4d": chamfer_4d.REWARD,
    "track_offset": track_offset.REWARD,
    "kinematic": kinematic.REWARD,
    "conservation": conservation.REWARD,
    "background": background.REWARD,
    "no_motion": no_motion.REWARD,
}
SMALLEST_SPREAD = 1e-6  # a reward that tells nothing apart adds nothing


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """What scenes are worth.

    Attributes:
        total: `(batch,)`, in units of spread.
        parts: Each reward in its own unit, `(batch,)` by name.
    """

    total: Tensor
    parts: Mapping[str, Tensor]


@final
@dataclass(frozen=True, slots=True)
class TotalReward:
    """Σ w (r − mean r)/spread of r, over what is judged together.

    Rewards have units of their own, and spreads that differ a hundredfold: without the division one of them would be
    all that is learned from.

    Attributes:
        weights: Of rewards by name; those of weight 0 are not computed.
    """

    weights: Mapping[str, float] = field(default_factory=lambda: dict(REWARD_WEIGHTS))

    def __post_init__(self) -> None:
        if unknown := sorted(self.weights.keys() - REWARDS.keys()):
            raise SpecError(f"there are no rewards {', '.join(unknown)}; choose from {', '.join(REWARDS)}")
        wrong = {name: weight for name, weight in self.weights.items() if not 0.0 <= weight < float("inf")}
        if wrong or not any(self.weights.values()):
            raise SpecError(
                f"weights of rewards {dict(self.weights)}; give finite ones of 0 or more, one of them above 0"
            )
        object.__setattr__(self, "weights", dict(self.weights))

    def parts(self, predicted: Scene4D, truth: Truth4D) -> dict[str, Tensor]:
        """Return each reward of positive weight in its own unit, `(batch,)` by name."""
        return {name: REWARDS[name]()(predicted, truth) for name, weight in self.weights.items() if weight}

    def total(self, parts: Mapping[str, Tensor]) -> Tensor:
        """Return the weighed sum `(batch,)` of rewards that are judged together."""
        found = torch.zeros_like(next(iter(parts.values())))
        for name, values in parts.items():
            spread = values.std(correction=0)
            if spread > SMALLEST_SPREAD:
                found = found + self.weights[name] * (values - values.mean()) / spread
        return found

    def __call__(self, predicted: Scene4D, truth: Truth4D) -> Judged:
        """Return what a batch of scenes is worth."""
        parts = self.parts(predicted, truth)
        return Judged(total=self.total(parts), parts=parts)
