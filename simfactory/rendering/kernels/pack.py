"""What a store keeps of a frame, in its stored form: smaller than the values, and so is the way to the host."""

import warp as wp

from simfactory.rendering.kernels.options import OPTIONS
from simfactory.signals import HIT, OCCLUDED_AFTER, OCCLUDED_BEFORE, OUTSIDE_AFTER, OUTSIDE_BEFORE, SATURATED

__all__ = ["Leap", "pack_flow", "pack_normals"]

wp.set_module_options(OPTIONS)

LIMIT = wp.constant(32767)  # of an int16; one below its negative means missing
HIT_BIT = wp.constant(HIT)
SATURATED_BIT = wp.constant(SATURATED)
AFTER = wp.constant(wp.vec2i(OCCLUDED_AFTER, OUTSIDE_AFTER))
BEFORE = wp.constant(wp.vec2i(OCCLUDED_BEFORE, OUTSIDE_BEFORE))


@wp.struct
class Leap:
    """Motion to another instant, `(tile, row, column)`; see `Motion`."""

    present: wp.int32  # whether there is such an instant
    flow: wp.array3d(dtype=wp.vec2)
    occluded: wp.array3d(dtype=wp.bool)
    outside: wp.array3d(dtype=wp.bool)


@wp.kernel
def pack_normals(
    normal: wp.array3d(dtype=wp.vec3),
    step: wp.float64,
    packed: wp.array4d(dtype=wp.int8),
    broken: wp.array(dtype=wp.int32),
):
    """Round normals to a step; count pixels without a number."""
    tile, row, column = wp.tid()
    if not wp.isfinite(normal[tile, row, column]):
        wp.atomic_add(broken, tile, 1)
        return
    for k in range(3):
        packed[tile, row, column, k] = wp.int8(wp.rint(wp.float64(normal[tile, row, column][k]) / step))


@wp.func
def rounded(value: float, rate: float):
    """Return a displacement in steps, and whether it lies beyond the range; missing where there is none."""
    steps = -LIMIT - 1
    beyond = int(0)
    if not wp.isnan(value):
        wide = wp.rint(value * rate)
        if wp.abs(wide) > float(LIMIT):
            beyond = 1
        steps = int(wp.clamp(wide, -float(LIMIT), float(LIMIT)))
    return steps, beyond


@wp.func
def pack_leap(
    leap: Leap,
    bits: wp.vec2i,
    rate: float,
    tile: int,
    row: int,
    column: int,
    packed: wp.array4d(dtype=wp.int16),
    saturated: wp.array(dtype=wp.int32),
    broken: wp.array(dtype=wp.int32),
):
    """Write a pixel's flow; return its bits."""
    mask = int(0)
    if leap.present == 0:
        packed[tile, 0, row, column] = wp.int16(-LIMIT - 1)
        packed[tile, 1, row, column] = wp.int16(-LIMIT - 1)
    else:
        if leap.occluded[tile, row, column]:
            mask = bits[0]
        if leap.outside[tile, row, column]:
            mask = mask | bits[1]
        value = leap.flow[tile, row, column]
        count = int(0)
        if wp.isinf(value[0]) or wp.isinf(value[1]):
            wp.atomic_add(broken, tile, 1)
        for k in range(2):
            steps, beyond = rounded(value[k], rate)
            packed[tile, k, row, column] = wp.int16(steps)
            count += beyond
        if count > 0:
            mask = mask | SATURATED_BIT
            wp.atomic_add(saturated, tile, count)
    return mask


@wp.kernel
def pack_flow(
    instance: wp.array3d(dtype=wp.uint16),
    forward: Leap,
    backward: Leap,
    rate: float,
    flow_forward: wp.array4d(dtype=wp.int16),
    flow_backward: wp.array4d(dtype=wp.int16),
    mask: wp.array3d(dtype=wp.uint8),
    saturated_forward: wp.array(dtype=wp.int32),
    saturated_backward: wp.array(dtype=wp.int32),
    broken: wp.array(dtype=wp.int32),
):
    """Round both flows to steps of 1 / rate, planar, and gather the mask's bits; count pixels of infinite flow."""
    tile, row, column = wp.tid()
    bits = int(0)
    if instance[tile, row, column] != wp.uint16(0):
        bits = HIT_BIT
    bits = bits | pack_leap(forward, AFTER, rate, tile, row, column, flow_forward, saturated_forward, broken)
    bits = bits | pack_leap(backward, BEFORE, rate, tile, row, column, flow_backward, saturated_backward, broken)
    mask[tile, row, column] = wp.uint8(bits)
