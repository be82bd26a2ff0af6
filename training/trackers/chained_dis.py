"""Points followed by chaining optical flow from frame to frame: needs no weights, and loses what is hidden once."""

from typing import Self, final

import numpy as np

from simfactory.errors import SpecError
from training.estimators import load_flow_estimator
from training.flow_consistency import PIXELS, SHARE, both_flows, field_at
from training.trackers.base import Array, Bool, Float32, PointTracker, TrackSet, UInt8, checked_queries

__all__ = ["TRACKER", "ChainedDis", "chained_tracks"]


def chained_tracks(forward: Array, backward: Array, points: Array, at: Array) -> TrackSet:
    """Return tracks p(t+1) = p(t) + F_t(p(t)), and p(t−1) = p(t) + B_t(p(t)) before the frames of the queries.

    A point is lost, and hidden from then on, when it leaves the picture or when the flow back does not return it:
    ‖F + B‖ > 0.5 px + 0.05 (‖F‖ + ‖B‖). Its position goes on along the flow.

    **Source**: Sundaram et al. 2010, "Dense point trajectories by GPU-accelerated large displacement optical flow".

    Args:
        forward: F `(time − 1, 2, height, width)` [px], t → t+1.
        backward: B `(time − 1, 2, height, width)` [px], t+1 → t.
        points: `(point, 2)` raster positions (x, y) [px].
        at: `(point,)` integers, the frames of these.

    Raises:
        SpecError: The shapes do not fit.
    """
    if forward.ndim != 4 or forward.shape[1] != 2 or forward.shape != backward.shape:
        raise SpecError(f"flows are {forward.shape} and {backward.shape}; give (time - 1, 2, height, width) twice")
    last = len(forward)
    position = np.repeat(points.astype(np.float32)[:, None], last + 1, axis=1)
    visible = np.repeat((at >= 0)[:, None], last + 1, axis=1)
    for frame in range(last):
        _step(position, visible, at <= frame, (frame, frame + 1), forward[frame], backward[frame])
    for frame in range(last, 0, -1):
        _step(position, visible, at >= frame, (frame, frame - 1), backward[frame - 1], forward[frame - 1])
    return TrackSet(position=position, visible=visible)


def _step(
    position: Float32, visible: Bool, chosen: Bool, frames: tuple[int, int], flow: Array, flow_back: Array
) -> None:
    """Move the chosen points from one frame to a neighbour of it, in place."""
    old, new = frames
    height, width = flow.shape[1:]
    way = field_at(flow, position[chosen, old])
    target = position[chosen, old] + way
    back = field_at(flow_back, target)
    allowed = PIXELS + SHARE * (np.linalg.norm(way, axis=-1) + np.linalg.norm(back, axis=-1))
    inside = (target >= 0.0).all(axis=-1) & (target < (width, height)).all(axis=-1)
    position[chosen, new] = target
    visible[chosen, new] = visible[chosen, old] & inside & (np.linalg.norm(way + back, axis=-1) <= allowed)


@final
class ChainedDis(PointTracker):
    """Chains the flow of `training.estimators.dis_flow`, on the CPU; keeps the last video, which must not change."""

    def __init__(self) -> None:
        self._estimator = load_flow_estimator("dis_flow")
        self._video: UInt8 | None = None  # whose flow is kept, for further points of it
        self._flows: tuple[Float32, Float32] | None = None
        self.version = f"chained {self._estimator.version}"

    @classmethod
    def load(cls, *, device: str = "cpu") -> Self:
        """Return one; it computes on the CPU, whatever the device."""
        return cls()

    def track(self, frames: UInt8, points: Array, at: Array) -> TrackSet:
        """Follow points; see `PointTracker.track`."""
        places, starts = checked_queries(frames, points, at)
        if self._flows is None or self._video is not frames:
            self._video, self._flows = frames, both_flows(self._estimator, frames)
        return chained_tracks(*self._flows, places, starts)


TRACKER = ChainedDis
