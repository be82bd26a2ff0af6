"""The flow-matching loss: how far a predicted velocity is from the straight path's."""

import torch
from torch import Tensor

from simfactory.errors import SpecError
from training.losses.averaging import average
from training.noising import velocity_target
from training.precision import at_least_single

__all__ = ["flow_matching_errors", "flow_matching_loss"]


def flow_matching_loss(velocity: Tensor, clean: Tensor, noise: Tensor, *, weight: Tensor | None = None) -> Tensor:
    """Return L_FM = mean (v − (ε − x₀))².

    **Source**: Phys4D, eq. (2); PhysisForcing, training objective.

    Args:
        velocity: v `(batch, …)`, the model's output at x_t.
        clean: x₀ of the same shape, e.g. latents.
        noise: ε of the same shape.
        weight: ≥ 0 or bool, broadcastable to that shape, e.g. 0 on latents of a given first frame; None = 1.

    Returns:
        A scalar in at least float32; 0 if the whole weight is 0.

    Raises:
        SpecError: The shapes do not fit.
    """
    error = _squared(velocity, clean, noise)
    return average(error, weight=None if weight is None else weight.expand_as(error))


def flow_matching_errors(velocity: Tensor, clean: Tensor, noise: Tensor, *, weight: Tensor | None = None) -> Tensor:
    """Return the error of each clip alone, e = mean (v − (ε − x₀))²: `(batch,)` in at least float32.

    Args:
        velocity: As in `flow_matching_loss`.
        clean: As there.
        noise: As there.
        weight: As there; 0 for a clip whose whole weight is 0.

    Raises:
        SpecError: The shapes do not fit.
    """
    error = _squared(velocity, clean, noise)
    weights = torch.ones_like(error) if weight is None else weight.to(error.dtype).expand_as(error)
    total, whole = (weights * error).flatten(1).sum(dim=1), weights.flatten(1).sum(dim=1)
    return total / torch.where(whole > 0.0, whole, 1.0)


def _squared(velocity: Tensor, clean: Tensor, noise: Tensor) -> Tensor:
    if velocity.shape != clean.shape:
        raise SpecError(
            f"a velocity of shape {tuple(velocity.shape)} came with data of shape {tuple(clean.shape)}; allowed are "
            "equal shapes"
        )
    target = velocity_target(at_least_single(clean), at_least_single(noise))
    return (at_least_single(velocity) - target) ** 2
