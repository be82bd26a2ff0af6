"""Errors of predicted optical flow: of a clip, by size of motion, of each object, and of flow that is zero."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from simfactory.errors import SpecError
from training.evaluation._inputs import Array, Bool, Float64, flags, need_finite, need_same_shape, need_some, numbers

__all__ = [
    "FlowMetrics",
    "MotionBin",
    "ObjectFlowMetrics",
    "epe_by_motion",
    "flow_metrics",
    "object_flow_metrics",
    "zero_flow_metrics",
]

KITTI_PIXELS = 3.0  # [px]
KITTI_SHARE = 0.05  # of the true length
MOTION_EDGES = (0.0, 1.0, 4.0, 10.0, 40.0, float("inf"))  # [px]


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowMetrics:
    """Errors of optical flow over the valid pixels of a clip, all counted alike.

    Attributes:
        epe: Mean length of the difference vector [px].
        fl_all: Share of pixels that miss by more than 3 px and by more than 5 % of the true length [1].
        outlier_1px: Share of pixels that miss by more than 1 px [1].
        pixel_count: Pixels compared.
    """

    epe: float
    fl_all: float
    outlier_1px: float
    pixel_count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MotionBin:
    """End-point error of the pixels whose true motion lies in one range.

    Attributes:
        low: Smallest true length [px].
        high: True lengths are below this [px].
        epe: Mean end-point error [px]; NaN where no pixel is in the range.
        pixel_count: Pixels in the range.
    """

    low: float
    high: float
    epe: float
    pixel_count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectFlowMetrics:
    """Errors of flow on objects.

    Attributes:
        by_object: Instance id → errors on that object's pixels.
        mean: Mean over the objects, each counted once; the count is summed.
    """

    by_object: Mapping[int, FlowMetrics]
    mean: FlowMetrics


def flow_metrics(predicted: Array, target: Array, *, valid: Array | None = None) -> FlowMetrics:
    """Measure predicted flow against true flow.

    With e = ‖predicted − target‖: epe = mean e; fl_all = share of e > 3 px and e > 0.05 ‖target‖; outlier_1px = share
    of e > 1 px. A pixel is valid where both parts of the target are finite and `valid` allows it.

    Args:
        predicted: `(..., 2)` flow (du, dv), x right and y down [px]; usually `(time, height, width, 2)`.
        target: `(..., 2)` true flow [px]; NaN or inf where there is none. The last frame of forward flow is undefined:
            leave it out or mask it.
        valid: `(...)` booleans; None allows every pixel.

    Raises:
        SpecError: Shapes differ, nothing is valid, or the prediction is not finite where the target is valid.

    **Source**: Fl-all of KITTI 2015 (Menze and Geiger 2015); pooled over pixels as in RAFT's public `evaluate.py`.
    """
    error, length, usable = _errors(predicted, target, valid)
    return _summary(error[usable], length[usable])


def zero_flow_metrics(target: Array, *, valid: Array | None = None) -> FlowMetrics:
    """Measure the trivial predictor that says nothing moves.

    Args:
        target: As in `flow_metrics`.
        valid: As in `flow_metrics`.

    Raises:
        SpecError: Nothing is valid.
    """
    truth = numbers("target", target, "... uv", last=2)
    return flow_metrics(np.zeros_like(truth), truth, valid=valid)


def epe_by_motion(
    predicted: Array, target: Array, *, valid: Array | None = None, edges: Sequence[float] = MOTION_EDGES
) -> tuple[MotionBin, ...]:
    """Return the end-point error by size of the true motion: a mean over a still background hides what moves.

    Args:
        predicted: As in `flow_metrics`.
        target: As in `flow_metrics`.
        valid: As in `flow_metrics`.
        edges: Bounds of the ranges, increasing [px]; a range holds its lower bound and not its upper one.

    Raises:
        SpecError: As `flow_metrics`; or the edges do not increase.
    """
    bounds = [float(edge) for edge in edges]
    if len(bounds) < 2 or any(high <= low for low, high in pairwise(bounds)):
        raise SpecError(f"edges are {bounds}; give at least two that increase")
    error, length, usable = _errors(predicted, target, valid)
    bins = []
    for low, high in pairwise(bounds):
        chosen = usable & (length >= low) & (length < high)
        count = int(chosen.sum())
        epe = float(error[chosen].mean()) if count else float("nan")
        bins.append(MotionBin(low=low, high=high, epe=epe, pixel_count=count))
    return tuple(bins)


def object_flow_metrics(
    predicted: Array, target: Array, instance: Array, *, object_ids: Sequence[int], valid: Array | None = None
) -> ObjectFlowMetrics:
    """Measure predicted flow on each object's pixels; report it beside the same figures of zero flow.

    Args:
        predicted: As in `flow_metrics`.
        target: As in `flow_metrics`.
        instance: `(...)` instance ids.
        object_ids: Those of the objects; ones that no valid pixel shows are left out.
        valid: As in `flow_metrics`.

    Raises:
        SpecError: As `flow_metrics`; or no valid pixel shows any of the objects.
    """
    error, length, usable = _errors(predicted, target, valid)
    ids = np.asarray(instance)
    need_same_shape("instance", ids, "the pixels of target", error)
    shown = {int(number): usable & (ids == number) for number in object_ids}
    by_object = {number: _summary(error[mask], length[mask]) for number, mask in shown.items() if mask.any()}
    if not by_object:
        raise SpecError(f"nothing valid: no valid pixel shows any of the objects {list(object_ids)}")
    parts = list(by_object.values())
    mean = FlowMetrics(
        epe=float(np.mean([part.epe for part in parts])),
        fl_all=float(np.mean([part.fl_all for part in parts])),
        outlier_1px=float(np.mean([part.outlier_1px for part in parts])),
        pixel_count=sum(part.pixel_count for part in parts),
    )
    return ObjectFlowMetrics(by_object=by_object, mean=mean)


def _errors(predicted: Array, target: Array, valid: Array | None) -> tuple[Float64, Float64, Bool]:
    """Return end-point errors, true lengths and the mask of usable pixels; zeros where they are not usable."""
    guess = numbers("predicted", predicted, "... uv", last=2)
    truth = numbers("target", target, "... uv", last=2)
    need_same_shape("predicted", guess, "target", truth)
    usable = flags("valid", valid, "the pixels of target", truth.shape[:-1]) & np.isfinite(truth).all(axis=-1)
    need_some(usable, "pixels")
    need_finite("predicted", guess[usable], "mask those pixels with valid")
    truth = np.where(usable[..., None], truth, 0.0)
    guess = np.where(usable[..., None], guess, 0.0)
    return np.linalg.norm(guess - truth, axis=-1), np.linalg.norm(truth, axis=-1), usable


def _summary(error: Float64, length: Float64) -> FlowMetrics:
    return FlowMetrics(
        epe=float(error.mean()),
        fl_all=float(((error > KITTI_PIXELS) & (error > KITTI_SHARE * length)).mean()),
        outlier_1px=float((error > 1.0).mean()),
        pixel_count=error.size,
    )
