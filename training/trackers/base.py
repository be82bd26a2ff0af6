"""What a point tracker is: places in a video in, their positions and visibility over all frames out."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Self, TypeAlias, final

import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError

__all__ = ["PointTracker", "TrackSet", "checked_queries"]

Array: TypeAlias = npt.NDArray[Any]  # Any: of any real dtype
Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]
UInt8 = npt.NDArray[np.uint8]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class TrackSet:
    """Points of a video, followed.

    Attributes:
        position: `(point, time, 2)` float32 raster positions (x, y) [px], finite also while a point is hidden.
        visible: `(point, time)` bool, whether the tracker says that the point is to be seen.
    """

    position: Float32
    visible: Bool


class PointTracker(ABC):
    """Follows points through a video, forwards and backwards in time; made by `load`.

    Attributes:
        version: Name and version of what decides its answers. It enters the ids of clips that are labelled with it.
    """

    version: str

    @classmethod
    @abstractmethod
    def load(cls, *, device: str = "cpu") -> Self:
        """Return one that computes on a device, as torch names it.

        Raises:
            SpecError: A package or weights are missing; the message says how to get them.
        """

    @abstractmethod
    def track(self, frames: UInt8, points: Array, at: Array) -> TrackSet:
        """Follow points.

        Args:
            frames: `(time, height, width, 3)` uint8 RGB.
            points: `(point, 2)` raster positions (x, y) [px].
            at: `(point,)` integers, the frame that each position is of.

        Returns:
            The tracks; at its own frame a point is visible, and where it was asked for.

        Raises:
            SpecError: The shapes do not fit, or a point is outside the video.
        """


def checked_queries(frames: UInt8, points: Array, at: Array) -> tuple[Float32, npt.NDArray[np.int64]]:
    """Return the points and frames that a tracker is asked for.

    Raises:
        SpecError: The shapes do not fit, or a point is outside the video.
    """
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8:
        raise SpecError(f"frames are {frames.shape} of {frames.dtype}; give (time, height, width, 3) uint8")
    if points.ndim != 2 or points.shape[-1] != 2 or at.shape != points.shape[:1] or at.dtype.kind not in "iu":
        raise SpecError(f"points are {points.shape}, at {at.shape} of {at.dtype}; give (point, 2), (point,) integers")
    time, height, width, _ = frames.shape
    inside = (points >= 0.0).all(axis=-1) & (points <= (width, height)).all(axis=-1) & (at >= 0) & (at < time)
    if not inside.all():
        raise SpecError(f"{(~inside).sum()} of {len(points)} points are outside {time} frames of {width}x{height} px")
    return points.astype(np.float32), at.astype(np.int64)
