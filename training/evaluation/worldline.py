"""Worldlines: material points followed through a clip in space, and how far predicted ones stray."""

from dataclasses import dataclass

import numpy as np

from simfactory.errors import SpecError
from training.evaluation._inputs import Array, Float64, flags, need_finite, need_same_shape, need_some, numbers
from training.evaluation._sampling import bilinear, inverse_depth, is_inside

__all__ = ["WorldlineMetrics", "chain_flow", "lift_tracks", "worldline_metrics"]


@dataclass(frozen=True, kw_only=True, slots=True)
class WorldlineMetrics:
    """How far predicted worldlines stray from true ones.

    Attributes:
        l2: Mean over worldlines of their mean deviation over time [m].
        mean_drift: Mean over frames of the drift [m].
        final_drift: Drift at the last frame at which any worldline counts [m].
        failure_rate: Share of worldlines that stray beyond the threshold at any frame [1].
        valid_length: Mean number of frames before a worldline first strays beyond the threshold; all of the clip where
            it never does.
        drift: Drift at each frame: mean deviation of the worldlines that count there [m]; NaN where none does.
        worldline_count: Worldlines that count at any frame.
    """

    l2: float
    mean_drift: float
    final_drift: float
    failure_rate: float
    valid_length: float
    drift: tuple[float, ...]
    worldline_count: int


def worldline_metrics(
    predicted: Array, target: Array, *, visible: Array | None = None, threshold: float = 0.25
) -> WorldlineMetrics:
    """Measure predicted worldlines against the exact tracks of the simulator.

    With e(p, t) = ‖X̂ₚ(t) − Xₚ(t)‖ [m]: l2 = mean over p of mean over t; drift(t) = mean over p; a worldline fails when
    e > threshold at any t. A worldline counts at a frame where its target is finite and `visible` allows it.

    Args:
        predicted: `(point, time, 3)` positions [m].
        target: `(point, time, 3)` true positions in the same frame [m]; the store's `tracks/position` with its axes
            (xyz, point, time) moved: `position.transpose(1, 2, 0)`.
        visible: `(point, time)` booleans: where the deviation counts. Depth tells nothing of a hidden point, so lifted
            tracks need it; None counts every frame.
        threshold: Deviation at which a worldline has failed [m].

    Raises:
        SpecError: Shapes differ, nothing counts, or a prediction is not finite where it counts.

    **Source**: Phys4D E.3.3, eqs. 17 and 18; the threshold is ours.
    """
    if not 0.0 < threshold < np.inf:
        raise SpecError(f"threshold is {threshold} m; give a distance above zero")
    guess = numbers("predicted", predicted, "point time xyz", last=3)
    truth = numbers("target", target, "point time xyz", last=3)
    need_same_shape("predicted", guess, "target", truth)
    counts = flags("visible", visible, "target", truth.shape[:2]) & np.isfinite(truth).all(axis=-1)
    need_some(counts, "positions of worldlines")
    need_finite("predicted", guess[counts], "leave those positions out through visible")
    deviation = np.zeros(counts.shape)
    deviation[counts] = np.linalg.norm(guess[counts] - truth[counts], axis=-1)
    lines, frames = np.asarray(counts.any(axis=1)), np.asarray(counts.any(axis=0))
    drift = np.full(frames.shape, np.nan)
    drift[frames] = deviation.sum(axis=0)[frames] / counts.sum(axis=0)[frames]
    failed = deviation > threshold
    has_failed = np.asarray(failed.any(axis=1))
    first = np.where(has_failed, failed.argmax(axis=1), counts.shape[1])
    return WorldlineMetrics(
        l2=float((deviation.sum(axis=1)[lines] / counts.sum(axis=1)[lines]).mean()),
        mean_drift=float(drift[frames].mean()),
        final_drift=float(drift[frames][-1]),
        failure_rate=float(has_failed[lines].mean()),
        valid_length=float(first[lines].mean()),
        drift=tuple(float(value) for value in drift),
        worldline_count=int(lines.sum()),
    )


def chain_flow(pixels: Array, flow: Array) -> Float64:
    """Follow pixels of the first frame along forward flow: pₜ₊₁ = pₜ + Fₜ(pₜ), bilinear between pixel centres.

    Where a point is hidden the chain goes on with whatever hides it, so exact tracks are better where there are some.

    Args:
        pixels: `(point, 2)` raster positions (x, y) at frame 0 [px].
        flow: `(time, height, width, 2)` forward flow; the last frame is not read [px].

    Returns:
        `(point, time, 2)` raster positions [px]; NaN from where a point has left the frame.

    Raises:
        SpecError: Arrays have other dimensions.

    **Source**: Phys4D E.3.3, eq. 15.
    """
    starts = numbers("pixels", pixels, "point uv", last=2)
    motion = numbers("flow", flow, "time height width uv", last=2)
    tracks = np.full((len(starts), len(motion), 2), np.nan)
    tracks[:, 0] = starts
    for time in range(len(motion) - 1):
        inside = is_inside(tracks[:, time], *motion.shape[1:3])
        points = tracks[inside, time]
        tracks[inside, time + 1] = points + bilinear(motion[time], points)
    return tracks


def lift_tracks(depth: Array, pixels: Array, intrinsics: Array) -> Float64:
    """Lift tracks in the image into space with a clip's depth: X = z K⁻¹ (x, y, 1)ᵀ.

    Args:
        depth: `(time, height, width)` depth [m], positive; 1/z is interpolated between pixel centres.
        pixels: `(point, time, 2)` raster positions (x, y) [px].
        intrinsics: `(3, 3)` K, for raster positions with pixel centres at halves [px].

    Returns:
        `(point, time, 3)` positions, OpenCV camera axes of each frame [m]; NaN where a track is outside the frame, inf
        where the depth is.

    Raises:
        SpecError: Shapes do not fit, or a depth is not positive.

    **Source**: Phys4D E.3.3, eq. 16.
    """
    maps = numbers("depth", depth, "time height width")
    tracks = numbers("pixels", pixels, "point time uv", last=2)
    matrix = numbers("intrinsics", intrinsics, "row column", last=3)
    if matrix.shape != (3, 3):
        raise SpecError(f"intrinsics has shape {matrix.shape}; give a (3, 3) matrix")
    if tracks.shape[1] != len(maps):
        raise SpecError(f"pixels has shape {tracks.shape}, but depth has {maps.shape}; give as many frames of both")
    inverse = inverse_depth("depth", maps)
    positions = np.full((*tracks.shape[:2], 3), np.nan)
    for time in range(len(maps)):
        inside = is_inside(tracks[:, time], *maps.shape[1:])
        points = tracks[inside, time]
        rays = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ np.linalg.inv(matrix).T
        with np.errstate(divide="ignore", invalid="ignore"):  # sky is infinitely far
            positions[inside, time] = rays / bilinear(inverse[time], points)[:, None]
    return positions
