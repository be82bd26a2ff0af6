"""What the pixels of a tile see, and where that goes: surface buffers and motion."""

from dataclasses import dataclass, fields
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Motion", "MotionArrays", "PixelGrid", "SurfaceArrays", "SurfaceBuffer"]

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]
Int32 = npt.NDArray[np.int32]
UInt16 = npt.NDArray[np.uint16]


class PixelGrid(NamedTuple):
    """Every so many-th pixel along both axes.

    Attributes:
        first: Row and column of the first.
        stride: Distance of the next [px].
    """

    first: int
    stride: int

    @property
    def pixels(self) -> tuple[slice, slice]:
        """Index of rows and columns."""
        return slice(self.first, None, self.stride), slice(self.first, None, self.stride)


class SurfaceArrays(Protocol):
    """A `SurfaceBuffer`, or what reads like one."""

    @property
    def instance(self) -> UInt16:
        """`(height, width)`."""

    @property
    def triangle(self) -> Int32:
        """`(height, width)`."""

    @property
    def bary(self) -> Float32:
        """`(height, width, 2)`."""

    @property
    def depth(self) -> Float32:
        """`(height, width)` [m]."""

    @property
    def normal(self) -> Float32:
        """`(height, width, 3)`."""

    def sampled(self, grid: PixelGrid) -> "SurfaceBuffer":
        """Return what the pixels of a grid see."""


class MotionArrays(Protocol):
    """A `Motion`, or what reads like one."""

    @property
    def flow(self) -> Float32:
        """`(height, width, 2)` [px]."""

    @property
    def displacement(self) -> Float32:
        """`(height, width, 3)` [m]."""

    @property
    def depth(self) -> Float32:
        """`(height, width)` [m]."""

    @property
    def occluded(self) -> Bool:
        """`(height, width)`."""

    @property
    def outside(self) -> Bool:
        """`(height, width)`."""

    def sampled(self, grid: PixelGrid) -> "Motion":
        """Return the motion of the pixels of a grid."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SurfaceBuffer:
    """Which surface point each pixel centre sees, for one tile (one camera at one instant).

    Attributes:
        instance: `(height, width)` uint16; 0 = nothing hit.
        triangle: `(height, width)` int32 index into the surface's triangles; -1 where nothing is hit.
        bary: `(height, width, 2)` weights (b0, b1) of the triangle's first two vertices; b2 = 1 − b0 − b1.
        depth: `(height, width)` z along the optical axis [m]; inf where nothing is hit.
        normal: `(height, width, 3)` geometric unit normal, world frame, facing the camera; 0 where nothing is hit.
    """

    instance: UInt16
    triangle: Int32
    bary: Float32
    depth: Float32
    normal: Float32

    def sampled(self, grid: PixelGrid) -> "SurfaceBuffer":
        """Return what the pixels of a grid see; views."""
        return SurfaceBuffer(**{each.name: getattr(self, each.name)[grid.pixels] for each in fields(self)})


@dataclass(frozen=True, kw_only=True, slots=True)
class Motion:
    """Where each pixel's surface point is at another instant t', for one tile.

    Attributes:
        flow: `(height, width, 2)` raster displacement (du, dv) [px], t → t'; NaN where nothing is hit or the
            point is not in front of the camera at t'.
        displacement: `(height, width, 3)` of the surface point, world frame [m]; 0 where nothing is hit.
        depth: `(height, width)` z of the point in the camera at t' [m]; inf where nothing is hit.
        occluded: `(height, width)` the point is hidden by a surface at t' (False where outside or not hit).
        outside: `(height, width)` the point is outside the frame or behind the camera at t'.
    """

    flow: Float32
    displacement: Float32
    depth: Float32
    occluded: Bool
    outside: Bool

    def sampled(self, grid: PixelGrid) -> "Motion":
        """Return the motion of the pixels of a grid; views."""
        return Motion(**{each.name: getattr(self, each.name)[grid.pixels] for each in fields(self)})
