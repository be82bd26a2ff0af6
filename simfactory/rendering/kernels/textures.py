"""Solid procedural textures, filtered over a pixel's footprint."""

import warp as wp

from simfactory.rendering.kernels.options import OPTIONS

__all__ = ["CHECKER", "MARBLE", "NOISE", "PLAIN", "PLANKS", "STRIPES", "WOOD", "texture_mix"]

wp.set_module_options(OPTIONS)

PLAIN = wp.constant(0)
CHECKER = wp.constant(1)
STRIPES = wp.constant(2)
NOISE = wp.constant(3)
MARBLE = wp.constant(4)
WOOD = wp.constant(5)
PLANKS = wp.constant(6)  # wood of floors and walls: boards cut along the grain

BOARD = wp.constant(5.0)  # width of a board [ring periods]
BOARD_LENGTH = wp.constant(40.0)


@wp.func
def square_integral(x: float):
    """Integrate the square wave that is +1 on [0, ½) and -1 on [½, 1), period 1."""
    phase = x - wp.floor(x)
    return 0.5 - wp.abs(phase - 0.5)


@wp.func
def square_wave(x: float, width: float):
    """Return the square wave's mean over a width about x."""
    w = wp.max(width, 1.0e-4)
    value = (square_integral(x + 0.5 * w) - square_integral(x - 0.5 * w)) / w
    # Where many periods fall into the width the box filter still rings.
    return value * wp.clamp(2.0 - w, 0.0, 1.0)


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
def marble(p: wp.vec3, width: float):
    """Return sine veins displaced by noise."""
    vein = 0.5 + 0.5 * wp.sin(6.2831853 * (p[0] + 0.6 * p[1] + 1.6 * fractal(p, width)))
    return wp.lerp(vein * vein, 0.375, wp.clamp(1.5 * width - 0.5, 0.0, 1.0))


@wp.func
def rings(radius: float, width: float):
    """Return year rings: slowly darker, then quickly light again."""
    ring = radius - wp.floor(radius)
    grain = ring * wp.clamp((1.0 - ring) * 6.0, 0.0, 1.0)
    return wp.lerp(grain, 0.42, wp.clamp(1.5 * width - 0.5, 0.0, 1.0))


@wp.func
def wood(p: wp.vec3, width: float):
    """Return rings about local z displaced by noise."""
    return rings(wp.length(wp.vec2(p[0], p[1])) + 0.35 * fractal(p, width) + 0.05 * p[2], width)


@wp.func
def planks(p: wp.vec3, w: wp.vec3, width: float):
    """Return boards along x, each cut elsewhere from a trunk, with dark joints."""
    across = (p[1] + p[2]) / BOARD
    board = int(wp.floor(across))
    along = p[0] / BOARD_LENGTH + lattice_value(board, 7, 1)
    number = int(wp.floor(along))
    heart = wp.vec2(4.0 * lattice_value(board, number, 2) + 1.0, BOARD * (lattice_value(board, number, 3) - 0.5))
    y = (across - float(board) - 0.5) * BOARD
    grain = fractal(wp.vec3(0.06 * p[0] + 9.0 * lattice_value(board, number, 4), y, heart[0]), width)
    shade = rings(wp.length(wp.vec2(heart[0], y - heart[1])) + 0.8 * grain, width)
    tone = 0.35 * (lattice_value(board, number, 5) - 0.5)
    side = wp.min(across - float(board), 1.0 - across + float(board)) * BOARD
    end = wp.min(along - float(number), 1.0 - along + float(number)) * BOARD_LENGTH
    joint = 0.5 * wp.clamp(1.0 - (side - 0.04) / wp.max(w[1] + w[2], 0.03), 0.0, 1.0)
    joint = wp.max(joint, 0.5 * wp.clamp(1.0 - (end - 0.04) / wp.max(w[0], 0.03), 0.0, 1.0))
    return 0.1 + 0.6 * shade + tone + joint / (1.0 + width)


@wp.func
def texture_mix(kind: int, period: float, offset: wp.vec3, position: wp.vec3, footprint: wp.vec3):
    """Return the share of the second colour, 0–1, at a local position.

    Args:
        kind: Which pattern.
        period: Its period [m].
        offset: Shift of the pattern, in periods: no cell border coincides with a body's faces.
        position: Local rest position [m].
        footprint: Extent of the pixel on the surface along the local axes [m].
    """
    p = position / period + offset
    w = footprint / period
    width = wp.max(wp.max(w[0], w[1]), w[2])
    mix = float(0.0)
    if kind == CHECKER:
        mix = 0.5 - 0.5 * square_wave(p[0], w[0]) * square_wave(p[1], w[1]) * square_wave(p[2], w[2])
    elif kind == STRIPES:
        mix = 0.5 - 0.5 * square_wave(p[0], w[0])
    elif kind == NOISE:
        mix = 0.5 + 1.1 * fractal(p * 2.0, width)
    elif kind == MARBLE:
        mix = marble(p, width)
    elif kind == WOOD:
        mix = wood(p - offset, width)
    else:
        mix = planks(p, w, width)
    return wp.clamp(mix, 0.0, 1.0)
