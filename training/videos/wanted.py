"""What clips of videos are to be: how long, how large, how fast; and their pictures brought to that."""

from dataclasses import dataclass
from typing import final

import cv2
import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError
from simfactory.store import JSON

__all__ = ["Wanted"]

UInt8 = npt.NDArray[np.uint8]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """The form of the clips.

    Attributes:
        longest: Frames of a clip, at most; a longer shot gives several.
        size: Height and width [px]: pictures are cropped about their centre, then shrunk; None = as they are.
        fps: Frame rate [1/s]: every n-th frame is taken, at up to 5 % another speed; None = as it is.

    Raises:
        SpecError: A number is out of range.
    """

    longest: int = 81
    size: tuple[int, int] | None = None
    fps: float | None = None

    def __post_init__(self) -> None:
        if self.longest < 2:
            raise SpecError(f"clips of at most {self.longest} frames hold no motion; give 2 or more")
        if self.size is not None and min(self.size) < 16:
            raise SpecError(
                f"clips of {self.size} px (height, width) are too small to follow anything; give 16 or more"
            )
        if self.fps is not None and not 0.0 < self.fps < float("inf"):
            raise SpecError(f"fps is {self.fps}; give it above zero, or leave it out")

    def stride(self, fps: float) -> int:
        """Return every how many-th frame of a video of some rate [1/s] is taken."""
        return 1 if self.fps is None else max(1, round(fps / self.fps))

    def rate(self, fps: float) -> float:
        """Return the frame rate of the clips of a video of some rate [1/s]."""
        return fps if self.fps is None else self.fps

    def picture(self, frame: UInt8) -> UInt8:
        """Return a frame `(height, width, 3)` cropped about its centre to the wanted shape, and shrunk."""
        if self.size is None:
            return frame
        height, width = self.size
        scale = min(frame.shape[0] / height, frame.shape[1] / width)
        rows, columns = min(frame.shape[0], round(height * scale)), min(frame.shape[1], round(width * scale))
        top, left = (frame.shape[0] - rows) // 2, (frame.shape[1] - columns) // 2
        part = np.ascontiguousarray(frame[top : top + rows, left : left + columns])
        return np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    def record(self) -> dict[str, JSON]:
        """Return the form as JSON."""
        return {"longest": self.longest, "size": None if self.size is None else [*self.size], "fps": self.fps}
