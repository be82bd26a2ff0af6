"""Kinematics: how velocities of objects change from frame to frame."""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from training.rewards.instances import instance_mean, mean_of_instances
from training.rewards.scene import Scene4D, Truth4D

__all__ = ["REWARD", "KinematicResidual"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class KinematicResidual:
    """− the mean of ‖(v̂ₜ₊₁ − v̂ₜ) − (vₜ₊₁ − vₜ)‖ over moving objects.

    v is the mean velocity of what is seen of an object, in the world. In flight it changes by g Δt, in a collision by
    what the collision gives: a scene in which things move evenly, or jump, is wrong even if it ends where it should.

    Attributes:
        largest: Residuals count as this at most [m/s].
    """

    largest: float = 10.0

    @property
    def name(self) -> str:
        """Its name."""
        return "kinematic"

    def __call__(self, predicted: Scene4D, truth: Truth4D) -> Tensor:
        """Return `(batch,)` [m/s]; 0 where nothing moves for three frames."""
        instance, known = truth.instance[:, :-1], torch.isfinite(truth.scene_flow).all(dim=2)
        fps = truth.fps[:, None, None, None]
        true_flow = torch.nan_to_num(truth.scene_flow)
        ours, _ = instance_mean(predicted.scene_flow(truth), known, instance)
        theirs, counts = instance_mean(true_flow, known, instance)
        _, moving = instance_mean(true_flow[:, :, 0], known & truth.moving, instance)
        change = torch.diff((ours - theirs) * fps, dim=1)
        residual = torch.linalg.vector_norm(change, dim=2).clamp(max=self.largest)
        both = (counts[:, 1:] > 0) & (counts[:, :-1] > 0) & (moving.amax(dim=1, keepdim=True) > 0)
        return -mean_of_instances(residual, both)


REWARD = KinematicResidual
