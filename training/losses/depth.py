"""The depth loss: L1 and the gradients of the error on several scales."""

import torch
from torch import Tensor

from simfactory.errors import SpecError
from training.losses.averaging import average
from training.precision import at_least_single

__all__ = ["depth_loss"]


def depth_loss(
    predicted: Tensor,
    target: Tensor,
    *,
    valid: Tensor | None = None,
    instance: Tensor | None = None,
    gradient_weight: float = 0.5,
    scale_count: int = 4,
) -> Tensor:
    """Return L = mean |R| + λ_g mean_s (mean |∂_x R| + |∂_y R|) of the error R = D̂ − D*.

    Scale s = 0, 1, … compares pixels of every 2^s-th row and column, as far as the image has two of them. A difference
    counts where both pixels are valid, half for either's instance. An error that is the same everywhere has no
    gradient; one at an object's outline has.

    **Source**: Phys4D, eq. (4), after whose terms the text breaks off, so the weights are ours; the gradient term is
    that of Z. Li, N. Snavely, "MegaDepth" (2018), eq. (5), on metric depth.

    Args:
        predicted: D̂ `(…, height, width)` [m]; or any function of depth, such as its logarithm, if `target` is the same.
        target: D* of the same shape; what is not finite is not valid.
        valid: bool of the same shape, what counts; None = wherever the target is finite.
        instance: Ids of the same shape: every object weighs the same; None = every pixel does (see `average`).
        gradient_weight: λ_g.
        scale_count: Number of scales, at least 1.

    Returns:
        A scalar [m] in at least float32. It is NaN if a prediction is, where that counts.

    Raises:
        SpecError: The shapes differ, or there is no scale.
    """
    if predicted.shape != target.shape or scale_count < 1:
        raise SpecError(
            f"depths of shapes {tuple(predicted.shape)} and {tuple(target.shape)} with {scale_count} scales; allowed "
            "are equal shapes (…, height, width) and at least one scale"
        )
    counted = torch.isfinite(target) if valid is None else torch.isfinite(target) & valid
    error = torch.where(counted, at_least_single(predicted), 0.0) - torch.where(counted, at_least_single(target), 0.0)
    gradients = []
    for scale in range(scale_count):
        every = (..., slice(None, None, 2**scale), slice(None, None, 2**scale))
        if scale and min(error[every].shape[-2:]) < 2:
            break
        mean, weight = _differences(error[every], counted[every])
        gradients.append(average(mean, weight=weight, instance=None if instance is None else instance[every]))
    return average(error.abs(), weight=counted, instance=instance) + gradient_weight * torch.stack(gradients).mean()


def _differences(error: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Return each pixel's mean |∂_x R| + |∂_y R| over its valid neighbours, and how many neighbours that are."""
    total, count = torch.zeros_like(error), torch.zeros_like(error)
    for axis in (-1, -2):
        length = error.shape[axis]
        both = valid.narrow(axis, 0, length - 1) & valid.narrow(axis, 1, length - 1)
        steps = error.diff(dim=axis).abs() * both
        for pad in ((1, 0), (0, 1)):
            total = total + _padded(steps, axis, pad)
            count = count + _padded(both.to(error.dtype), axis, pad)
    # Twice: as many differences along x as along y, and the two add up.
    return 2.0 * total / count.clamp(min=1.0), count


def _padded(values: Tensor, axis: int, pad: tuple[int, int]) -> Tensor:
    return torch.nn.functional.pad(values, pad if axis == -1 else (0, 0, *pad))
