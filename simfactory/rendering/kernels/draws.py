"""Random numbers of paths: a function of pixel, sample and dimension alone, well spread over a pixel's samples."""

import warp as wp

from simfactory.rendering.kernels.look import Look
from simfactory.rendering.kernels.options import OPTIONS

__all__ = ["draw", "draw_pair", "pixel_key"]

wp.set_module_options(OPTIONS)


@wp.func
def mixed(value: wp.uint32):
    """Hash 32 bits.

    Source: M. Jarzynski, M. Olano, "Hash functions for GPU rendering", J. Computer Graphics Techniques (2020): PCG.
    """
    state = value * wp.uint32(747796405) + ~wp.uint32(1403630842)
    word = ((state >> ((state >> wp.uint32(28)) + wp.uint32(4))) ^ state) * wp.uint32(277803737)
    return (word >> wp.uint32(22)) ^ word


@wp.func
def pixel_key(seed: int, row: int, column: int):
    """Return the key of a pixel's random numbers; the seed stands for episode, camera and frame."""
    return mixed(wp.uint32(row * 65536 + column) ^ mixed(wp.uint32(seed)))


@wp.func
def draw(look: Look, key: wp.uint32, sample: int, dimension: int):
    """Return a number in [0, 1): uniform over pixels, evenly spread over the samples of one pixel.

    The samples of a dimension are a Kronecker sequence, shifted at random from pixel to pixel.

    Source: R. Cranley, T. Patterson, "Randomization of number theoretic methods for multiple integration" (1976).
    """
    word = mixed(key ^ mixed(wp.uint32(dimension)))
    if dimension < look.strides.shape[0]:
        word = word + look.strides[dimension] * wp.uint32(sample)
    else:
        word = mixed(word ^ mixed(wp.uint32(sample)))
    return float(word >> wp.uint32(8)) * 5.9604645e-08


@wp.func
def draw_pair(look: Look, key: wp.uint32, sample: int, dimension: int):
    """Return the numbers of a dimension and of the next one."""
    return wp.vec2(draw(look, key, sample, dimension), draw(look, key, sample, dimension + 1))
