"""Where a surface point's texture is read: its place, normal and footprint at rest, and reliefs laid on surfaces."""

import warp as wp

from simfactory.rendering.kernels.look import Look
from simfactory.rendering.kernels.options import OPTIONS
from simfactory.rendering.kernels.pictures import projected
from simfactory.rendering.kernels.world import DEFORMING, Point, World, corner

__all__ = ["Lay", "charted", "relief_normal", "rest_corner", "rougher"]

wp.set_module_options(OPTIONS)


@wp.struct
class Lay:
    """A surface point at rest, local frame."""

    position: wp.vec3  # [m]
    normal: wp.vec3  # unit
    footprint: wp.vec3  # extents of the pixel on the surface along the axes [m]
    place: wp.vec2  # texture coordinates; this and the rest: of items that have any
    across: wp.vec2  # axes of the pixel's footprint, in texture coordinates
    along: wp.vec2


@wp.func
def rest_corner(world: World, look: Look, item: int, triangle: int, k: int):
    """Return the k-th vertex of a deforming instance's triangle at rest."""
    index = world.indices[world.instances[item].first_index + 3 * triangle + k]
    return look.rest[world.instances[item].first_rest + index]


@wp.func
def carried(world: World, look: Look, item: int, triangle: int, lean: wp.vec3):
    """Carry a vector in a triangle's plane at rest over to where its deformed edges lie."""
    r0 = rest_corner(world, look, item, triangle, 0)
    r1 = rest_corner(world, look, item, triangle, 1) - r0
    r2 = rest_corner(world, look, item, triangle, 2) - r0
    v0 = wp.vec3(corner(world, item, triangle, 0))
    v1 = wp.vec3(corner(world, item, triangle, 1)) - v0
    v2 = wp.vec3(corner(world, item, triangle, 2)) - v0
    a = wp.dot(r1, r1)
    b = wp.dot(r1, r2)
    c = wp.dot(r2, r2)
    area = wp.max(a * c - b * b, 1.0e-20)
    x = wp.dot(lean, r1)
    y = wp.dot(lean, r2)
    return v1 * ((c * x - b * y) / area) + v2 * ((a * y - b * x) / area)


@wp.func
def charted(
    world: World, look: Look, item: int, triangle: int, point: Point, across: wp.vec3, along: wp.vec3, lay: Lay
):
    """Return a lay with texture coordinates, given the axes of the pixel's footprint on the surface as it is now [m].

    Axes in a triangle's plane become those in texture coordinates that have the same weights on its edges.
    """
    first = look.materials[item].first_corner + 3 * triangle
    t0 = look.pictures.coordinates[first]
    t1 = look.pictures.coordinates[first + 1] - t0
    t2 = look.pictures.coordinates[first + 2] - t0
    v0 = corner(world, item, triangle, 0)
    v1 = wp.vec3(corner(world, item, triangle, 1) - v0)
    v2 = wp.vec3(corner(world, item, triangle, 2) - v0)
    a = wp.dot(v1, v1)
    b = wp.dot(v1, v2)
    c = wp.dot(v2, v2)
    area = wp.max(a * c - b * b, 1.0e-20)
    first_share = t1 * (c / area) - t2 * (b / area)
    second_share = t2 * (a / area) - t1 * (b / area)
    lay.place = t0 + t1 * float(point.b1) + t2 * float(wp.float64(1.0) - point.b0 - point.b1)
    lay.across = first_share * wp.dot(across, v1) + second_share * wp.dot(across, v2)
    lay.along = first_share * wp.dot(along, v1) + second_share * wp.dot(along, v2)
    return lay


@wp.func
def relief_normal(world: World, look: Look, item: int, triangle: int, lay: Lay, normal: wp.vec3):
    """Bend an outward normal by an item's relief; returns it with the variance of slopes finer than the footprint.

    Source: M. Olano, D. Baker, "LEAN mapping" (2010), for the variance.
    """
    material = look.materials[item]
    value, lean = projected(
        look.pictures, material.relief, material.relief_period, lay.position, lay.footprint, lay.normal
    )
    variance = wp.max(value[2] - value[0] * value[0] - value[1] * value[1], 0.0)
    lean = lean - lay.normal * wp.dot(lean, lay.normal)
    if (world.instances[item].flags & DEFORMING) != 0:
        lean = carried(world, look, item, triangle, lean)
    strength = material.relief_strength
    return wp.normalize(normal + lean * strength), variance * strength * strength


@wp.func
def rougher(roughness: float, variance: float):
    """Return the roughness of a surface whose slopes vary within the footprint: variances of slopes add up.

    Source: M. Olano, D. Baker, "LEAN mapping" (2010), with α² the variance of slopes.
    """
    alpha = roughness * roughness
    return wp.sqrt(wp.sqrt(wp.min(alpha * alpha + variance, 1.0)))
