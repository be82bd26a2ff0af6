"""What the simulator knows of a batch, at the rate of frames and at pixel centres, and where each loss may look."""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from training.config import LossConfig
from training.data import Batch
from training.warping import same_instance

__all__ = ["Targets", "needed_outputs", "targets_of"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Targets:
    """Truth beside which the heads' words are put; None where no loss asks for it.

    Clips without a camera, such as real videos, are told by poses that are not finite: nothing is known of what is
    hidden there, and `seen`, `visible_valid` and the change of depth are not valid.

    Attributes:
        depth: z `(batch, frame, height, width)` [m].
        depth_valid: bool of that shape.
        flow: (du, dv) `(batch, frame, 2, height, width)` [px], to the next frame.
        flow_valid: bool `(batch, frame, height, width)`; hidden points have flow, too.
        depth_change: dz `(batch, frame, height, width)` [m].
        depth_change_valid: bool of that shape.
        visible: bool of that shape, whether the point is seen at the next frame.
        visible_valid: bool of that shape, where that is known.
        seen: bool of that shape: visible, and surrounded by its own object at the next frame, so that warping mixes no
            two surfaces.
        instance: Ids of that shape; 0 throughout where they are not known, so that pixels weigh alike.
    """

    depth: Tensor | None
    depth_valid: Tensor | None
    flow: Tensor | None
    flow_valid: Tensor | None
    depth_change: Tensor | None
    depth_change_valid: Tensor | None
    visible: Tensor | None
    visible_valid: Tensor | None
    seen: Tensor | None
    instance: Tensor | None


def needed_outputs(losses: LossConfig) -> tuple[str, ...]:
    """Return the names of `training.data.OUTPUTS` without which losses of positive weight cannot be computed."""
    names = ["rgb"]
    if losses.depth:
        names += ["depth", "instance"]
    if losses.flow or losses.depth_change or losses.visibility or losses.warp or losses.rgb:
        names += ["motion", "instance", "camera"]
    if losses.pixel or losses.semantic:
        names += ["tracks", "camera"]
    if losses.semantic:
        names += ["scene_flow", "instance", "contacts"]
    return tuple(dict.fromkeys(names))


def targets_of(batch: Batch) -> Targets:
    """Return the targets that the tensors of a batch hold."""
    tensors = batch.tensors
    if "motion" not in tensors:
        return _without_motion(batch)
    motion, flow_valid = tensors["motion"], tensors["motion_valid"]
    known = torch.isfinite(tensors["camera_to_world"]).all(dim=-1).all(dim=-1)[..., None, None]
    visible = tensors["motion_visible"]
    flow = motion[:, :, :2]
    return Targets(
        depth=tensors.get("depth"),
        depth_valid=tensors.get("depth_valid"),
        flow=flow,
        flow_valid=flow_valid,
        depth_change=motion[:, :, 2],
        depth_change_valid=tensors["motion_depth_valid"] & flow_valid,
        visible=visible,
        visible_valid=flow_valid & known,
        seen=visible & known & _surrounded(flow, tensors["instance"]),
        instance=tensors["instance"],
    )


def _without_motion(batch: Batch) -> Targets:
    return Targets(
        depth=batch.tensors.get("depth"),
        depth_valid=batch.tensors.get("depth_valid"),
        flow=None,
        flow_valid=None,
        depth_change=None,
        depth_change_valid=None,
        visible=None,
        visible_valid=None,
        seen=None,
        instance=batch.tensors.get("instance"),
    )


def _surrounded(flow: Tensor, instance: Tensor) -> Tensor:
    """Return `same_instance` of each frame and the next; False of the last, which has none."""
    same = same_instance(flow[:, :-1], instance[:, :-1], instance[:, 1:])
    return torch.cat([same, torch.zeros_like(same[:, :1])], dim=1)
