"""Solid procedural textures, filtered over a pixel's footprint."""

import warp as wp

from simfactory.rendering.kernels.grains import brushed, clouds, fabric, stone
from simfactory.rendering.kernels.noise import fractal, lattice_value
from simfactory.rendering.kernels.options import OPTIONS

__all__ = [
    "BRUSHED",
    "CHECKER",
    "FABRIC",
    "IMAGE",
    "MARBLE",
    "NOISE",
    "PLAIN",
    "PLANKS",
    "STONE",
    "STRIPES",
    "WOOD",
    "texture_mix",
]

wp.set_module_options(OPTIONS)

PLAIN = wp.constant(0)
CHECKER = wp.constant(1)
STRIPES = wp.constant(2)
NOISE = wp.constant(3)
MARBLE = wp.constant(4)
WOOD = wp.constant(5)
PLANKS = wp.constant(6)  # wood of floors and walls: boards cut along the grain
STONE = wp.constant(7)
FABRIC = wp.constant(8)
BRUSHED = wp.constant(9)
IMAGE = wp.constant(10)  # not procedural: read from a picture

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
def marble(p: wp.vec3, width: float):
    """Return sine veins displaced by noise."""
    vein = 0.5 + 0.5 * wp.sin(6.2831853 * (p[0] + 0.6 * p[1] + 1.6 * fractal(p, width)))
    return wp.lerp(vein * vein, 0.375, wp.clamp(1.6 * width - 0.3, 0.0, 1.0))


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
    tone *= wp.clamp(1.6 - 1.2 * (w[1] + w[2]) / BOARD, 0.0, 1.0)
    side = wp.min(across - float(board), 1.0 - across + float(board)) * BOARD
    end = wp.min(along - float(number), 1.0 - along + float(number)) * BOARD_LENGTH
    joint = 0.5 * wp.clamp(1.0 - (side - 0.04) / wp.max(w[1] + w[2], 0.03), 0.0, 1.0)
    joint = wp.max(joint, 0.5 * wp.clamp(1.0 - (end - 0.04) / wp.max(w[0], 0.03), 0.0, 1.0))
    return 0.1 + 0.6 * shade + tone + joint / (1.0 + width)


@wp.func
def texture_mix(
    kind: int,
    period: float,
    offset: wp.vec3,
    shape: wp.vec4,
    position: wp.vec3,
    footprint: wp.vec3,
    normal: wp.vec3,
):
    """Return the share of the second colour, 0–1, at a local position.

    Args:
        kind: Which pattern.
        period: Its period [m].
        offset: Shift of the pattern, in periods: no cell border coincides with a body's faces.
        shape: Its further parameters, see the functions.
        position: Local rest position [m].
        footprint: Extent of the pixel on the surface along the local axes [m].
        normal: Unit, local: threads lie on the surface.
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
        mix = clouds(p, width, shape)
    elif kind == MARBLE:
        mix = marble(p, width)
    elif kind == WOOD:
        mix = wood(p - offset, width)
    elif kind == PLANKS:
        if wp.abs(normal[0]) > 0.7:  # boards of a wall that faces x run along y
            p = wp.vec3(p[1], p[0], p[2])
            w = wp.vec3(w[1], w[0], w[2])
        mix = planks(p, w, width)
    elif kind == STONE:
        mix = stone(p, width, shape)
    elif kind == FABRIC:
        mix = fabric(p, w, normal, shape)
    else:
        mix = brushed(p, w, shape)
    return wp.clamp(mix, 0.0, 1.0)
