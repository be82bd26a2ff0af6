"""Frames in the form in which they are stored, made where they were rendered."""

from dataclasses import dataclass

import warp as wp

from simfactory.rendering.arrays import ReadBack, WarpArray
from simfactory.rendering.buffers import DeviceMotion, DeviceStored, DeviceSurface
from simfactory.rendering.kernels.pack import pack_flow, pack_surface
from simfactory.signals import OCCLUDED_AFTER, OCCLUDED_BEFORE, OUTSIDE_AFTER, OUTSIDE_BEFORE

__all__ = ["Packer", "Steps"]

MISSING = -32768  # flow where there is none


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
    """Quantises what a store keeps in fewer bits than it is rendered in: the host reads little more than a third.

    Args:
        steps: Between stored values.
        shape: `(tile, height, width)`.
        device: Where the frames are.
    """

    def __init__(self, steps: Steps, shape: tuple[int, int, int], device: wp.Device) -> None:
        self._steps, self._shape, self._device = steps, shape, device
        self._kept: dict[int, DeviceStored] = {}  # by slot

    def pack(self, buffers: DeviceSurface, forward: DeviceMotion | None, backward: DeviceMotion | None) -> DeviceStored:
        """Return a frame in stored form."""
        if buffers.slot not in self._kept:
            self._kept[buffers.slot] = self._made()
        stored = self._kept[buffers.slot]
        for count in (stored.saturated_forward, stored.saturated_backward, stored.broken):
            count.zero_()
        step = wp.float64(self._steps.normal)
        self._launch(pack_surface, buffers.instance, buffers.normal, step, stored.normal, stored.mask, stored.broken)
        ways = (
            (forward, OCCLUDED_AFTER, OUTSIDE_AFTER, stored.flow_forward, stored.saturated_forward),
            (backward, OCCLUDED_BEFORE, OUTSIDE_BEFORE, stored.flow_backward, stored.saturated_backward),
        )
        for motion, occluded, outside, packed, saturated in ways:
            if motion is None:
                packed.fill_(MISSING)
                continue
            bits = wp.uint8(occluded), wp.uint8(outside)
            moves = motion.flow, motion.occluded, motion.outside
            rate = 1.0 / self._steps.flow
            self._launch(pack_flow, *moves, *bits, rate, packed, stored.mask, saturated, stored.broken)
        stored.host.begin()
        return stored

    def _launch(self, kernel: wp.Kernel, *inputs: object) -> None:
        tiles, height, width = self._shape
        flat = [each.flatten() if isinstance(each, wp.array) else each for each in inputs]
        wp.launch(kernel, dim=tiles * height * width, inputs=[height * width, *flat], device=self._device)

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
