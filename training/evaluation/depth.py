"""Errors of predicted depth after alignment: of a clip, of each object, and of a predictor that knows no objects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.ndimage import distance_transform_edt

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

__all__ = [
    "Alignment",
    "DepthMetrics",
    "ObjectDepthMetrics",
    "align_depth",
    "background_depth",
    "depth_metrics",
    "object_depth_metrics",
]

Alignment = Literal["none", "median", "least_squares"]
Quantity = Literal["depth", "disparity"]

# Constants of the public protocol.
MIN_DEPTH = 1e-3  # [m]
MIN_DISPARITY = 1e-3  # [1/m]
DEPTH_OFFSET = 1e-8  # [m] added to the target before it is inverted
CONSTANT = 1e-12  # spread of disparities, relative to their mean, below which they are one number and rounding


@dataclass(frozen=True, kw_only=True, slots=True)
class DepthMetrics:
    """Errors of depth: each is the mean over a frame's valid pixels, then over the frames that have any.

    Attributes:
        abs_rel: Mean of |predicted − target| / target [1].
        rmse: Root of the mean squared difference, a frame at a time [m].
        delta1: Share of pixels whose ratio to the target, or its inverse, is below 1.25 [1].
        delta2: The same for 1.25².
        delta3: The same for 1.25³.
        pixel_count: Pixels compared.
        frame_count: Frames that had any.
    """

    abs_rel: float
    rmse: float
    delta1: float
    delta2: float
    delta3: float
    pixel_count: int
    frame_count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectDepthMetrics:
    """Errors of depth on objects.

    Attributes:
        by_object: Instance id → errors on that object's pixels.
        mean: Mean over the objects, each counted once however few its pixels are; counts are summed.
    """

    by_object: Mapping[int, DepthMetrics]
    mean: DepthMetrics


def depth_metrics(
    predicted: Array,
    target: Array,
    *,
    valid: Array | None = None,
    alignment: Alignment = "none",
    quantity: Quantity = "depth",
    max_depth: float = np.inf,
) -> DepthMetrics:
    """Measure predicted depth against true depth.

    A pixel is valid where the target is finite, above 1 mm and below `max_depth`, and `valid` allows it.

    Args:
        predicted: `(time, height, width)` depth along the optical axis [m], or disparity [1/m].
        target: `(time, height, width)` true depth [m]; inf or NaN where there is none.
        valid: `(time, height, width)` booleans; None allows every pixel.
        alignment: What is taken off the prediction first, see `align_depth`.
        quantity: What `predicted` holds; disparity goes with least squares only.
        max_depth: Targets from here on are left out, and predictions are clipped to it [m].

    Raises:
        SpecError: Shapes differ, nothing is valid, or the prediction is NaN (or ends up infinite) where the target is
            valid.

    **Source**: AbsRel, RMSE and δ of Eigen et al. 2014, averaged as in Video-Depth-Anything's public `benchmark/eval`
    (`metric.py`); Phys4D E.1.
    """
    aligned, truth, usable = _aligned(
        predicted, target, valid=valid, alignment=alignment, quantity=quantity, max_depth=max_depth
    )
    return _errors(aligned, truth, usable)


def align_depth(
    predicted: Array,
    target: Array,
    *,
    valid: Array | None = None,
    alignment: Alignment = "least_squares",
    quantity: Quantity = "depth",
    max_depth: float = np.inf,
) -> Float64:
    """Return predicted depth once one scale (and shift) for the whole video has brought it to the target.

    - `none`: as it is.
    - `median`: predicted · median(target) / median(predicted), medians over the video's valid pixels.
    - `least_squares`: with d̂ = max(predicted disparity, 10⁻³) and d = 1 / (target + 10⁻⁸), the s and q that minimise
      Σ (s d̂ + q − d)² over the video's valid pixels; the result is 1 / max(s d̂ + q, 10⁻³).

    All are clipped to [1 mm, max_depth].

    Args:
        predicted: `(time, height, width)` depth [m] or disparity [1/m].
        target: `(time, height, width)` true depth [m].
        valid: `(time, height, width)` booleans; None allows every pixel.
        alignment: Which of the three.
        quantity: What `predicted` holds.
        max_depth: Largest depth [m].

    Returns:
        `(time, height, width)` depth [m]; NaN where the prediction is NaN.

    Raises:
        SpecError: As `depth_metrics`.

    **Source**: DepthAnything/Video-Depth-Anything, `benchmark/eval/eval.py` (least squares, its constants and
    clipping); Zhou et al. 2017 for the median, taken here over the video so that flicker is not hidden.
    """
    return _aligned(predicted, target, valid=valid, alignment=alignment, quantity=quantity, max_depth=max_depth)[0]


def object_depth_metrics(
    predicted: Array,
    target: Array,
    instance: Array,
    *,
    object_ids: Sequence[int],
    valid: Array | None = None,
    alignment: Alignment = "none",
    quantity: Quantity = "depth",
    max_depth: float = np.inf,
) -> ObjectDepthMetrics:
    """Measure predicted depth on each object's pixels, aligned over the whole video.

    A small object in a large room does not show in the clip's mean: report this beside `background_depth`.

    Args:
        predicted: As in `depth_metrics`.
        target: As in `depth_metrics`.
        instance: `(time, height, width)` instance ids.
        object_ids: Those of the objects; ones that no valid pixel shows are left out.
        valid: As in `depth_metrics`.
        alignment: As in `depth_metrics`.
        quantity: As in `depth_metrics`.
        max_depth: As in `depth_metrics`.

    Raises:
        SpecError: As `depth_metrics`; or no valid pixel shows any of the objects.
    """
    aligned, truth, usable = _aligned(
        predicted, target, valid=valid, alignment=alignment, quantity=quantity, max_depth=max_depth
    )
    ids = np.asarray(instance)
    need_same_shape("instance", ids, "target", truth)
    shown = {int(number): usable & (ids == number) for number in object_ids}
    by_object = {number: _errors(aligned, truth, mask) for number, mask in shown.items() if mask.any()}
    if not by_object:
        raise SpecError(f"nothing valid: no valid pixel shows any of the objects {list(object_ids)}")
    return ObjectDepthMetrics(by_object=by_object, mean=_mean(list(by_object.values())))


def background_depth(target: Array, instance: Array, *, object_ids: Sequence[int]) -> Float64:
    """Predict the scene without its objects: the trivial predictor that flatters a clip's mean.

    A pixel is given the median over time of the depth it has while it shows no object; one that always shows an object
    (or no surface at all) is given that of the nearest pixel that has one. For fixed cameras.

    Args:
        target: `(time, height, width)` true depth [m].
        instance: `(time, height, width)` instance ids.
        object_ids: Those of the objects.

    Returns:
        `(time, height, width)` depth, the same in every frame [m]; a read-only view.

    Raises:
        SpecError: Shapes differ, or no pixel ever shows the background.
    """
    truth = numbers("target", target, "time height width")
    ids = np.asarray(instance)
    need_same_shape("instance", ids, "target", truth)
    shows = ~np.isin(ids, list(object_ids)) & np.isfinite(truth)
    seen = np.asarray(shows.any(axis=0))
    need_some(seen, "pixels of the background")
    median = np.full(seen.shape, np.nan)
    median[seen] = np.nanmedian(np.where(shows, truth, np.nan)[:, seen], axis=0)
    rows, columns = distance_transform_edt(~seen, return_distances=False, return_indices=True)
    return np.broadcast_to(median[rows, columns], truth.shape)


def _aligned(
    predicted: Array,
    target: Array,
    *,
    valid: Array | None,
    alignment: Alignment,
    quantity: Quantity,
    max_depth: float,
) -> tuple[Float64, Float64, Bool]:
    """Return aligned depth, target and the mask of usable pixels."""
    choice("alignment", alignment, ("none", "median", "least_squares"))
    choice("quantity", quantity, ("depth", "disparity"))
    if quantity == "disparity" and alignment != "least_squares":
        raise SpecError(f"disparity has no scale of its own: alignment is {alignment!r}, give 'least_squares'")
    guess = numbers("predicted", predicted, "time height width")
    truth = numbers("target", target, "time height width")
    need_same_shape("predicted", guess, "target", truth)
    usable = flags("valid", valid, "target", truth.shape) & np.isfinite(truth)
    usable &= (truth > MIN_DEPTH) & (truth < max_depth)
    need_some(usable, "pixels")
    if np.isnan(guess[usable]).any():
        need_finite("predicted", guess[usable], "mask those pixels with valid")
    if alignment == "least_squares":
        disparity = 1.0 / np.maximum(guess, MIN_DEPTH) if quantity == "depth" else guess
        guess = _fitted(np.maximum(disparity, MIN_DISPARITY), truth, usable)
    elif alignment == "median":
        middle = float(np.median(guess[usable]))
        if not 0.0 < middle < np.inf:
            raise SpecError(f"the median of predicted is {middle} m; a positive one is needed to align by medians")
        guess = guess * (float(np.median(truth[usable])) / middle)
    aligned = np.clip(guess, MIN_DEPTH, max_depth)
    need_finite("predicted", aligned[usable], "mask those pixels with valid, or give a finite max_depth")
    return aligned, truth, usable


def _fitted(disparity: Float64, truth: Float64, usable: Bool) -> Float64:
    """Return depth from disparity after the best scale and shift."""
    guess = disparity[usable]
    wanted = 1.0 / (truth[usable] + DEPTH_OFFSET)
    need_finite("predicted", guess, "mask those pixels with valid")
    offsets = guess - guess.mean()
    spread = float(offsets @ offsets) / guess.size
    # One number everywhere has no best scale; every solution then predicts the mean, as the least-norm one does.
    constant = spread <= (CONSTANT * abs(float(guess.mean()))) ** 2
    scale = 0.0 if constant else float(offsets @ (wanted - wanted.mean())) / (spread * guess.size)
    shift = float(wanted.mean()) - scale * float(guess.mean())
    with np.errstate(invalid="ignore"):  # 0 · inf, at pixels that do not count
        fitted = scale * disparity + shift
    return 1.0 / np.maximum(fitted, MIN_DISPARITY)


def _errors(aligned: Float64, truth: Float64, usable: Bool) -> DepthMetrics:
    frames = np.flatnonzero(usable.any(axis=(1, 2)))
    rows = [_frame_errors(aligned[frame][usable[frame]], truth[frame][usable[frame]]) for frame in frames]
    abs_rel, rmse, *deltas = (float(value) for value in np.mean(rows, axis=0))
    return DepthMetrics(
        abs_rel=abs_rel,
        rmse=rmse,
        delta1=deltas[0],
        delta2=deltas[1],
        delta3=deltas[2],
        pixel_count=int(usable.sum()),
        frame_count=frames.size,
    )


def _frame_errors(guess: Float64, truth: Float64) -> tuple[float, ...]:
    difference = np.abs(guess - truth)
    ratio = np.maximum(guess / truth, truth / guess)
    return (
        float((difference / truth).mean()),
        float(np.sqrt((difference**2).mean())),
        *(float((ratio < 1.25**power).mean()) for power in (1, 2, 3)),
    )


def _mean(parts: Sequence[DepthMetrics]) -> DepthMetrics:
    def mean_of(name: str) -> float:
        return float(np.mean([getattr(part, name) for part in parts]))

    return DepthMetrics(
        abs_rel=mean_of("abs_rel"),
        rmse=mean_of("rmse"),
        delta1=mean_of("delta1"),
        delta2=mean_of("delta2"),
        delta3=mean_of("delta3"),
        pixel_count=sum(part.pixel_count for part in parts),
        frame_count=sum(part.frame_count for part in parts),
    )
