"""Warp losses: whether depth and colours agree with the motion from one frame to the next."""

from typing import Literal

import torch
from torch import Tensor

from simfactory.errors import SpecError
from training.losses.averaging import average, charbonnier
from training.precision import at_least_single
from training.warping import backward_warp

__all__ = ["rgb_warp_loss", "warp_loss"]


def warp_loss(
    depth: Tensor,
    depth_next: Tensor,
    flow: Tensor,
    *,
    depth_change: Tensor | None = None,
    visible: Tensor | None = None,
    instance: Tensor | None = None,
    mode: Literal["corrected", "paper"] = "corrected",
    interpolation: Literal["inverse", "linear"] = "inverse",
) -> Tensor:
    """Return L = mean_M |W(D_{t+1}, F_t)(x) − (D_t(x) + s_z(x))|, M = in the frame and visible.

    The depth that a pixel's point has at t+1 is its depth at t plus what it has moved along the optical axis. The
    paper's form leaves s_z out, and asks perfect depth and motion to pay |s_z|: `mode="paper"`. W interpolates 1/z,
    which on a plane is linear in the image; z itself is not, unless the plane is parallel to the image. The naive form
    in full is `mode="paper", interpolation="linear"`.

    The loss is least, too, where everything is flat and stands still: never use it without depth and flow losses.
    Pixels where a depth is not finite and positive, or a motion not finite, take no part and get no gradient.

    **Source**: Phys4D, §5.3, eq. (6); s_z and 1/z are our corrections.

    Args:
        depth: D_t `(…, height, width)` [m], predicted or true, as all others.
        depth_next: D_{t+1} of the same shape.
        flow: F_t `(…, 2, height, width)` [px], t → t+1.
        depth_change: s_z `(…, height, width)` [m]: z in camera t+1 of the point at t+1 less z in camera t of it at t
            (`training.points4d.depth_change`); needed unless `mode="paper"`.
        visible: `(…, height, width)` bool, whether the pixel's point is seen at t+1; None = all are. Take away,
            too, what `training.warping.same_instance` is False for: at outlines two surfaces mix, which cost the truth
            4 to 7 mm in four clips of 128 px, where motion along the axis cost it 2 to 6 mm.
        instance: `(…, height, width)` ids at t: every object weighs the same; None = every pixel does.
        mode: With or without s_z.
        interpolation: Of 1/z or of z.

    Returns:
        A scalar [m] in at least float32; 0 if no pixel counts.

    Raises:
        SpecError: The shapes do not fit, a mode is unknown, or the corrected form has no `depth_change`.
    """
    if mode not in ("corrected", "paper") or interpolation not in ("inverse", "linear"):
        raise SpecError(
            f"mode {mode!r} with interpolation {interpolation!r}; allowed are 'corrected' or 'paper', and 'inverse' or "
            "'linear'"
        )
    if mode == "corrected" and depth_change is None:
        raise SpecError(
            "the corrected warp loss came without depth_change; pass the motion head's dz, the truth's "
            "(training.points4d.depth_change), or mode='paper' to leave it out"
        )
    change = None if mode == "paper" else depth_change
    for name, given in (("depth_next", depth_next), ("depth_change", change), ("visible", visible)):
        if given is not None and given.shape != depth.shape:
            raise SpecError(
                f"a depth of shape {tuple(depth.shape)} came with {name} of shape {tuple(given.shape)}; allowed is the "
                "same shape"
            )
    arrived, counted = _arrived(depth_next, flow, inverse=interpolation == "inverse")
    counted = counted & _is_depth(depth)
    counted = counted if visible is None else counted & visible
    counted = counted if change is None else counted & torch.isfinite(change)
    expected = torch.where(counted, at_least_single(depth), 0.0)
    if change is not None:
        expected = expected + torch.where(counted, at_least_single(change), 0.0)
    error = (torch.where(counted, arrived, 0.0) - expected).abs()
    return average(error, weight=counted, instance=instance)


def rgb_warp_loss(
    frame: Tensor,
    frame_next: Tensor,
    flow: Tensor,
    *,
    visible: Tensor | None = None,
    instance: Tensor | None = None,
    scale: float = 1e-3,
) -> Tensor:
    """Return L = mean_M √((W(I_{t+1}, F_t) − I_t)² + ε²) − ε over channels and pixels in the frame and visible.

    It takes colours to stay as they are: shading, shadows and highlights that move cost something, with true flow too.

    **Source**: Phys4D, §5.3 (named there without a formula); the Charbonnier distance is that of its evaluation, D.2.

    Args:
        frame: I_t `(…, channel, height, width)`, colours in [0, 1] or latents.
        frame_next: I_{t+1} of the same shape.
        flow: F_t `(…, 2, height, width)` [px of that image], t → t+1.
        visible: `(…, height, width)` bool, whether the pixel's point is seen at t+1; None = all are.
        instance: `(…, height, width)` ids at t: every object weighs the same; None = every pixel does.
        scale: ε [the unit of the frames].

    Returns:
        A scalar in at least float32; 0 if no pixel counts.

    Raises:
        SpecError: The shapes do not fit.
    """
    if frame.shape != frame_next.shape:
        raise SpecError(
            f"frames of shapes {tuple(frame.shape)} and {tuple(frame_next.shape)}; allowed are equal shapes "
            "(…, channel, height, width)"
        )
    warped, counted = backward_warp(frame_next, flow)
    counted = counted if visible is None else counted & visible
    difference = torch.where(counted.unsqueeze(-3), warped - at_least_single(frame), 0.0)
    return average(charbonnier(difference, scale=scale).mean(dim=-3), weight=counted, instance=instance)


def _arrived(depth_next: Tensor, flow: Tensor, *, inverse: bool) -> tuple[Tensor, Tensor]:
    """Return the depth `(…, height, width)` [m] where each pixel's point has gone to, and where that is known."""
    is_depth = _is_depth(depth_next)
    safe = torch.where(is_depth, at_least_single(depth_next), 1.0)
    values = (1.0 / safe if inverse else safe).unsqueeze(-3)
    warped, known = backward_warp(values, flow, valid=is_depth)
    warped = warped.squeeze(-3)
    return 1.0 / torch.where(known, warped, 1.0) if inverse else warped, known


def _is_depth(depth: Tensor) -> Tensor:
    return torch.isfinite(depth) & (depth > 0.0)
