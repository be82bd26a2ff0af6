"""Surface points made ready for shading: positions, smooth normals, materials, textures."""

import warp as wp

from simfactory.rendering.kernels.look import Look
from simfactory.rendering.kernels.options import OPTIONS
from simfactory.rendering.kernels.textures import PLAIN, texture_mix
from simfactory.rendering.kernels.world import CONVEX, DEFORMING, GROUND_PLANE, Hit, Point, World, corner, intersect

__all__ = ["Spot", "find_spot", "is_textured", "pattern_factor", "surface_pattern"]

wp.set_module_options(OPTIONS)


@wp.struct
class Spot:
    """A surface point, ready to be lit; world frame."""

    position: wp.vec3
    toward_eye: wp.vec3
    normal: wp.vec3  # for shading, facing the eye
    face: wp.vec3  # geometric, facing the eye
    base: wp.vec3
    roughness: wp.float32
    metallic: wp.float32
    transmission: wp.float32
    refractive_index: wp.float32
    item: wp.int32
    skip: wp.int32  # item that cannot shadow this point; -1 = none
    fade: wp.float32  # share of the horizon's light instead of the surface's
    curvature: wp.float32  # of the smooth surface [1/m]
    leaving: wp.int32  # whether the ray came from behind the surface


@wp.func
def horizontal_fade(look: Look, environment: int, position: wp.vec3):
    """Return how far a ground point has faded into the horizon, 0–1."""
    start = look.sceneries[environment].fade_start
    end = look.sceneries[environment].fade_end
    radius = wp.sqrt(position[0] * position[0] + position[1] * position[1])
    x = wp.clamp((radius - start) / (end - start), 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


@wp.func
def texture_point(world: World, look: Look, item: int, triangle: int, local: wp.vec3, b0: float, b1: float):
    """Return where a surface point is at rest, which is where its texture is read."""
    at = local
    if (world.instances[item].flags & DEFORMING) != 0:
        index = world.instances[item].first_index + 3 * triangle
        rest = world.instances[item].first_rest
        at = (
            look.rest[rest + world.indices[index]] * b0
            + look.rest[rest + world.indices[index + 1]] * b1
            + look.rest[rest + world.indices[index + 2]] * (1.0 - b0 - b1)
        )
    return at


@wp.func
def surface_color(look: Look, item: int, position: wp.vec3, footprint: wp.vec3):
    """Return the base colour at a local rest position."""
    color = look.materials[item].base
    kind = look.materials[item].texture
    if kind != PLAIN:
        period = look.materials[item].period
        mix = texture_mix(kind, period, look.materials[item].offset, position, footprint)
        color = wp.lerp(color, look.materials[item].second, mix)
    return color


@wp.func
def pixel_footprint(direction: wp.vec3, normal: wp.vec3, spread: float):
    """Return the extents along the axes of the patch that a ray of some width covers on a plane."""
    across = wp.cross(normal, direction)
    length = wp.length(across)
    if length > 1.0e-4:
        across = across / length
    along = wp.cross(normal, across)
    stretch = spread / wp.max(wp.abs(wp.dot(normal, direction)), 0.02)
    x = across[0] * across[0] * spread * spread + along[0] * along[0] * stretch * stretch
    y = across[1] * across[1] * spread * spread + along[1] * along[1] * stretch * stretch
    z = across[2] * across[2] * spread * spread + along[2] * along[2] * stretch * stretch
    return wp.vec3(wp.sqrt(x), wp.sqrt(y), wp.sqrt(z))


@wp.func
def textured_color(world: World, look: Look, hit: Hit, point: Point, ray: wp.vec3, spread: float):
    """Return the base colour where a ray (unit, local) of some width meets a triangle."""
    b0 = float(point.b0)
    at = texture_point(world, look, hit.item, hit.triangle, wp.vec3(point.local), b0, float(point.b1))
    return surface_color(look, hit.item, at, pixel_footprint(ray, wp.vec3(point.normal), spread))


@wp.func
def bend(world: World, item: int, triangle: int):
    """Return how much the smooth normal of a triangle turns along its first edge [1/m]."""
    index = world.instances[item].first_normal + 3 * triangle
    turn = wp.length(world.normals[index + 1] - world.normals[index])
    return turn / wp.max(float(wp.length(corner(world, item, triangle, 1) - corner(world, item, triangle, 0))), 1.0e-6)


@wp.func
def find_spot(
    world: World,
    look: Look,
    environment: int,
    hit: Hit,
    origin: wp.vec3d,
    direction: wp.vec3d,
    width: float,
    angle: float,
):
    """Gather what shading needs to know about a hit by a ray that starts with a width [m] and widens by an angle."""
    item = hit.item
    point = intersect(world, item, hit.triangle, origin, direction)
    spread = width + angle * float(point.distance)
    rotation = world.instances[item].rotation
    index = world.instances[item].first_normal + 3 * hit.triangle
    b0 = float(point.b0)
    b1 = float(point.b1)
    smooth = world.normals[index] * b0 + world.normals[index + 1] * b1 + world.normals[index + 2] * (1.0 - b0 - b1)
    ray = wp.normalize(wp.vec3(direction @ rotation))
    face = wp.vec3(point.normal)
    spot = Spot()
    spot.leaving = 0
    if wp.dot(face, ray) > 0.0:
        face = -face
        smooth = -smooth
        spot.leaving = 1
    spot.base = textured_color(world, look, hit, point, ray, spread)
    # A smooth normal may lean away from the eye near the outline: bend it back.
    lean = wp.dot(smooth, ray)
    if lean > -0.02:
        smooth = smooth - ray * (lean + 0.02)
    spot.normal = wp.normalize(wp.vec3(rotation @ wp.vec3d(smooth)))
    spot.face = wp.vec3(rotation @ wp.vec3d(face))
    spot.position = wp.vec3(origin + direction * point.distance)
    spot.toward_eye = -wp.normalize(wp.vec3(direction))
    spot.roughness = look.materials[item].roughness
    spot.metallic = look.materials[item].metallic
    spot.transmission = look.materials[item].transmission
    spot.refractive_index = look.materials[item].refractive_index
    spot.item = item
    spot.curvature = 0.0
    if spot.roughness < 0.35 or spot.transmission > 0.0:
        spot.curvature = bend(world, item, hit.triangle)
    spot.skip = -1
    spot.fade = 0.0
    if (world.instances[item].flags & CONVEX) != 0:
        spot.skip = item
    if (world.instances[item].flags & GROUND_PLANE) != 0:
        spot.fade = horizontal_fade(look, environment, spot.position)
    return spot


@wp.func
def pattern_factor(look: Look, item: int, color: wp.vec3):
    """Return a colour over the mean colour of an item's texture."""
    factor = wp.vec3(1.0, 1.0, 1.0)
    if look.materials[item].texture != PLAIN:
        mean = (look.materials[item].base + look.materials[item].second) * 0.5
        little = wp.vec3(0.02, 0.02, 0.02)
        factor = wp.cw_div(color + little, mean + little)
    return factor


@wp.func
def is_textured(look: Look, item: int):
    """Return whether an item has a texture; the sky has none."""
    textured = bool(False)
    if item >= 0:
        textured = look.materials[item].texture != PLAIN
    return textured


@wp.func
def surface_pattern(world: World, look: Look, hit: Hit, origin: wp.vec3d, direction: wp.vec3d, angle: float):
    """Return the texture's factor at a hit, without lighting it."""
    point = intersect(world, hit.item, hit.triangle, origin, direction)
    ray = wp.normalize(wp.vec3(direction @ world.instances[hit.item].rotation))
    color = textured_color(world, look, hit, point, ray, angle * float(point.distance))
    return pattern_factor(look, hit.item, color)
