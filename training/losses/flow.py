"""Losses of the motion head: optical flow or any other displacement, and visibility."""

import torch
from torch import Tensor

from simfactory.errors import SpecError
from training.losses.averaging import average, charbonnier
from training.precision import at_least_single

__all__ = ["flow_loss", "visibility_loss"]


def flow_loss(
    predicted: Tensor,
    target: Tensor,
    *,
    valid: Tensor | None = None,
    instance: Tensor | None = None,
    scale: float = 1e-3,
) -> Tensor:
    """Return L = mean |F̂ − F*| + mean √((F̂ − F*)² + ε²) − ε, both over channels and pixels.

    **Source**: Phys4D, eq. (4): L1 and a Charbonnier term, ε = 1e-3.

    Args:
        predicted: F̂ `(…, channel, height, width)`: (du, dv) [px]; the change of depth dz [m] with one channel.
        target: F* of the same shape; a pixel with a channel that is not finite is not valid.
        valid: `(…, height, width)` bool, what counts; None = wherever the target is finite. Hidden points have flow,
            too, and count unless they are left out here.
        instance: `(…, height, width)` ids: every object weighs the same; None = every pixel does (see `average`).
        scale: ε [the flow's unit].

    Returns:
        A scalar [the flow's unit] in at least float32. It is NaN if a prediction is, where that counts.

    Raises:
        SpecError: The shapes do not fit.
    """
    if predicted.shape != target.shape or predicted.ndim < 3:
        raise SpecError(
            f"flows of shapes {tuple(predicted.shape)} and {tuple(target.shape)}; allowed are equal shapes "
            "(…, channel, height, width)"
        )
    counted = torch.isfinite(target).all(dim=-3)
    counted = counted if valid is None else counted & valid
    kept = counted.unsqueeze(-3)
    difference = torch.where(kept, at_least_single(predicted), 0.0) - torch.where(kept, at_least_single(target), 0.0)
    error = (difference.abs() + charbonnier(difference, scale=scale)).mean(dim=-3)
    return average(error, weight=counted, instance=instance)


def visibility_loss(
    logit: Tensor, visible: Tensor, *, valid: Tensor | None = None, instance: Tensor | None = None
) -> Tensor:
    """Return the binary cross-entropy of the motion head's visibility channel.

    Args:
        logit: `(…, height, width)` log-odds that the pixel's point is in the frame and not hidden at t+1.
        visible: bool of the same shape, whether it is.
        valid: bool of the same shape, what counts, e.g. hit pixels; None = all.
        instance: Ids of the same shape: every object weighs the same; None = every pixel does (see `average`).

    Returns:
        A scalar [nat] in at least float32.

    Raises:
        SpecError: The shapes differ.
    """
    if logit.shape != visible.shape:
        raise SpecError(
            f"logits of shape {tuple(logit.shape)} came with a mask of shape {tuple(visible.shape)}; allowed are equal "
            "shapes"
        )
    wide = at_least_single(logit)
    if valid is not None:
        wide = torch.where(valid, wide, 0.0)
    error = torch.nn.functional.binary_cross_entropy_with_logits(wide, visible.to(wide.dtype), reduction="none")
    return average(error, weight=valid, instance=instance)
