"""TAP-Vid: how well predicted tracks of points follow true ones, and know when the points are hidden."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError
from training.evaluation._inputs import Array, Bool, choice, flags, need_same_shape, need_some, numbers

__all__ = ["THRESHOLDS", "TapvidMetrics", "TrackQueries", "sample_queries", "tapvid_metrics"]

THRESHOLDS = (1.0, 2.0, 4.0, 8.0, 16.0)  # [px] at SIDE × SIDE
SIDE = 256.0  # [px]

QueryMode = Literal["first", "strided"]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class TapvidMetrics:
    """TAP-Vid's figures for one video; multiply by 100 for the numbers of its tables.

    Attributes:
        average_jaccard: AJ, the mean of `jaccard` [1].
        average_within: δ_avg, the mean of `within` [1].
        occlusion_accuracy: OA, the share of frames whose visibility is right [1].
        jaccard: For each threshold: true positives / (true points + false positives) [1].
        within: For each threshold: share of visible points that the prediction is nearer to than the threshold [1].
    """

    average_jaccard: float
    average_within: float
    occlusion_accuracy: float
    jaccard: tuple[float, ...]
    within: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackQueries:
    """Which point a tracker is asked to follow, and from which frame on.

    Attributes:
        point: `(query,)` index of the track.
        frame: `(query,)` frame of the query.
    """

    point: Int64
    frame: Int64


def sample_queries(occluded: Array, *, mode: QueryMode, stride: int = 5) -> TrackQueries:
    """Choose the frames from which points are to be followed.

    - `first`: each point that is ever visible, once, from its first visible frame.
    - `strided`: at frames 0, stride, 2·stride, …, every point visible there.

    Args:
        occluded: `(point, time)` booleans.
        mode: Which of the two.
        stride: Frames between queries of `strided`.

    Raises:
        SpecError: No point is ever visible where it could be asked for.

    **Source**: `sample_queries_first` and `sample_queries_strided` of google-deepmind/tapnet,
    `tapvid/evaluation_datasets.py`.
    """
    choice("mode", mode, ("first", "strided"))
    hidden = np.asarray(occluded)
    visible = ~flags("occluded", hidden, "itself", hidden.shape)
    if visible.ndim != 2 or stride < 1:
        raise SpecError(f"occluded has shape {visible.shape} and stride is {stride}; give (point, time) and 1 or more")
    if mode == "first":
        points = np.flatnonzero(visible.any(axis=1))
        frames = visible[points].argmax(axis=1)
    else:
        steps, points = np.nonzero(visible[:, ::stride].T)
        frames = steps * stride
    need_some(np.ones(points.size, bool), "points at frames of queries")
    return TrackQueries(point=points.astype(np.int64), frame=frames.astype(np.int64))


def tapvid_metrics(
    predicted: Array,
    target: Array,
    *,
    predicted_occluded: Array,
    target_occluded: Array,
    query_frames: Array,
    image_size: tuple[int, int],
    query_mode: QueryMode = "first",
) -> TapvidMetrics:
    """Measure tracks of points as TAP-Vid does, at 256×256 pixels.

    Frames after the query (`first`) or all but the query's (`strided`) are evaluated. A point is right at a threshold
    when it is visible and the prediction is nearer than the threshold; it is a true positive when it is also predicted
    visible; a false positive is predicted visible while hidden or not nearer.

    Args:
        predicted: `(query, time, 2)` raster positions (x, y) [px].
        target: `(query, time, 2)` true positions [px]; those of hidden frames are not read.
        predicted_occluded: `(query, time)` booleans.
        target_occluded: `(query, time)` booleans.
        query_frames: `(query,)` integers, the frame from which each is followed.
        image_size: (height, width) of the image that positions are given in [px]; they are scaled to 256×256.
        query_mode: How the queries were sampled.

    Raises:
        SpecError: Shapes differ, a query frame is outside the clip, or no visible point is evaluated.

    **Source**: Doersch et al. 2022, and `compute_tapvid_metrics` of google-deepmind/tapnet,
    `tapvid/evaluation_datasets.py`.
    """
    choice("query_mode", query_mode, ("first", "strided"))
    guess = numbers("predicted", predicted, "query time uv", last=2)
    truth = numbers("target", target, "query time uv", last=2)
    need_same_shape("predicted", guess, "target", truth)
    shape = truth.shape[:2]
    visible = ~flags("target_occluded", target_occluded, "target", shape)
    claimed = ~flags("predicted_occluded", predicted_occluded, "target", shape)
    evaluated = _evaluated(np.asarray(query_frames), shape, query_mode)
    need_some(evaluated & visible, "positions of tracks")
    height, width = image_size
    if height < 1 or width < 1:
        raise SpecError(f"image_size is {image_size}; give (height, width) in pixels")
    scale = np.array([SIDE / width, SIDE / height])
    distance = np.linalg.norm((guess - truth) * scale, axis=-1)
    within, jaccard = [], []
    for threshold in THRESHOLDS:
        near = distance < threshold  # False where a position is NaN
        right = near & visible & evaluated
        false = claimed & ~(near & visible) & evaluated
        true_count = (visible & evaluated).sum()
        within.append(float(right.sum() / true_count))
        jaccard.append(float((right & claimed).sum() / (true_count + false.sum())))
    return TapvidMetrics(
        average_jaccard=float(np.mean(jaccard)),
        average_within=float(np.mean(within)),
        occlusion_accuracy=float((claimed == visible)[evaluated].mean()),
        jaccard=tuple(jaccard),
        within=tuple(within),
    )


def _evaluated(frames: Array, shape: tuple[int, ...], mode: QueryMode) -> Bool:
    """Return which frames of which queries are evaluated."""
    count, length = shape
    if frames.shape != (count,) or frames.dtype.kind not in "iu":
        raise SpecError(f"query_frames has shape {frames.shape} and type {frames.dtype}; give ({count},) integers")
    asked = frames.astype(np.int64)
    if ((asked < 0) | (asked >= length)).any():
        raise SpecError(
            f"query_frames reach from {asked.min()} to {asked.max()}; the clip has frames 0 to {length - 1}"
        )
    times = np.arange(length)
    return np.asarray(times > asked[:, None] if mode == "first" else times != asked[:, None])
