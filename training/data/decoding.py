"""From stored tensors to outputs in physical units, on any device, one window or a batch of them."""

from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

import torch
from torch import Tensor

from simfactory.signals import HIT, OCCLUDED_AFTER, OUTSIDE_AFTER, SATURATED
from training.data.camera_motion import depth_change
from training.data.framing import Framing, framed_intrinsics, framed_mask
from training.data.resizing import Resampling, resized_color
from training.data.stored import STEP

__all__ = ["decoded"]

Tensors: TypeAlias = dict[str, Tensor]


def decoded(
    stored: Mapping[str, Tensor], *, outputs: Collection[str], framing: Framing, part: tuple[int, int]
) -> Tensors:
    """Return the outputs of one window, or of a batch.

    dz, and what leaves the picture, are found at the stored size; then everything is resized.

    Args:
        stored: As `read_stored` gives it, with or without an axis for windows in front of each tensor.
        outputs: Names of `OUTPUTS`.
        framing: As for `read_stored`.
        part: Height and width of the stored pictures [px].

    Returns:
        The tensors that `OUTPUTS` lists, on the device of the stored ones.
    """
    window = _Window(stored, framing, part)
    tensors: Tensors = {}
    for name in outputs:
        tensors |= _MAKERS[name](window)
    return tensors


class _Window:
    """Stored tensors in physical units, at the stored size and at that of the output."""

    def __init__(self, stored: Mapping[str, Tensor], framing: Framing, part: tuple[int, int]) -> None:
        self.stored = stored
        self.part = part
        self.output = framing.size or part
        self.cropped = framing.crop is not None
        self.truth = None
        if self.output != self.part:
            self.truth = Resampling(stored["depth"].float(), stored.get("instance"), size=self.output)

    def field(self, name: str) -> Tensor:
        """Return a quantised field `(…, channel, y, x)` in its unit at the stored size, NaN where undefined."""
        elements = self.stored[name]
        if elements.is_floating_point():
            return elements.float()
        # The steps of a batch's clips may differ: one each, brought under the axes of its window.
        step = self.stored[name + STEP]
        values = elements.float().mul_(step[(..., *[None] * (elements.ndim - step.ndim))])
        return values.masked_fill_(elements == torch.iinfo(elements.dtype).min, torch.nan)

    def placed(self, values: Tensor) -> Tensor:
        """Return a field `(…, channel, y, x)` at the size of the output."""
        return values if self.truth is None else self.truth.field(values)

    def picked(self, values: Tensor) -> Tensor:
        """Return ids or bits `(…, y, x)` at the size of the output."""
        return values if self.truth is None else self.truth.nearest(values)

    def pixels(self, flow: Tensor) -> Tensor:
        """Return a flow `(…, 2, y, x)` of the stored size at that of the output, in its pixels."""
        if self.truth is None:
            return flow
        down, across = (new / old for new, old in zip(self.output, self.part, strict=True))
        return self.placed(flow) * flow.new_tensor([across, down])[:, None, None]

    def mask(self) -> Tensor:
        """Return mask bits at the stored size, those of what leaves a crop included; only hits without a mask."""
        mask = self.stored["mask"]
        if not self.cropped:
            return mask
        flows = {name: self.field(name) for name in ("flow_forward", "flow_backward") if name in self.stored}
        return framed_mask(mask, forward=flows.get("flow_forward"), backward=flows.get("flow_backward"))

    def valid(self, flow: Tensor) -> Tensor:
        """Return where a flow of the output is finite and was not saturated."""
        finite = torch.isfinite(flow[..., 0, :, :]) & torch.isfinite(flow[..., 1, :, :])
        if "mask" not in self.stored:  # nothing was saturated
            return finite
        return finite & ~self.picked(self.stored["mask"] & SATURATED > 0)

    def intrinsics(self) -> Tensor:
        """Return float64 pinhole matrices of the output."""
        return framed_intrinsics(self.stored["camera/K"], top=0, left=0, part=self.part, output=self.output)


def _rgb(window: _Window) -> Tensors:
    color = window.stored["rgb"].movedim(-1, -3).contiguous().float()
    if window.output != window.part:
        color = resized_color(color, window.output)
    return {"rgb": color.div_(127.5).sub_(1.0)}


def _depth(window: _Window) -> Tensors:
    depth = window.stored["depth"].float()
    if window.truth is not None:
        depth = window.truth.depth(depth)
    return {"depth": depth, "depth_valid": torch.isfinite(depth)}


