"""Depth at times that were held out: every second frame is made from the frame before it."""

from dataclasses import dataclass

import numpy as np

from simfactory.errors import SpecError
from training.evaluation._inputs import Array, Float64, flags, need_finite, need_same_shape, numbers
from training.evaluation._sampling import between_true_pixels, bilinear, flow_targets, inverse_depth, is_inside

__all__ = ["NovelTimeMetrics", "carry_depth", "novel_time_metrics"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NovelTimeMetrics:
    """Errors of depth at held-out frames.

    Attributes:
        depth_error: Mean |interpolated − true| depth [m].
        abs_rel: The same, relative to the true depth [1].
        warp_error: Mean |interpolated − what the next observed frame says when it is brought back| [m]; NaN where no
            held-out frame has one after it.
        coverage: Share of valid pixels that the interpolation reached at all [1]; the others do not count above.
        frame_count: Frames held out.
    """

    depth_error: float
    abs_rel: float
    warp_error: float
    coverage: float
    frame_count: int


def novel_time_metrics(
    predicted: Array,
    predicted_flow: Array,
    target: Array,
    flow: Array,
    *,
    depth_change: Array,
    predicted_change: Array | None = None,
    valid: Array | None = None,
) -> NovelTimeMetrics:
    """Hold out frames 1, 3, 5, …, make their depth from frames 0, 2, 4, …, and compare.

    D̃(τ) = `carry_depth`(D̂(τ−1), F̂(τ−1)). depth_error = mean |D̃(τ) − D(τ)|. warp_error = mean
    |D̃(τ)(x) − (W(D̂(τ+1), F(τ))(x) − Δz(τ)(x))|, W the backward bilinear warp of 1/z with the true flow.
    Predicted depth of held-out frames is not read. The floor is the same function with true depth and flow.

    Args:
        predicted: `(time, height, width)` predicted depth [m], positive.
        predicted_flow: `(time, height, width, 2)` predicted forward flow [px].
        target: `(time, height, width)` true depth [m].
        flow: `(time, height, width, 2)` true forward flow [px].
        depth_change: `(time, height, width)` true change in depth of each pixel's point, t → t+1 [m].
        predicted_change: The same as predicted; None carries depth unchanged, as the paper does.
        valid: `(time, height, width)` booleans; None allows every pixel.

    Raises:
        SpecError: Shapes differ, fewer than two frames, a depth is not positive, or nothing valid is reached.

    **Source**: Phys4D E.3.4, eqs. 19 to 22, rebuilt from its text: which frame the motion-warped reference comes from,
    and how depth is carried forward, are ours.
    """
    guess = numbers("predicted", predicted, "time height width")
    truth = numbers("target", target, "time height width")
    need_same_shape("predicted", guess, "target", truth)
    motions = [
        numbers(name, array, "time height width uv", last=2)
        for name, array in (("predicted_flow", predicted_flow), ("flow", flow))
    ]
    for name, motion in zip(("predicted_flow", "flow"), motions, strict=True):
        need_same_shape(f"the pixels of {name}", motion[..., 0], "target", truth)
    changes = [
        np.zeros(truth.shape) if array is None else numbers(name, array, "time height width")
        for name, array in (("predicted_change", predicted_change), ("depth_change", depth_change))
    ]
    for name, change in zip(("predicted_change", "depth_change"), changes, strict=True):
        need_same_shape(name, change, "target", truth)
    allowed = flags("valid", valid, "target", truth.shape) & np.isfinite(truth)
    if len(truth) < 2:
        raise SpecError(f"there is {len(truth)} frame; two or more are needed to hold one out")
    return _measured(guess, truth, motions, changes, allowed)


def carry_depth(depth: Array, flow: Array, *, depth_change: Array | None = None) -> Float64:
    """Carry a frame's depth forward along its flow: each pixel lands in the pixel that holds its end, the nearest wins.

    Args:
        depth: `(height, width)` depth [m], positive.
        flow: `(height, width, 2)` forward flow [px]; pixels whose flow is not finite go nowhere.
        depth_change: `(height, width)` added to the depth on the way [m]; None adds nothing.

    Returns:
        `(height, width)` depth in the next frame [m]; NaN where nothing lands.

    Raises:
        SpecError: Shapes differ.
    """
    source = numbers("depth", depth, "height width")
    motion = numbers("flow", flow, "height width uv", last=2)
    need_same_shape("the pixels of flow", motion[..., 0], "depth", source)
    change = np.zeros(source.shape) if depth_change is None else numbers("depth_change", depth_change, "height width")
    need_same_shape("depth_change", change, "depth", source)
    height, width = source.shape
    ends = flow_targets(motion)
    moved = source + change
    lands = (ends >= 0.0).all(axis=-1) & (ends < (width, height)).all(axis=-1) & (moved > 0.0) & np.isfinite(moved)
    columns, rows = np.floor(ends[lands]).astype(np.int64).T
    carried = np.full(source.shape, np.inf)
    np.minimum.at(carried, (rows, columns), moved[lands])
    carried[np.isinf(carried)] = np.nan
    return carried


def _measured(
    guess: Float64, truth: Float64, motions: list[Float64], changes: list[Float64], allowed: np.ndarray
) -> NovelTimeMetrics:
    (guess_motion, motion), (guess_change, change) = motions, changes
    novel = range(1, len(truth), 2)
    differences, relative, warped, valid_count = [], [], [], 0
    observed = guess[::2]
    inverse = inverse_depth("predicted", observed)
    for time in novel:
        before = time - 1
        made = carry_depth(guess[before], guess_motion[before], depth_change=guess_change[before])
        reached = allowed[time] & np.isfinite(made)
        valid_count += int(allowed[time].sum())
        differences.append(np.abs(made - truth[time])[reached])
        relative.append(differences[-1] / truth[time][reached])
        if time + 1 < len(truth):
            points = flow_targets(motion[time])
            usable = reached & is_inside(points, *truth.shape[1:]) & np.isfinite(change[time])
            usable[usable] = between_true_pixels(np.isfinite(truth[time + 1]), points[usable])
            with np.errstate(divide="ignore"):  # nothing but sky around: found just below
                brought = 1.0 / bilinear(inverse[(time + 1) // 2], points[usable]) - change[time][usable]
            need_finite("predicted", brought, "it must be finite where the target is")
            warped.append(np.abs(made[usable] - brought))
    difference = np.concatenate(differences)
    if not difference.size:
        raise SpecError("nothing valid: no valid pixel of a held-out frame was reached; look at valid and at the flow")
    consistency = np.concatenate([np.empty(0), *warped])
    return NovelTimeMetrics(
        depth_error=float(difference.mean()),
        abs_rel=float(np.concatenate(relative).mean()),
        warp_error=float(consistency.mean()) if consistency.size else float("nan"),
        coverage=difference.size / valid_count,
        frame_count=len(novel),
    )
