"""Means over instances: every object counts alike, however few pixels it covers."""

import torch
from torch import Tensor

__all__ = ["instance_mean", "mean_of_instances"]


def instance_mean(values: Tensor, weight: Tensor, instance: Tensor) -> tuple[Tensor, Tensor]:
    """Return the weighted mean of values over the pixels of each instance in each frame.

    Args:
        values: `(batch, frame, …, height, width)`.
        weight: ≥ 0 or bool, `(batch, frame, height, width)`.
        instance: Ids `(batch, frame, height, width)`.

    Returns:
        Means `(batch, frame, …, id)`, 0 where an id has no weight, and the weights `(batch, frame, id)`.
    """
    ids = instance.flatten(2)
    id_count = int(ids.max()) + 1 if ids.numel() else 1
    weights = weight.to(values.dtype).flatten(2)
    totals = values.new_zeros(*ids.shape[:2], id_count).scatter_add(2, ids, weights)
    flat = values.flatten(-2)
    extra = flat.ndim - 3
    spread = ids.reshape(*ids.shape[:2], *[1] * extra, -1).expand(flat.shape)
    shares = weights.reshape(*ids.shape[:2], *[1] * extra, -1)
    sums = values.new_zeros(*flat.shape[:-1], id_count).scatter_add(-1, spread, shares * flat)
    divisor = totals.clamp(min=torch.finfo(values.dtype).tiny).reshape(*ids.shape[:2], *[1] * extra, id_count)
    return sums / divisor, totals


def mean_of_instances(values: Tensor, known: Tensor) -> Tensor:
    """Return the mean over what is known of each clip: first over frames for each instance, then over instances.

    Args:
        values: `(batch, frame, id)`.
        known: Weights ≥ 0 or bool of that shape; only whether they are positive counts.

    Returns:
        `(batch,)`, 0 where nothing is known.
    """
    seen = (known > 0).to(values.dtype)
    frames = seen.sum(dim=1)
    means = (values * seen).sum(dim=1) / frames.clamp(min=1.0)
    present = (frames > 0).to(values.dtype)
    return (means * present).sum(dim=1) / present.sum(dim=1).clamp(min=1.0)
