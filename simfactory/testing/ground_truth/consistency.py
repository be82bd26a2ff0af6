"""What a recorded clip says of itself twice: tracks and flow, which come by different ways, must agree."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from simfactory.episode import Episode
from simfactory.quality import Thresholds
from simfactory.transforms import invert_pose, project, transform_points

__all__ = ["CONSISTENT", "consistency", "track_flow_residual"]

CONSISTENT = {  # what the quality gate allows, and what float32 leaves of tracks
    "reprojection_px": Thresholds().reprojection,
    "depth_residual": Thresholds().depth_residual,
    "flow_residual": Thresholds().flow_residual,
    "warp_mismatch": Thresholds().warp_mismatch,
    "track_flow_px": 0.01,
}

Arrays = Mapping[str, npt.NDArray[np.generic]]


def consistency(episode: Episode) -> dict[str, float]:
    """Return the figures of `CONSISTENT` for an episode: of its worst clip, of its worst track.

    How far a pixel's material point projects from the pixel's centre [px], depth from that point's z [1], flow from
    where it goes [1], the share of unoccluded pixels that land on another surface in the next frame [1], and tracks
    from flow [px].

    Args:
        episode: The episode, in memory: before any storage quantisation.
    """
    figures = episode.quality["figures"]
    assert isinstance(figures, Mapping)
    found = {name: float(figures[name]) for name in CONSISTENT if name in figures}
    off = [track_flow_residual(clip.arrays).max(initial=0.0) for clip in episode.clips]
    return found | {"track_flow_px": float(max(off, default=0.0))}


def track_flow_residual(arrays: Arrays) -> npt.NDArray[np.float64]:
    """Return how far tracks land from where flow leads, `(track,)` [px]: from the frame they begin on to the next.

    A track begins at a pixel's centre, so that the flow stored there is its own. Tracks that begin on the last frame,
    or leave the half-space before the camera, are left out.

    Args:
        arrays: Arrays of a clip, as recorded.
    """
    begin, position = arrays["tracks/frame"].astype(np.int64), arrays["tracks/position"].astype(np.float64)
    poses, matrices = arrays["camera/camera_to_world"], arrays["camera/K"]
    found = [np.zeros(0)]
    for frame in np.unique(begin[begin < len(poses) - 1]).tolist():
        chosen = np.flatnonzero(begin == frame)
        start, end = (
            project(transform_points(invert_pose(poses[k]), position[:, chosen, k].T), matrices[k])
            for k in (frame, frame + 1)
        )
        columns, rows = np.floor(start).astype(np.int64).T
        off = np.linalg.norm(end - start - arrays["flow_forward"][frame][:, rows, columns].T, axis=-1)
        found.append(off[np.isfinite(off)])
    return np.concatenate(found)
