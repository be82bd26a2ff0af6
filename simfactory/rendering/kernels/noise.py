"""Hashed lattice noise in space and its fractal sums, filtered over a pixel's footprint."""

import warp as wp

from simfactory.rendering.kernels.options import OPTIONS

__all__ = ["fractal", "lattice_value", "layered_noise"]

wp.set_module_options(OPTIONS)


@wp.func
def lattice_value(x: int, y: int, z: int):
    """Hash integer coordinates to [0, 1)."""
    h = wp.uint32(x) * wp.uint32(73856093) ^ wp.uint32(y) * wp.uint32(19349663) ^ wp.uint32(z) * wp.uint32(83492791)
    h = (h ^ (h >> wp.uint32(15))) * wp.uint32(747796405)
    h = (h ^ (h >> wp.uint32(13))) * wp.uint32(1664525513)
    return float((h ^ (h >> wp.uint32(16))) >> wp.uint32(8)) * 5.9604645e-08


@wp.func
def value_noise(p: wp.vec3):
    """Interpolate hashed lattice values, smooth at the cell borders; mean ½."""
    i = int(wp.floor(p[0]))
    j = int(wp.floor(p[1]))
    k = int(wp.floor(p[2]))
    x = p[0] - float(i)
    y = p[1] - float(j)
    z = p[2] - float(k)
    x = x * x * (3.0 - 2.0 * x)
    y = y * y * (3.0 - 2.0 * y)
    z = z * z * (3.0 - 2.0 * z)
    low = wp.lerp(
        wp.lerp(lattice_value(i, j, k), lattice_value(i + 1, j, k), x),
        wp.lerp(lattice_value(i, j + 1, k), lattice_value(i + 1, j + 1, k), x),
        y,
    )
    high = wp.lerp(
        wp.lerp(lattice_value(i, j, k + 1), lattice_value(i + 1, j, k + 1), x),
        wp.lerp(lattice_value(i, j + 1, k + 1), lattice_value(i + 1, j + 1, k + 1), x),
        y,
    )
    return wp.lerp(low, high, z)


@wp.func
def fractal(p: wp.vec3, width: float):
    """Sum octaves of noise about 0, leaving out those finer than the width."""
    total = float(0.0)
    weight = float(1.0)
    frequency = float(1.0)
    octave = int(0)
    while octave < 5 and width * frequency < 0.8:
        fade = wp.clamp(2.0 - 2.5 * width * frequency, 0.0, 1.0)
        total += fade * weight * (value_noise(p * frequency + wp.vec3(float(octave) * 17.0)) - 0.5)
        weight *= 0.55
        frequency *= 2.03
        octave += 1
    return total


@wp.func
def layered_noise(p: wp.vec3, width: float, octaves: int, gain: float, ridged: int):
    """Sum chosen layers of noise about 0, leaving out those finer than the width; ridged ones are folded.

    Source: F. K. Musgrave, in D. Ebert et al., "Texturing and Modeling", 3rd ed. (2003), chapter 16 (ridges).
    """
    total = float(0.0)
    weight = float(1.0)
    frequency = float(1.0)
    octave = int(0)
    while octave < octaves and width * frequency < 0.8:
        fade = wp.clamp(2.0 - 2.5 * width * frequency, 0.0, 1.0)
        value = value_noise(p * frequency + wp.vec3(float(octave) * 17.0)) - 0.5
        if ridged != 0:
            value = 0.32 - 2.0 * wp.abs(value)
        total += fade * weight * value
        weight *= gain
        frequency *= 2.03
        octave += 1
    return total
