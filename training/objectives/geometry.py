"""Losses of the heads: depth, motion, and their agreement from frame to frame."""

from torch import Tensor

from training.config import LossConfig
from training.losses import depth_loss, flow_loss, rgb_warp_loss, visibility_loss, warp_loss
from training.model import Geometry
from training.targets import Targets

__all__ = ["geometry_losses"]


def geometry_losses(geometry: Geometry, targets: Targets, frames: Tensor, losses: LossConfig) -> dict[str, Tensor]:
    """Return each loss of the heads that has a weight, not yet weighted.

    **Source**: Phys4D, eq. (4) for depth and flow, §5.3 for the warps; dz and visibility are ours.

    Args:
        geometry: What the heads say.
        targets: The truth.
        frames: The clip `(batch, frame, 3, height, width)` in −1 … 1.
        losses: Weights and kinds.
    """
    instance = targets.instance if losses.per_instance else None
    found: dict[str, Tensor] = {}
    if losses.depth:
        depth = _there(targets.depth)
        found["depth"] = depth_loss(geometry.depth, depth, valid=targets.depth_valid, instance=instance)
    if losses.flow:
        flow = _there(targets.flow)
        found["flow"] = flow_loss(geometry.flow, flow, valid=targets.flow_valid, instance=instance)
    if losses.depth_change:
        change = _there(targets.depth_change).unsqueeze(2)
        found["depth_change"] = flow_loss(
            geometry.depth_change.unsqueeze(2), change, valid=targets.depth_change_valid, instance=instance
        )
    if losses.visibility:
        visible = _there(targets.visible)
        found["visibility"] = visibility_loss(
            geometry.visibility, visible, valid=targets.visible_valid, instance=instance
        )
    if losses.warp:
        found["warp"] = _warp(geometry, targets, losses, instance)
    if losses.rgb:
        colors = (frames + 1.0) / 2.0
        found["rgb"] = rgb_warp_loss(
            colors[:, :-1],
            colors[:, 1:],
            geometry.flow[:, :-1],
            visible=_there(targets.seen)[:, :-1],
            instance=None if instance is None else instance[:, :-1],
        )
    return found


def _warp(geometry: Geometry, targets: Targets, losses: LossConfig, instance: Tensor | None) -> Tensor:
    change = geometry.depth_change if losses.warp_change == "predicted" else _there(targets.depth_change)
    return warp_loss(
        geometry.depth[:, :-1],
        geometry.depth[:, 1:],
        geometry.flow[:, :-1],
        depth_change=change[:, :-1],
        visible=_there(targets.seen)[:, :-1],
        instance=None if instance is None else instance[:, :-1],
        mode=losses.warp_mode,
        interpolation="linear" if losses.warp_mode == "paper" else "inverse",
    )


def _there(tensor: Tensor | None) -> Tensor:
    assert tensor is not None, "needed_outputs asks for what losses need"
    return tensor
