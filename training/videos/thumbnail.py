"""Thumbnails of frames, and how much of their difference motion does not explain."""

from dataclasses import dataclass
from typing import Self, final

import cv2
import numpy as np
import numpy.typing as npt

from training.flow_consistency import field_at

__all__ = ["Thumbnail", "difference", "unexplained"]

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

_SIZE = (96, 54)  # width, height


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Thumbnail:
    """A frame, small.

    Attributes:
        colour: `(54, 96, 3)` float32 RGB from 0 to 255.
        gray: `(54, 96)` uint8 luma.
    """

    colour: Float32
    gray: UInt8

    @classmethod
    def of(cls, picture: UInt8) -> Self:
        """Return the thumbnail of a picture `(height, width, 3)`."""
        colour = np.asarray(cv2.resize(picture, _SIZE, interpolation=cv2.INTER_AREA), np.uint8)
        gray = np.asarray(cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY), np.uint8)
        return cls(colour=colour.astype(np.float32), gray=gray)


def difference(one: Thumbnail, other: Thumbnail) -> float:
    """Return how much two frames differ: mean of the absolute differences, of 255."""
    return float(np.abs(other.colour - one.colour).mean())


def unexplained(one: Thumbnail, later: Thumbnail) -> float:
    """Return how much two frames differ once the later one is moved back along the flow between them, of 255."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = search.calc(one.gray, later.gray, np.zeros((*one.gray.shape, 2), np.float32))
    height, width = one.gray.shape
    target = flow + np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1) + 0.5
    inside = (target >= 0.0).all(axis=-1) & (target <= (width, height)).all(axis=-1)
    moved = field_at(later.colour.transpose(2, 0, 1), target)
    rest = np.abs(moved - one.colour).mean(axis=-1)
    return float(rest[inside].mean()) if inside.any() else difference(one, later)
