"""What the renderer hands out: arrays on the device, and per tile as numpy."""

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from simfactory.pixels import Motion, PixelGrid, SurfaceBuffer
from simfactory.rendering.arrays import ReadBack, Values, WarpArray

__all__ = ["DeviceImage", "DeviceMotion", "DeviceStored", "DeviceSurface", "MotionTile", "SurfaceTile"]


class _Tile:
    """One tile's arrays, read from the device as they are asked for."""

    __slots__ = ("_host", "_index")

    def __init__(self, host: ReadBack, index: int) -> None:
        self._host, self._index = host, index

    def _whole(self, name: str) -> Values:
        array: Values = self._host.values(name)[self._index]
        return array

    def _sampled(self, grid: PixelGrid, *names: str) -> dict[str, Values]:
        return {name: self._host.sampled(name, grid.pixels)[self._index] for name in names}


@final
class SurfaceTile(_Tile):
    """A `SurfaceBuffer` of one tile; on the CPU its arrays are views that share the device's validity."""

    __slots__ = ()

    @property
    def instance(self) -> npt.NDArray[np.uint16]:
        """As in `SurfaceBuffer`, like the rest."""
        return self._whole("instance")

    @property
    def triangle(self) -> npt.NDArray[np.int32]:
        """As in `SurfaceBuffer`."""
        return self._whole("triangle")

    @property
    def bary(self) -> npt.NDArray[np.float32]:
        """As in `SurfaceBuffer`."""
        return self._whole("bary")

    @property
    def depth(self) -> npt.NDArray[np.float32]:
        """As in `SurfaceBuffer`."""
        return self._whole("depth")

    @property
    def normal(self) -> npt.NDArray[np.float32]:
        """As in `SurfaceBuffer`."""
        return self._whole("normal")

    def sampled(self, grid: PixelGrid) -> SurfaceBuffer:
        """Return what the pixels of a grid see."""
        return SurfaceBuffer(**self._sampled(grid, "instance", "triangle", "bary", "depth", "normal"))


@final
class MotionTile(_Tile):
    """A `Motion` of one tile; on the CPU its arrays are views that share the device's validity."""

    __slots__ = ()

    @property
    def flow(self) -> npt.NDArray[np.float32]:
        """As in `Motion`, like the rest."""
        return self._whole("flow")

    @property
    def displacement(self) -> npt.NDArray[np.float32]:
        """As in `Motion`."""
        return self._whole("displacement")

    @property
    def depth(self) -> npt.NDArray[np.float32]:
        """As in `Motion`."""
        return self._whole("depth")

    @property
    def occluded(self) -> npt.NDArray[np.bool_]:
        """As in `Motion`."""
        return self._whole("occluded")

    @property
    def outside(self) -> npt.NDArray[np.bool_]:
        """As in `Motion`."""
        return self._whole("outside")

    def sampled(self, grid: PixelGrid) -> Motion:
        """Return the motion of the pixels of a grid."""
        return Motion(**self._sampled(grid, "flow", "displacement", "depth", "occluded", "outside"))


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceSurface:
    """Surface buffers of all tiles at one instant; valid until `surface` is called with its slot again.

    Attributes:
        slot: The slot.
        item: `(tile, height, width)` int32 index of the instance among all environments' instances; -1 = none.
        instance: `(tile, height, width)` uint16; this and the rest as in `SurfaceBuffer`.
        triangle: `(tile, height, width)` int32.
        bary: `(tile, height, width)` vec2.
        depth: `(tile, height, width)` float32 [m].
        normal: `(tile, height, width)` vec3.
        host: The same on the host.
    """

    slot: int
    item: WarpArray
    instance: WarpArray
    triangle: WarpArray
    bary: WarpArray
    depth: WarpArray
    normal: WarpArray
    host: ReadBack

    def tile(self, index: int) -> SurfaceTile:
        """Return one tile."""
        return SurfaceTile(self.host, index)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceMotion:
    """Motion of all tiles, see `Motion`; valid until `motion` is called again between slots in the same order.

    From 0 to 1, from 1 to 2 and from 2 to 0 are one order, the reverse the other. A renderer that works ahead keeps it
    until `motion` is called again for the same slots.

    Attributes:
        flow: `(tile, height, width)` vec2 [px].
        displacement: `(tile, height, width)` vec3 [m].
        depth: `(tile, height, width)` float32 [m].
        occluded: `(tile, height, width)` bool.
        outside: `(tile, height, width)` bool.
        host: The same on the host.
    """

    flow: WarpArray
    displacement: WarpArray
    depth: WarpArray
    occluded: WarpArray
    outside: WarpArray
    host: ReadBack

    def tile(self, index: int) -> MotionTile:
        """Return one tile."""
        return MotionTile(self.host, index)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceStored:
    """What the store keeps of a frame of all tiles, quantised; valid as long as the frame's surface.

    Attributes:
        normal: `(tile, height, width, 3)` int8.
        flow_forward: `(tile, 2, height, width)` int16, like the flow back; -32768 where there is none.
        flow_backward: `(tile, 2, height, width)` int16.
        mask: `(tile, height, width)` uint8: bits of the signal `mask`, those of saturated flow among them.
        saturated_forward: `(tile,)` int32: how many of its displacements lie beyond the range.
        saturated_backward: `(tile,)` int32.
        broken: `(tile,)` int32: how many of its pixels hold what is no number, and have no stored form.
        host: The same on the host.
    """

    normal: WarpArray
    flow_forward: WarpArray
    flow_backward: WarpArray
    mask: WarpArray
    saturated_forward: WarpArray
    saturated_backward: WarpArray
    broken: WarpArray
    host: ReadBack

    def tile(self, index: int) -> dict[str, Values]:
        """Return one tile as numpy by names of signals, on the CPU views; nothing where a value is no number."""
        if self.host.values("broken")[index]:
            return {}
        return {name: self.host.values(name)[index] for name in ("normal", "flow_forward", "flow_backward", "mask")}

    def saturated(self, index: int) -> dict[str, int]:
        """Return how many displacements of one tile are beyond the range, by names of signals."""
        names = {"flow_forward": "saturated_forward", "flow_backward": "saturated_backward"}
        return {signal: int(self.host.values(name)[index]) for signal, name in names.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceImage:
    """Images of all tiles; valid until `shade` is called for the same slot again.

    Attributes:
        rgb: `(tile, height, width, 3)` uint8 sRGB.
        light: `(tile, height, width)` vec3 linear light, denoised but not developed; None where no paths are followed.
            Valid until `shade` is called again, for any slot.
        host: The image on the host.
    """

    rgb: WarpArray
    host: ReadBack
    light: "WarpArray | None" = None

    def tile(self, index: int) -> npt.NDArray[np.uint8]:
        """Return one tile's rgb `(height, width, 3)`; on the CPU a view that shares the image's validity."""
        return np.asarray(self.host.values("rgb")[index], np.uint8)
