"""What the renderer hands out: arrays on the device, and per tile as numpy."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simfactory.episode import Motion, SurfaceBuffer
from simfactory.rendering.arrays import ReadBack, WarpArray

__all__ = ["DeviceImage", "DeviceMotion", "DeviceSurface"]


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

    def tile(self, index: int) -> SurfaceBuffer:
        """Return one tile as numpy; on the CPU these are views that share the buffer's validity."""
        names = ("instance", "triangle", "bary", "depth", "normal")
        return SurfaceBuffer(**{name: self.host.values(name)[index] for name in names})


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

    def tile(self, index: int) -> Motion:
        """Return one tile as numpy; on the CPU these are views that share the buffer's validity."""
        names = ("flow", "displacement", "depth", "occluded", "outside")
        return Motion(**{name: self.host.values(name)[index] for name in names})


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