def _flow(name: str) -> Callable[[_Window], Tensors]:
    def make(window: _Window) -> Tensors:
        flow = window.pixels(window.field(name))
        return {name: flow, f"{name}_valid": window.valid(flow)}

    return make


def _scene_flow(window: _Window) -> Tensors:
    return {"scene_flow": window.placed(window.field("scene_flow"))}


def _motion(window: _Window) -> Tensors:
    stored = window.stored
    flow = window.pixels(window.field("flow_forward"))
    change = depth_change(
        stored["depth"].float(),
        window.field("scene_flow"),
        intrinsics=stored["camera/K"],
        camera_to_world=stored["camera/camera_to_world"],
        camera_to_world_next=stored["camera/camera_to_world_next"],
    ).unsqueeze(-3)
    motion = torch.cat([flow, window.placed(change)], dim=-3)
    valid = window.valid(flow)
    bits = window.picked(window.mask()) & (HIT | OCCLUDED_AFTER | OUTSIDE_AFTER)
    return {
        "motion": motion,
        "motion_valid": valid,
        "motion_depth_valid": torch.isfinite(motion[..., 2, :, :]),
        "motion_visible": valid & (bits == HIT),
    }


def _instance(window: _Window) -> Tensors:
    return {"instance": window.picked(window.stored["instance"])}


def _mask(window: _Window) -> Tensors:
    return {"mask": window.picked(window.mask())}


def _normal(window: _Window) -> Tensors:
    elements = window.stored["normal"].movedim(-1, -3)
    if not elements.is_floating_point():
        step = window.stored["normal" + STEP]
        elements = elements.float() * step[(..., *[None] * (elements.ndim - step.ndim))]
    if window.truth is None:
        return {"normal": elements.float().contiguous()}
    mixed = window.truth.field(elements.float())
    return {"normal": torch.nn.functional.normalize(mixed, dim=-3)}


def _camera(window: _Window) -> Tensors:
    poses = window.stored["camera/camera_to_world"]
    return {"intrinsics": window.intrinsics().float(), "camera_to_world": poses.float()}


def _tracks(window: _Window) -> Tensors:
    world = window.stored["tracks_world"]
    poses = window.stored["camera/camera_to_world"]
    intrinsics = window.intrinsics()
    # (point, time, 3) → (time, point, 3), where each frame has its camera.
    away = world.double().transpose(-3, -2) - poses[..., None, :3, 3]
    camera = away @ poses[..., :3, :3]
    image = camera @ intrinsics.mT
    ahead = image[..., 2:] > 0
    raster = torch.where(ahead, image[..., :2] / torch.where(ahead, image[..., 2:], 1.0), torch.nan)
    height, width = window.output
    # A tracker's points are known on the picture alone.
    seen = window.stored["tracks_raster"].double().transpose(-3, -2)
    scale = seen.new_tensor([width / window.part[1], height / window.part[0]])
    raster = torch.where(torch.isnan(world).any(dim=-1).transpose(-2, -1).unsqueeze(-1), seen * scale, raster)
    inside = (raster >= 0).all(dim=-1) & (raster[..., 0] < width) & (raster[..., 1] < height)
    visible = window.stored["tracks_visible"]
    if window.cropped:
        visible = visible & inside.transpose(-2, -1)
    return {
        "tracks_world": world,
        "tracks_image": raster.transpose(-3, -2).float(),
        "tracks_visible": visible,
        **{name: window.stored[name] for name in ("tracks_instance", "tracks_valid")},
    }


def _items(group: str) -> Callable[[_Window], Tensors]:
    def make(window: _Window) -> Tensors:
        return {name: tensor for name, tensor in window.stored.items() if name.startswith(f"{group}_")}

    return make


_MAKERS: Mapping[str, Callable[[_Window], Tensors]] = {
    "rgb": _rgb,
    "depth": _depth,
    "flow_forward": _flow("flow_forward"),
    "flow_backward": _flow("flow_backward"),
    "scene_flow": _scene_flow,
    "motion": _motion,
    "instance": _instance,
    "mask": _mask,
    "normal": _normal,
    "camera": _camera,
    "tracks": _tracks,
    "bodies": _items("bodies"),
    "contacts": _items("contacts"),
    "points": _items("points"),
}
