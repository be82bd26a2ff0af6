"""Background: what rests does not move once the camera's motion is taken off."""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from training.rewards.scene import Scene4D, Truth4D

__all__ = ["REWARD", "RigidBackground"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class RigidBackground:
    """− the mean predicted speed of pixels whose points rest, in the world.

    Attributes:
        largest: Speeds count as this at most [m/s].
    """

    largest: float = 5.0

    @property
    def name(self) -> str:
        """Its name."""
        return "background"

    def __call__(self, predicted: Scene4D, truth: Truth4D) -> Tensor:
        """Return `(batch,)` [m/s]; 0 where nothing rests."""
        speed = torch.linalg.vector_norm(predicted.scene_flow(truth), dim=2) * truth.fps[:, None, None, None]
        rests = truth.resting.to(speed.dtype)
        total = (speed.clamp(max=self.largest) * rests).flatten(1).sum(dim=1)
        mean: Tensor = total / rests.flatten(1).sum(dim=1).clamp(min=1.0)
        return -mean


REWARD = RigidBackground
