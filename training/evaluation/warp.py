"""Consistency over time: depth and colours of the next frame, brought back along the flow, against this frame's."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from simfactory.errors import SpecError
from training.evaluation._inputs import (
    Array,
    Bool,
    Float64,
    choice,
    flags,
    need_finite,
    need_same_shape,
    need_some,
    numbers,
)
from training.evaluation._sampling import between_true_pixels, bilinear, flow_targets, inverse_depth, is_inside

__all__ = ["RgbWarpMetrics", "WarpErrors", "WarpMetrics", "charbonnier", "rgb_warp_metrics", "warp_metrics"]

CHARBONNIER = 1e-3  # [m], or of the range of colours


@dataclass(frozen=True, kw_only=True, slots=True)
class WarpErrors:
    """Errors of warped depth over one set of pixels.

    Attributes:
        l1: Mean absolute difference [m].
        charbonnier: Mean of √(difference² + 1 mm²), so a perfect match gives 1 mm [m].
        pixel_count: Pixels compared.
    """

    l1: float
    charbonnier: float
    pixel_count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class WarpMetrics:
    """Errors of warped depth: on all pixels that stay in the frame, and split by what happens to their surface point.

    Attributes:
        all: Every pixel compared.
        visible: Pixels whose point is seen in the next frame; None where there are none.
        occluded: Pixels whose point is hidden there, so that the warp reads what hides it; None where there are none.
    """

    all: WarpErrors
    visible: WarpErrors | None
    occluded: WarpErrors | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RgbWarpMetrics:
    """Errors of warped colours or latents.

    Attributes:
        l1: Mean absolute difference, in the unit of the frames.
        charbonnier: Mean of √(difference² + 10⁻⁶).
        pixel_count: Pixels compared.
    """

    l1: float
    charbonnier: float
    pixel_count: int


def charbonnier(difference: Float64) -> Float64:
    """Return √(difference² + ε²) with ε = 10⁻³: the absolute value, smooth at zero, where it is ε."""
    return np.asarray(np.sqrt(difference**2 + CHARBONNIER**2))


def warp_metrics(
    predicted: Array,
    target: Array,
    flow: Array,
    *,
    visible: Array,
    depth_change: Array | None = None,
    valid: Array | None = None,
    mode: Literal["corrected", "paper"] = "corrected",
    reference: Literal["target", "predicted"] = "target",
) -> WarpMetrics:
    """Measure whether predicted depth agrees with itself or the truth along the true motion.

    e(x) = |W(D̂ₜ₊₁, Fₜ)(x) − R(x)|, W the backward bilinear warp of 1/z. `corrected`: R = Dₜ + Δz; `paper`: R = Dₜ,
    which on perfect depth gives |Δz| for what moves along the optical axis. D is the target or the prediction
    (`reference`). The ground-truth floor, to print beside every figure, is `warp_metrics(target, target, flow, ...)`:
    it is not zero where a silhouette or an occluder is sampled.

    Which pixels are compared depends on the truth alone: the target is finite at x and wherever the warp samples it,
    and x + F stays between pixel centres.

    Args:
        predicted: `(time, height, width)` depth [m], positive; inf where nothing is hit.
        target: `(time, height, width)` true depth [m].
        flow: `(time, height, width, 2)` true forward flow, t → t+1; the last frame is not read [px].
        visible: `(time, height, width)` booleans: the pixel's surface point is seen at t+1 (bits 1 and 2 of the store's
            mask are clear). The last frame is not read.
        depth_change: `(time, height, width)` z in camera t+1 of the pixel's point at t+1, less z in camera t of it at t
            [m]; `corrected` needs it.
        valid: `(time, height, width)` booleans; None allows every pixel.
        mode: Whether motion along the axis is taken into account.
        reference: Whether the warped depth is held against the truth (Phys4D E.2.2) or the prediction's own earlier
            frame (its loss).

    Raises:
        SpecError: Shapes differ, fewer than two frames, nothing is valid, or a depth is not positive.

    **Source**: Phys4D §5.3 (warp loss) and E.2.2, with the correction stated above; formulas rebuilt from its text.
    """
    choice("mode", mode, ("corrected", "paper"))
    choice("reference", reference, ("target", "predicted"))
    guess, truth, motion = _depths_and_flow(predicted, target, flow)
    change = _depth_change(depth_change, truth.shape) if mode == "corrected" else np.zeros(truth.shape)
    seen = flags("visible", visible, "target", truth.shape)
    allowed = flags("valid", valid, "target", truth.shape)
    against = truth if reference == "target" else guess
    inverse = inverse_depth("predicted", guess)
    errors, split = [], []
    for time in range(len(truth) - 1):
        points, usable = _usable(truth, motion, allowed & np.isfinite(change), time)
        with np.errstate(divide="ignore"):  # nothing but sky around: found just below
            warped = 1.0 / bilinear(inverse[time + 1], points[usable])
        need_finite("predicted", warped, "it must be finite where the target is")
        errors.append(warped - (against[time] + change[time])[usable])
        split.append(seen[time][usable])
    return _split(np.concatenate(errors), np.concatenate(split))


def rgb_warp_metrics(frames: Array, flow: Array, *, valid: Array | None = None) -> RgbWarpMetrics:
    """Measure whether the next frame, brought back along predicted flow, looks like this one.

    Args:
        frames: `(time, height, width, channel)` colours in 0…1 (uint8 is divided by 255), or latents.
        flow: `(time, height, width, 2)` predicted forward flow; the last frame is not read [px].
        valid: `(time, height, width)` booleans, for example where the truth says that the point stays visible; None
            allows every pixel that stays in the frame.

    Raises:
        SpecError: Shapes differ, fewer than two frames, or nothing stays inside the frame.

    **Source**: Phys4D E.2.2 (RGB and latent warp; its LPIPS needs weights and is not computed here).
    """
    given = np.asarray(frames)
    values = numbers("frames", given, "time height width channel") / (255.0 if given.dtype == np.uint8 else 1.0)
    motion = numbers("flow", flow, "time height width uv", last=2)
    need_same_shape("the pixels of flow", motion[..., 0], "those of frames", values[..., 0])
    allowed = flags("valid", valid, "frames", values.shape[:3])
    need_finite("frames", values, "colours and latents must be finite")
    _need_pairs(len(values))
    differences = []
    for time in range(len(values) - 1):
        points = flow_targets(motion[time])
        usable = allowed[time] & is_inside(points, *values.shape[1:3])
        differences.append(bilinear(values[time + 1], points[usable]) - values[time][usable])
    difference = np.concatenate(differences)
    need_some(np.ones(len(difference), bool), "pixels that stay inside the frame")
    return RgbWarpMetrics(
        l1=float(np.abs(difference).mean()),
        charbonnier=float(charbonnier(difference).mean()),
        pixel_count=len(difference),
    )


def _depths_and_flow(predicted: Array, target: Array, flow: Array) -> tuple[Float64, Float64, Float64]:
    guess = numbers("predicted", predicted, "time height width")
    truth = numbers("target", target, "time height width")
    need_same_shape("predicted", guess, "target", truth)
    motion = numbers("flow", flow, "time height width uv", last=2)
    need_same_shape("the pixels of flow", motion[..., 0], "target", truth)
    _need_pairs(len(truth))
    return guess, truth, motion


def _need_pairs(frame_count: int) -> None:
    if frame_count < 2:
        raise SpecError(f"there is {frame_count} frame; two or more are needed to compare neighbours in time")


def _depth_change(depth_change: Array | None, shape: tuple[int, ...]) -> Float64:
    if depth_change is None:
        raise SpecError(
            "mode 'corrected' needs depth_change; give it, or say mode='paper' to leave motion in depth out"
        )
    change = numbers("depth_change", depth_change, "time height width")
    if change.shape != shape:
        raise SpecError(f"depth_change has shape {change.shape}, but target has {shape}; give both the same shape")
    return change


def _usable(truth: Float64, motion: Float64, allowed: Bool, time: int) -> tuple[Float64, Bool]:
    """Return where a frame's pixels go, and which of them are compared."""
    points = flow_targets(motion[time])
    usable = allowed[time] & np.isfinite(truth[time]) & is_inside(points, *truth.shape[1:])
    usable[usable] = between_true_pixels(np.isfinite(truth[time + 1]), points[usable])
    return points, usable


def _split(difference: Float64, seen: Bool) -> WarpMetrics:
    whole = _errors(difference)
    if whole is None:
        raise SpecError("nothing valid: no pixel with finite depth stays in the frame; look at valid, flow and target")
    return WarpMetrics(all=whole, visible=_errors(difference[seen]), occluded=_errors(difference[~seen]))


def _errors(difference: Float64) -> WarpErrors | None:
    if not difference.size:
        return None
    return WarpErrors(
        l1=float(np.abs(difference).mean()),
        charbonnier=float(charbonnier(difference).mean()),
        pixel_count=difference.size,
    )
