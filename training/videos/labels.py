"""Labels of a clip: flow, depth and tracks as estimators see them, with masks of what can be believed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeAlias, final

import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError
from simfactory.signals import HIT, OCCLUDED_AFTER, OUTSIDE_AFTER, Signal
from simfactory.store import JSON
from training.estimators import DepthEstimator, FlowEstimator, load_depth_estimator, load_flow_estimator
from training.flow_consistency import both_flows, flow_reliability
from training.trackers import PointTracker, TrackSet, load_tracker

__all__ = ["TRACK_SIGNALS", "Labeller"]

Array: TypeAlias = npt.NDArray[Any]  # Any: of any real dtype
UInt8 = npt.NDArray[np.uint8]

_ROUNDS = 3  # frames on which tracks begin: the first and, evenly spread, later ones


def _signal(name: str, dims: tuple[str, ...], dtype: str, unit: str, description: str) -> Signal:
    return Signal(name=f"tracks_image/{name}", dims=dims, dtype=dtype, unit=unit, description=description)


TRACK_SIGNALS = (
    _signal("position", ("uv", "point", "time"), "float32", "px", "Raster position at every frame."),
    _signal("visible", ("point", "time"), "bool", "1", "Whether the tracker says that the point is to be seen."),
    _signal("frame", ("point",), "int32", "1", "Frame on which the point was picked, at a pixel's centre."),
)


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Labeller:
    """What labels clips.

    Attributes:
        flow: Estimates flow.
        depth: Estimates depth [m]; None = depth is not labelled.
        tracker: Follows points; None = tracks are not labelled.
        spacing: Distance of the points that are followed [px].
    """

    flow: FlowEstimator
    depth: DepthEstimator | None = None
    tracker: PointTracker | None = None
    spacing: int = 16

    def __post_init__(self) -> None:
        if self.depth is not None and not (self.depth.metric and self.depth.quantity == "depth"):
            raise SpecError(
                f"{self.depth.version} gives {self.depth.quantity} of unknown scale, and the store holds metres: "
                "choose a metric estimator, or leave depth out"
            )
        if self.spacing < 1:
            raise SpecError(f"tracks every {self.spacing} px; give 1 or more")

    @classmethod
    def load(cls, *, flow: str, depth: str | None, tracker: str | None, spacing: int, device: str) -> Self:
        """Return one that uses estimators of these names.

        Raises:
            SpecError: There is no such estimator, or its package or weights are missing.
        """
        return cls(
            flow=load_flow_estimator(flow, device=device),
            depth=load_depth_estimator(depth, device=device) if depth else None,
            tracker=load_tracker(tracker, device=device) if tracker else None,
            spacing=spacing,
        )

    @property
    def modalities(self) -> tuple[str, ...]:
        """What it labels, rgb and tracks apart."""
        return ("flow_forward", "mask") + (("depth",) if self.depth else ())

    @property
    def signals(self) -> tuple[Signal, ...]:
        """Signals of the tracks; none without a tracker."""
        return TRACK_SIGNALS if self.tracker else ()

    def record(self) -> dict[str, JSON]:
        """Return what decides its labels, as JSON."""
        return {
            "flow": self.flow.version,
            "depth": self.depth.version if self.depth else None,
            "tracks": [self.tracker.version, self.spacing] if self.tracker else None,
        }

    def label(self, frames: UInt8) -> dict[str, Array]:
        """Return the arrays of a clip by name, rgb included.

        Flow is NaN where the flow back does not undo it, where it leaves the picture and in the last frame: there it
        cannot be believed. The mask says hit everywhere but where there is no depth, hidden where the flow back does
        not undo the flow, and outside where it leaves the picture.

        Args:
            frames: `(time, height, width, 3)` uint8 RGB, two or more.
        """
        depth = None if self.depth is None else self._depth(frames)
        hit = np.ones(frames.shape[:3], np.bool_) if depth is None else np.isfinite(depth)
        flow, mask = self._flow(frames, hit)
        arrays: dict[str, Array] = {"rgb": frames, "flow_forward": flow, "mask": mask}
        if depth is not None:
            arrays["depth"] = depth
        if self.tracker is not None:
            arrays |= _tracks(self.tracker, frames, self.spacing)
        return arrays

    def _depth(self, frames: UInt8) -> Array:
        assert self.depth is not None
        depth = self.depth.depth(frames)
        return np.where(np.isfinite(depth) & (depth > 0.0), depth, np.float32(np.inf))

    def _flow(self, frames: UInt8, hit: npt.NDArray[np.bool_]) -> tuple[Array, UInt8]:
        there, back = both_flows(self.flow, frames)
        flow = np.full((len(frames), *there.shape[1:]), np.nan, np.float32)
        mask = hit.astype(np.uint8) * np.uint8(HIT)
        for frame, (forward, backward) in enumerate(zip(there, back, strict=True)):
            inside, reliable = flow_reliability(forward, backward)
            seen = hit[frame]
            flow[frame] = np.where(reliable & seen, forward, np.float32(np.nan))
            mask[frame] |= (seen & ~inside).astype(np.uint8) * np.uint8(OUTSIDE_AFTER)
            mask[frame] |= (seen & inside & ~reliable).astype(np.uint8) * np.uint8(OCCLUDED_AFTER)
        return flow, mask


def _tracks(tracker: PointTracker, frames: UInt8, spacing: int) -> Mapping[str, Array]:
    """Return tracks of a grid on the first frame, and on later ones of the cells that no track passes through."""
    parts: list[TrackSet] = []
    begun: list[npt.NDArray[np.int32]] = []
    for frame in np.unique(np.linspace(0, len(frames) - 1, _ROUNDS + 1).astype(int)[:_ROUNDS]):
        points = _free_places(parts, int(frame), frames.shape[1:3], spacing)
        if len(points):
            parts.append(tracker.track(frames, points, np.full(len(points), frame)))
            begun.append(np.full(len(points), frame, np.int32))
    return {
        "tracks_image/position": np.concatenate([part.position for part in parts]).transpose(2, 0, 1),
        "tracks_image/visible": np.concatenate([part.visible for part in parts]),
        "tracks_image/frame": np.concatenate(begun),
    }


def _free_places(parts: list[TrackSet], frame: int, size: tuple[int, int], spacing: int) -> Array:
    """Return the centres `(point, 2)` [px] of the cells of a grid through which no visible track passes."""
    rows, columns = (np.arange(spacing // 2, extent, spacing) for extent in size)
    if not len(rows) or not len(columns):
        rows, columns = (np.array([extent // 2]) for extent in size)
    free = np.ones((len(rows), len(columns)), np.bool_)
    for part in parts:
        place = (part.position[part.visible[:, frame], frame] // spacing).astype(int)
        free[place[:, 1].clip(0, len(rows) - 1), place[:, 0].clip(0, len(columns) - 1)] = False
    chosen_rows, chosen_columns = np.nonzero(free)
    return np.stack([columns[chosen_columns], rows[chosen_rows]], axis=-1) + 0.5
