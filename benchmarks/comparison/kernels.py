"""Kernels that read the renderer's own patterns and sky, for scenes that other renderers get."""

import warp as wp

from simfactory.rendering.kernels.lay import Lay
from simfactory.rendering.kernels.look import Look
from simfactory.rendering.kernels.skylight import sky_radiance
from simfactory.rendering.kernels.spots import surface_color

__all__ = ["bake", "bake_sky"]


@wp.kernel
def bake(
    look: Look,
    item: int,
    footprint: float,
    positions: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
    colors: wp.array(dtype=wp.vec3),
):
    """Read the base colour at local positions."""
    index = wp.tid()
    lay = Lay()
    lay.position = positions[index]
    lay.normal = normals[index]
    lay.footprint = wp.vec3(footprint, footprint, footprint)
    colors[index] = surface_color(look, item, lay)


@wp.kernel
def bake_sky(look: Look, directions: wp.array(dtype=wp.vec3), radiance: wp.array(dtype=wp.vec3)):
    """Read the sky's radiance, without the sun, in directions."""
    index = wp.tid()
    radiance[index] = sky_radiance(look, 0, directions[index], 0.0)
