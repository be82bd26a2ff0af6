"""Tracks that follow from predicted depth and flow, against the exact ones."""

import numpy as np
import numpy.typing as npt

from training.evaluation._sampling import between_true_pixels, is_inside
from training.evaluation.tapvid import sample_queries, tapvid_metrics
from training.evaluation.truth import ClipTruth
from training.evaluation.worldline import chain_flow, lift_tracks
from training.predicting import Prediction

__all__ = ["chained_positions", "counted", "lifted_positions", "tapvid_scores"]

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]


def lifted_positions(truth: ClipTruth, depth: Float32, pixels: Float64) -> Float64:
    """Return where depth puts tracks of the image: `(point, time, 3)` [m], world; NaN outside, inf where depth is.

    Args:
        truth: Its cameras are used.
        depth: `(time, height, width)` [m].
        pixels: `(point, time, 2)` raster positions [px].
    """
    seen = lift_tracks(depth, pixels, truth.intrinsics[0])
    pose = truth.camera_to_world
    with np.errstate(invalid="ignore"):  # of the sky
        return np.asarray(np.einsum("tij,ptj->pti", pose[:, :3, :3], seen) + pose[:, :3, 3])


def counted(truth: ClipTruth) -> Bool:
    """Return where tracks count `(point, time)`: they are seen, and all pixels around show their own body.

    At outlines depth is mixed of two surfaces: there even the truth misses by metres.
    """
    tracks = truth.tracks
    counts = tracks.visible & is_inside(tracks.image, *truth.instance.shape[1:])
    for time, ids in enumerate(truth.instance):
        for instance in np.unique(tracks.instance[counts[:, time]]):
            own = np.flatnonzero(counts[:, time] & (tracks.instance == instance))
            counts[own, time] = between_true_pixels(ids == instance, tracks.image[own, time])
    return np.asarray(counts)


def chained_positions(truth: ClipTruth, depth: Float32, flow: Float32) -> Float64:
    """Return where predicted flow and depth carry the points of frame 0: `(point, time, 3)` [m], world.

    A point whose flow has left the frame stays where it was seen last. Points that are not in frame 0 have NaN.

    Args:
        truth: Its tracks begin them.
        depth: `(time, height, width)` [m].
        flow: `(time, 2, height, width)` [px].
    """
    motion = np.nan_to_num(flow.transpose(0, 2, 3, 1))
    positions = lifted_positions(truth, depth, chain_flow(truth.tracks.image[:, 0], motion))
    for time in range(1, positions.shape[1]):
        lost = ~np.isfinite(positions[:, time]).all(axis=-1)
        positions[lost, time] = positions[lost, time - 1]
    return positions


def tapvid_scores(truth: ClipTruth, guess: Prediction) -> dict[str, float]:
    """Return AJ, δ and OA of tracks along predicted flow; nothing where no point can be followed.

    A track begins at the point's first visible frame. It is hidden from where a prediction says that the pixel under it
    is not seen in the next frame, or where it leaves the frame: along flow it cannot be found again.
    """
    tracks, frame_count = truth.tracks, len(truth.exact.frames)
    assert guess.flow is not None  # its caller asks
    last = tracks.visible.argmax(axis=1) >= frame_count - 1
    usable = np.flatnonzero(tracks.visible.any(axis=1) & ~last)
    if not usable.size:
        return {}
    visible = tracks.visible[usable]
    queries = sample_queries(~visible, mode="first")
    motion = np.nan_to_num(guess.flow.transpose(0, 2, 3, 1))
    predicted = np.full((len(usable), frame_count, 2), np.nan)
    for frame in np.unique(queries.frame):
        chosen = queries.frame == frame
        predicted[chosen, frame:] = chain_flow(tracks.image[usable][chosen, frame], motion[frame:])
    evaluated = np.arange(frame_count) > queries.frame[:, None]
    if not (visible & evaluated).any():
        return {}
    found = tapvid_metrics(
        predicted,
        tracks.image[usable],
        predicted_occluded=_hidden(predicted, queries.frame, guess),
        target_occluded=~visible,
        query_frames=queries.frame,
        image_size=truth.exact.frames.shape[1:3],
    )
    return {
        "tapvid_aj": found.average_jaccard,
        "tapvid_within": found.average_within,
        "tapvid_oa": found.occlusion_accuracy,
    }


def _hidden(predicted: Float64, starts: npt.NDArray[np.int64], guess: Prediction) -> Bool:
    """Return `(query, time)`: from where on a track is said to be hidden."""
    hidden = np.asarray(np.isnan(predicted).any(axis=-1))
    frame_count, height, width = guess.frames.shape[:3]
    if guess.visible is not None:
        place = np.nan_to_num(predicted).astype(np.int64).clip(0, (width - 1, height - 1))
        for time in range(frame_count - 1):
            begun = starts <= time
            seen = guess.visible[time, place[:, time, 1], place[:, time, 0]]
            hidden[:, time + 1] |= begun & (hidden[:, time] | ~seen)
    return hidden
