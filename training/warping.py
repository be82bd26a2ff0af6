"""Backward warping: what the next frame shows where this frame's pixels have gone."""

import torch
from torch import Tensor

from simfactory.errors import SpecError
from training.precision import at_least_single

__all__ = ["backward_warp", "same_instance"]


def backward_warp(values: Tensor, flow: Tensor, *, valid: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return W(x) = values(x + flow(x)), bilinear between pixel centres, and where that is known.

    It is known where the flow is finite and every pixel that takes part lies inside the frame and is valid; half a
    pixel along the edges is not, for there nothing lies on one side. Pixels of weight 0 take no part, so a flow of
    whole pixels gives the values themselves. Gradients reach the values and the flow; they are finite whatever the
    invalid values are.

    Args:
        values: `(…, channel, height, width)`, e.g. the next frame.
        flow: `(…, 2, height, width)` (du, dv) [px], x right, y down, from this frame to the next.
        valid: `(…, height, width)` bool, which values may be used; None = the finite ones.

    Returns:
        The warped values, of the shape of `values`, 0 where unknown, in at least float32; and `(…, height, width)`
        bool, where they are known.

    Raises:
        SpecError: The shapes do not fit.
    """
    _check(values, flow, valid)
    wide = at_least_single(values)
    finite = torch.isfinite(wide).all(dim=-3)
    usable = finite if valid is None else finite & valid
    # What is invalid becomes 0 before anything is computed: 0 · inf and its gradient would be NaN.
    flat = torch.where(usable.unsqueeze(-3), wide, 0.0).flatten(-2)
    corners, known = _corners(flow)
    warped = torch.zeros_like(flat)
    for pixel, share in corners:
        everywhere = pixel.unsqueeze(-2).expand(flat.shape)
        warped = warped + share.unsqueeze(-2) * flat.gather(-1, everywhere)
        known = known & (usable.flatten(-2).gather(-1, pixel) | (share == 0.0))
    return torch.where(known.unsqueeze(-2), warped, 0.0).view_as(wide), known.view_as(usable)


def same_instance(flow: Tensor, instance: Tensor, instance_next: Tensor) -> Tensor:
    """Return where all pixels that `backward_warp` mixes show the object that the pixel came from.

    At an object's outline they do not, although its point is visible: there a depth is mixed from two surfaces, and
    even the truth does not warp onto itself.

    Args:
        flow: `(…, 2, height, width)` [px], t → t+1.
        instance: `(…, height, width)` ids at t.
        instance_next: `(…, height, width)` ids at t+1.

    Returns:
        `(…, height, width)` bool, False also where the flow leaves the frame or is not finite.

    Raises:
        SpecError: The shapes do not fit.
    """
    _check(instance_next.unsqueeze(-3), flow, instance)
    own, ids = instance.long().flatten(-2), instance_next.long().flatten(-2)
    corners, known = _corners(flow)
    for pixel, share in corners:
        known = known & ((ids.gather(-1, pixel) == own) | (share == 0.0))
    return known.view(instance.shape)


def _corners(flow: Tensor) -> tuple[list[tuple[Tensor, Tensor]], Tensor]:
    """Return the four pixels around each pixel's target with their shares, and where all with a share are in the frame.

    All are `(…, height · width)`. Where they are not, the pixels are others of the frame, and the shares finite.
    """
    height, width = flow.shape[-2:]
    shifts = at_least_single(flow)
    column = torch.arange(width, device=flow.device, dtype=shifts.dtype) + shifts[..., 0, :, :]
    row = torch.arange(height, device=flow.device, dtype=shifts.dtype)[:, None] + shifts[..., 1, :, :]
    # Between the outermost pixel centres; false where the flow is not finite.
    inside = (column >= 0) & (column <= width - 1) & (row >= 0) & (row <= height - 1)
    column, row = torch.where(inside, column, 0.0).flatten(-2), torch.where(inside, row, 0.0).flatten(-2)
    left, top = column.detach().floor(), row.detach().floor()
    corners = []
    for y, vertical in ((top, 1.0 - (row - top)), (top + 1, row - top)):
        for x, horizontal in ((left, 1.0 - (column - left)), (left + 1, column - left)):
            pixel = y.long().clamp(max=height - 1) * width + x.long().clamp(max=width - 1)
            corners.append((pixel, vertical * horizontal))
    return corners, inside.flatten(-2)


def _check(values: Tensor, flow: Tensor, valid: Tensor | None) -> None:
    if values.ndim < 3 or flow.shape != (*values.shape[:-3], 2, *values.shape[-2:]):
        raise SpecError(
            f"a flow of shape {tuple(flow.shape)} came with values of shape {tuple(values.shape)}; allowed are "
            "(…, 2, height, width) and (…, channel, height, width) with the same batch and size"
        )
    if valid is not None and valid.shape != (*values.shape[:-3], *values.shape[-2:]):
        raise SpecError(
            f"a mask of shape {tuple(valid.shape)} came with values of shape {tuple(values.shape)}; allowed is "
            "(…, height, width)"
        )
