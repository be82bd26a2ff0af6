"""Frames in the form in which they are stored, made where they were rendered."""

from dataclasses import dataclass

import warp as wp

from simfactory.rendering.arrays import ReadBack, WarpArray
from simfactory.rendering.buffers import DeviceMotion, DeviceStored, DeviceSurface
from simfactory.rendering.kernels.pack import Leap, pack_flow, pack_normals

__all__ = ["Packer", "Steps"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Steps:
    """Between stored values; the defaults are for what is not stored.

    Attributes:
        normal: Of a normal's components [1].
        flow: Of flow [px]: a power of two, so that dividing by it is exact.
    """

    normal: float = 1.0 / 127.0
    flow: float = 1.0 / 64.0


class Packer:
    """Quantises what a store keeps in fewer bits than it is rendered in: half to a third of what the host would read.

    Args:
        steps: Between stored values.
        shape: `(tile, height, width)`.
        device: Where the frames are.
    """

    def __init__(self, steps: Steps, shape: tuple[int, int, int], device: wp.Device) -> None:
        self._steps, self._shape, self._device = steps, shape, device
        self._kept: dict[int, DeviceStored] = {}  # by slot
        self._nothing = Leap()
        for name, dtype in (("flow", wp.vec2), ("occluded", wp.bool), ("outside", wp.bool)):
            setattr(self._nothing, name, wp.empty((0, 0, 0), dtype=dtype, device=device))

    def pack(self, buffers: DeviceSurface, forward: DeviceMotion | None, backward: DeviceMotion | None) -> DeviceStored:
        """Return a frame in stored form."""
        if buffers.slot not in self._kept:
            self._kept[buffers.slot] = self._made()
        stored = self._kept[buffers.slot]
        counts = [stored.saturated_forward, stored.saturated_backward, stored.broken]
        for count in counts:
            count.zero_()
        inputs = [buffers.normal, wp.float64(self._steps.normal), stored.normal, stored.broken]
        wp.launch(pack_normals, dim=self._shape, inputs=inputs, device=self._device)
        leaps = [self._leap(forward), self._leap(backward)]
        made = [stored.flow_forward, stored.flow_backward, stored.mask]
        inputs = [buffers.instance, *leaps, 1.0 / self._steps.flow, *made, *counts]
        wp.launch(pack_flow, dim=self._shape, inputs=inputs, device=self._device)
        stored.host.begin()
        return stored

    def _leap(self, motion: DeviceMotion | None) -> Leap:
        if motion is None:
            return self._nothing
        leap = Leap()
        leap.present, leap.flow = wp.int32(1), motion.flow
        leap.occluded, leap.outside = motion.occluded, motion.outside
        return leap

    def _made(self) -> DeviceStored:
        tiles, height, width = self._shape
        arrays: dict[str, WarpArray] = {
            "normal": wp.empty((tiles, height, width, 3), dtype=wp.int8, device=self._device),
            "flow_forward": wp.empty((tiles, 2, height, width), dtype=wp.int16, device=self._device),
            "flow_backward": wp.empty((tiles, 2, height, width), dtype=wp.int16, device=self._device),
            "mask": wp.empty((tiles, height, width), dtype=wp.uint8, device=self._device),
            "saturated_forward": wp.zeros(tiles, dtype=wp.int32, device=self._device),
            "saturated_backward": wp.zeros(tiles, dtype=wp.int32, device=self._device),
            "broken": wp.zeros(tiles, dtype=wp.int32, device=self._device),
        }
        return DeviceStored(host=ReadBack(arrays), **arrays)
