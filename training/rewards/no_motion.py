"""No motion: what moves may not stand still."""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from training.rewards.instances import instance_mean, mean_of_instances
from training.rewards.scene import Scene4D, Truth4D

__all__ = ["REWARD", "NoMotion"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class NoMotion:
    """− the mean of max(0, 1 − ŝ/(½ s)) over moving objects, s the mean speed of what is seen of an object.

    It asks for no direction and no place: it only takes away what a still clip saves in the other rewards.

    Attributes:
        share: The share ½ of the true speed from which on nothing is taken away.
    """

    share: float = 0.5

    @property
    def name(self) -> str:
        """Its name."""
        return "no_motion"

    def __call__(self, predicted: Scene4D, truth: Truth4D) -> Tensor:
        """Return `(batch,)` in −1 … 0; 0 where nothing moves."""
        instance, moving = truth.instance[:, :-1], truth.moving
        ours, _ = instance_mean(torch.linalg.vector_norm(predicted.scene_flow(truth), dim=2), moving, instance)
        true_speed = torch.linalg.vector_norm(torch.nan_to_num(truth.scene_flow), dim=2)
        theirs, counts = instance_mean(true_speed, moving, instance)
        lacking = (1.0 - ours / (self.share * theirs).clamp(min=1e-6)).clamp(min=0.0)
        return -mean_of_instances(lacking, counts)


REWARD = NoMotion
