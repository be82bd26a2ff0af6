"""One shot of a video, as filters see it: small pictures, and how they move."""

from functools import cached_property
from itertools import pairwise
from typing import final

import cv2
import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError

__all__ = ["SIDE", "Shot", "small"]

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

SIDE = 480  # [px] longer side of the pictures that filters see, at most
_FLOW_SIDE = 240  # [px] of those that motion is measured on
_SAMPLES = 8  # pictures of a shot that are looked at where not all are needed


@final
class Shot:
    """Frames without a cut between them.

    Attributes:
        start: Number of its first frame, among the frames of the video that are used.
        fps: Rate of these frames [1/s].
        height: Rows of the video's own pictures [px].
        width: Columns of them [px].
        pictures: `(time, row, column, 3)` uint8 RGB, at most 480 px on the longer side.
    """

    def __init__(self, pictures: UInt8, *, start: int, fps: float, height: int, width: int) -> None:
        if pictures.ndim != 4 or pictures.shape[-1] != 3 or not len(pictures):
            raise SpecError(f"pictures of shape {pictures.shape}; give (time, row, column, 3), at least one")
        self.pictures = pictures
        self.start, self.fps, self.height, self.width = start, fps, height, width

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.pictures)

    @cached_property
    def gray(self) -> UInt8:
        """Luma `(sample, row, column)` of at most eight pictures, evenly picked."""
        chosen = np.unique(np.linspace(0, len(self) - 1, min(_SAMPLES, len(self))).round().astype(int))
        return np.stack([cv2.cvtColor(self.pictures[k], cv2.COLOR_RGB2GRAY) for k in chosen]).astype(np.uint8)

    @cached_property
    def flows(self) -> Float32:
        """Flow to the next frame `(time − 1, 2, row, column)` [px of `moving`]."""
        return self._flows([*pairwise(self.moving)])

    @cached_property
    def returns(self) -> Float32:
        """Flow to the frame before, from the second frame on; otherwise as `flows`."""
        return self._flows([(two, one) for one, two in pairwise(self.moving)])

    @cached_property
    def moving(self) -> list[UInt8]:
        """Luma of every picture `(row, column)`, at most 240 px wide: what motion is measured on."""
        return [np.asarray(cv2.cvtColor(small(p, _FLOW_SIDE), cv2.COLOR_RGB2GRAY), np.uint8) for p in self.pictures]

    def _flows(self, pairs: list[tuple[UInt8, UInt8]]) -> Float32:
        search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        found = np.zeros((len(pairs), 2, *self.moving[0].shape), np.float32)
        for flow, (one, two) in zip(found, pairs, strict=True):
            flow[:] = search.calc(one, two, np.zeros((*one.shape, 2), np.float32)).transpose(2, 0, 1)
        return found


def small(picture: UInt8, side: int = SIDE) -> UInt8:
    """Return a picture shrunk until its longer side is at most `side` [px]; a smaller one as it is."""
    height, width = picture.shape[:2]
    if max(height, width) <= side:
        return picture
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
