"""What a store keeps of a frame, in its stored form: smaller than the values, and so is the way to the host."""

import warp as wp

from simfactory.rendering.kernels.options import OPTIONS
from simfactory.signals import HIT, SATURATED

__all__ = ["pack_flow", "pack_surface"]

wp.set_module_options(OPTIONS)

LIMIT = wp.constant(32767.0)  # of an int16; one below its negative means missing
MISSING = wp.constant(wp.int16(-32768))
HIT_BIT = wp.constant(wp.uint8(HIT))
SATURATED_BIT = wp.constant(wp.uint8(SATURATED))

# Pixels are counted through all tiles: on a CPU, finding them by tile, row and column would take three times as long.


@wp.func
def held(steps: float):
    """Return what is stored of a number of steps: the end of the range beyond it, missing for none."""
    element = MISSING
    if not wp.isnan(steps):
        element = wp.int16(wp.clamp(steps, -LIMIT, LIMIT))
    return element


@wp.kernel
def pack_surface(
    pixels: int,
    instance: wp.array(dtype=wp.uint16),
    normal: wp.array(dtype=wp.vec3),
    step: wp.float64,
    packed: wp.array(dtype=wp.int8),
    mask: wp.array(dtype=wp.uint8),
    broken: wp.array(dtype=wp.int32),
):
    """Round normals to a step, and begin the mask with what is hit; count pixels without a number by tile."""
    i = wp.tid()
    bits = wp.uint8(0)
    if instance[i] != wp.uint16(0):
        bits = HIT_BIT
    mask[i] = bits
    n = normal[i]
    if wp.isfinite(n):
        packed[3 * i] = wp.int8(wp.rint(wp.float64(n[0]) / step))
        packed[3 * i + 1] = wp.int8(wp.rint(wp.float64(n[1]) / step))
        packed[3 * i + 2] = wp.int8(wp.rint(wp.float64(n[2]) / step))
    else:
        wp.atomic_add(broken, i // pixels, 1)


@wp.kernel
def pack_flow(
    pixels: int,
    flow: wp.array(dtype=wp.vec2),
    occluded: wp.array(dtype=wp.bool),
    outside: wp.array(dtype=wp.bool),
    occluded_bit: wp.uint8,
    outside_bit: wp.uint8,
    rate: float,
    packed: wp.array(dtype=wp.int16),
    mask: wp.array(dtype=wp.uint8),
    saturated: wp.array(dtype=wp.int32),
    broken: wp.array(dtype=wp.int32),
):
    """Round flow to steps of 1 / rate, planar, and add its bits to the mask; count displacements beyond the range.

    Pixels whose flow is infinite are counted as broken.
    """
    i = wp.tid()
    tile = i // pixels
    first = i + tile * pixels
    bits = mask[i]
    if occluded[i]:
        bits = bits | occluded_bit
    if outside[i]:
        bits = bits | outside_bit
    value = flow[i]
    u = wp.rint(value[0] * rate)
    v = wp.rint(value[1] * rate)
    if wp.abs(u) <= LIMIT and wp.abs(v) <= LIMIT:
        packed[first] = wp.int16(u)
        packed[first + pixels] = wp.int16(v)
    else:
        packed[first] = held(u)
        packed[first + pixels] = held(v)
        count = int(0)
        if wp.abs(u) > LIMIT:
            count += 1
        if wp.abs(v) > LIMIT:
            count += 1
        if count > 0:
            bits = bits | SATURATED_BIT
            wp.atomic_add(saturated, tile, count)
        if wp.isinf(u) or wp.isinf(v):
            wp.atomic_add(broken, tile, 1)
    mask[i] = bits
