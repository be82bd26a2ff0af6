"""The tracks of a clip, or some of them: where they are at every frame, and whether the camera sees them."""

import numpy as np
from numpy.typing import NDArray

from api.problems import ProblemError
from api.viewer.cloud import narrow
from api.viewer.packing import pack, quantise
from simfactory.dataset import Clip

__all__ = ["tracks_payload"]

STILL = 0.01  # a track whose places lie closer together than this does not move [m]


def tracks_payload(clip: Clip, limit: int) -> bytes:
    """Return the message that holds at most `limit` tracks: those that move first, evenly taken.

    Positions are `(time, point, 3)`, coded as differences along points then frames; `visible` holds one bit each, the
    first in the highest, each frame's filled up to a whole byte.

    Raises:
        ProblemError: The clip has no tracks.
        CorruptClip: Its bytes are damaged.
    """
    if "tracks/position" not in clip.signals:
        raise ProblemError(404, f"clip {clip.id} has no tracks; it has {', '.join(clip.modalities)}")
    found = clip.window(0, clip.frame_count, modalities=["tracks"])
    position = found["tracks/position"].astype(np.float64)
    is_known = np.asarray(np.isfinite(position).all(axis=(0, 2)))
    moves = is_known & (np.ptp(np.where(is_known[:, None], position, 0.0), axis=2).max(axis=0) > STILL)
    rows = np.sort(np.concatenate([_evenly(np.flatnonzero(moves), limit), _rest(is_known & ~moves, moves, limit)]))
    frames = np.ascontiguousarray(position[:, rows].transpose(2, 1, 0))
    quantised = quantise(frames.reshape(-1, 3))
    visible = found["tracks/visible"][rows].astype(bool).T if "tracks/visible" in found else None
    arrays = {
        "position": quantised.delta(),
        "visible": np.packbits(np.ones(frames.shape[:2], bool) if visible is None else visible, axis=1),
        "moves": moves[rows].astype(np.uint8),
        "instance": narrow(found["tracks/instance"][rows].astype(np.uint16))
        if "tracks/instance" in found
        else np.zeros(len(rows), np.uint8),
    }
    header = {
        "clip": clip.id,
        "frame_count": clip.frame_count,
        "count": len(rows),
        "total": position.shape[1],
        "moving": int(np.count_nonzero(moves[rows])),
        "position": {**quantised.header(), "unit": "m"},
        "visibility": "stored" if visible is not None else "unknown",
    }
    return pack(header, arrays)


def _evenly(rows: NDArray[np.intp], limit: int) -> NDArray[np.intp]:
    return rows if len(rows) <= limit else rows[np.linspace(0, len(rows) - 1, limit).astype(np.intp)]


def _rest(
    still: NDArray[np.bool_],
    moves: NDArray[np.bool_],
    limit: int,
) -> NDArray[np.intp]:
    left = limit - int(np.count_nonzero(moves))
    return _evenly(np.flatnonzero(still), left) if left > 0 else np.empty(0, np.intp)
