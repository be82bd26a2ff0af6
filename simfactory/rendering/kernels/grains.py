"""Grains of solid materials: clouds, stone, woven fabric and brushed metal, filtered over a pixel's footprint."""

import warp as wp

from simfactory.rendering.kernels.noise import fractal, lattice_value, layered_noise
from simfactory.rendering.kernels.options import OPTIONS

__all__ = ["brushed", "clouds", "fabric", "stone"]

wp.set_module_options(OPTIONS)


@wp.func
def clouds(p: wp.vec3, width: float, shape: wp.vec4):
    """Return fractal noise; shape is (octaves, gain, displacement [period], whether ridged)."""
    at = p * 2.0
    if shape[2] > 0.0:
        x = layered_noise(at + wp.vec3(5.2, 1.3, 8.1), width, 3, 0.5, 0)
        y = layered_noise(at + wp.vec3(1.7, 9.2, 3.4), width, 3, 0.5, 0)
        z = layered_noise(at + wp.vec3(8.3, 2.8, 6.6), width, 3, 0.5, 0)
        at = at + wp.vec3(x, y, z) * (2.0 * shape[2])
        width = width * (1.0 + shape[2])
    return 0.5 + 1.1 * layered_noise(at, width, int(shape[0]), shape[1], int(shape[3]))


@wp.func
def cell_distances(p: wp.vec3):
    """Return the distance to the nearest of one random point per lattice cell, how much farther the next is, its hash.

    Source: S. Worley, "A cellular texture basis function" (1996).
    """
    i = int(wp.floor(p[0]))
    j = int(wp.floor(p[1]))
    k = int(wp.floor(p[2]))
    nearest = float(1.0e6)
    second = float(1.0e6)
    tone = float(0.0)
    for cell in range(27):
        a = i + cell % 3 - 1
        b = j + cell // 3 % 3 - 1
        c = k + cell // 9 - 1
        x = float(a) + lattice_value(a, b, c) - p[0]
        y = float(b) + lattice_value(a + 911, b, c) - p[1]
        z = float(c) + lattice_value(a, b + 577, c) - p[2]
        distance = x * x + y * y + z * z
        if distance < nearest:
            second = nearest
            nearest = distance
            tone = lattice_value(a, b, c + 331)
        elif distance < second:
            second = distance
    return wp.sqrt(nearest), wp.sqrt(second) - wp.sqrt(nearest), tone


@wp.func
def stone(p: wp.vec3, width: float, shape: wp.vec4):
    """Return cells of different tone, their joints in the second colour; shape is (joint [period], grain, mean, -)."""
    mean = shape[2]
    mix = mean
    if width < 1.0:
        bent = p + wp.vec3(0.25 * fractal(p * 1.7, width), 0.25 * fractal(p * 1.7 + wp.vec3(31.0), width), 0.0)
        _nearest, gap, tone = cell_distances(bent)
        mix = 0.1 + 0.55 * tone + 1.2 * shape[1] * fractal(p * 6.0, 6.0 * width)
        mix = wp.clamp(mix, 0.0, 1.0)
        if shape[0] > 0.0:
            soft = 0.35 * shape[0] + width
            joint = wp.clamp((shape[0] + 0.5 * soft - gap) / soft, 0.0, 1.0)
            mix = wp.lerp(mix, 1.0, joint)
        mix = wp.lerp(mix, mean, wp.clamp(2.0 * width - 0.6, 0.0, 1.0))
    return mix


@wp.func
def fabric(p: wp.vec3, w: wp.vec3, normal: wp.vec3, shape: wp.vec4):
    """Return threads over and under each other; shape is (threads passed over, thickness of a thread [period], -, -).

    The weave lies in the plane of the two axes that the surface faces least.
    """
    a = p[0]
    b = p[1]
    width = wp.max(w[0], w[1])
    x = wp.abs(normal[0])
    y = wp.abs(normal[1])
    z = wp.abs(normal[2])
    if x >= y and x > z:
        a = p[1]
        b = p[2]
        width = wp.max(w[1], w[2])
    elif y > x and y > z:
        b = p[2]
        width = wp.max(w[0], w[2])
    i = int(wp.floor(a))
    j = int(wp.floor(b))
    run = int(shape[0])
    turn = (i + j) % (2 * run)
    if turn < 0:
        turn += 2 * run
    across = a - float(i) - 0.5
    thread = float(0.0)
    if turn >= run:
        across = b - float(j) - 0.5
        thread = 1.0
    rim = 2.0 * wp.abs(across) / shape[1]
    bulge = wp.clamp(1.0 - rim * rim, 0.0, 1.0)
    mix = wp.lerp(0.5, thread, 0.25 + 0.75 * wp.sqrt(bulge))
    return wp.lerp(mix, 0.5, wp.clamp(2.0 * width - 0.4, 0.0, 1.0))


@wp.func
def brushed(p: wp.vec3, w: wp.vec3, shape: wp.vec4):
    """Return streaks along x; shape is (length of a streak over its width, -, -, -)."""
    fine = 8.0
    width = fine * wp.max(wp.max(w[0] / shape[0], w[1]), w[2])
    return 0.5 + 1.2 * fractal(wp.vec3(p[0] / shape[0], p[1], p[2]) * fine, width)
