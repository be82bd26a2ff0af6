"""Surface points made ready for shading: positions, smooth normals, materials, textures."""

import warp as wp

from simfactory.rendering.kernels.lay import Lay, charted, relief_normal, rest_corner, rougher
from simfactory.rendering.kernels.look import Look
from simfactory.rendering.kernels.options import OPTIONS
from simfactory.rendering.kernels.pictures import laid, projected
from simfactory.rendering.kernels.textures import IMAGE, PLAIN, texture_mix
from simfactory.rendering.kernels.world import CONVEX, DEFORMING, GROUND_PLANE, Hit, Point, World, corner, intersect

__all__ = [
    "Spot",
    "color_seen",
    "find_spot",
    "has_relief",
    "is_textured",
    "is_within_one",
    "pattern_factor",
    "plane_color",
    "surface_pattern",
    "texture_plane",
]

wp.set_module_options(OPTIONS)


@wp.struct
class Spot:
    """A surface point, ready to be lit; world frame."""

    position: wp.vec3
    toward_eye: wp.vec3
    normal: wp.vec3  # for shading, facing the eye
    even: wp.vec3  # the same without relief
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
def footprint_axes(direction: wp.vec3, normal: wp.vec3, spread: float):
    """Return the axes of the patch that a ray of some width covers on a plane."""
    across = wp.cross(normal, direction)
    length = wp.length(across)
    if length > 1.0e-4:
        across = across / length
    else:
        across = wp.vec3(1.0, 0.0, 0.0)
        if wp.abs(normal[0]) > 0.7:
            across = wp.vec3(0.0, 1.0, 0.0)
        across = wp.normalize(wp.cross(normal, across))
    stretch = spread / wp.max(wp.abs(wp.dot(normal, direction)), 0.02)
    return across * spread, wp.cross(normal, across) * stretch


@wp.func
def lay_of(world: World, look: Look, hit: Hit, point: Point, ray: wp.vec3, spread: float):
    """Return where the texture is read when a ray (unit, local) of some width meets a triangle."""
    item = hit.item
    b0 = float(point.b0)
    b1 = float(point.b1)
    lay = Lay()
    lay.footprint = pixel_footprint(ray, wp.vec3(point.normal), spread)
    if (world.instances[item].flags & DEFORMING) != 0:
        r0 = rest_corner(world, look, item, hit.triangle, 0)
        r1 = rest_corner(world, look, item, hit.triangle, 1)
        r2 = rest_corner(world, look, item, hit.triangle, 2)
        lay.position = r0 * b0 + r1 * b1 + r2 * (1.0 - b0 - b1)
        lay.normal = wp.normalize(wp.cross(r1 - r0, r2 - r0))
    else:
        lay.position = wp.vec3(point.local)
        lay.normal = smooth_normal(world, item, hit.triangle, b0, b1)
    if look.materials[item].first_corner >= 0:
        across, along = footprint_axes(ray, wp.vec3(point.normal), spread)
        lay = charted(world, look, item, hit.triangle, point, across, along, lay)
    return lay


@wp.func
def smooth_normal(world: World, item: int, triangle: int, b0: float, b1: float):
    """Return the interpolated normal, outward, frame of the vertices; not of unit length."""
    index = world.instances[item].first_normal + 3 * triangle
    return world.normals[index] * b0 + world.normals[index + 1] * b1 + world.normals[index + 2] * (1.0 - b0 - b1)


@wp.func
def surface_color(look: Look, item: int, lay: Lay):
    """Return the base colour where a texture is read."""
    color = look.materials[item].base
    kind = look.materials[item].texture
    if look.materials[item].first_corner >= 0:
        value = laid(look.pictures, look.materials[item].image, lay.place, lay.across, lay.along)
        color = wp.cw_mul(color, value)
    elif kind == IMAGE:
        value, _lean = projected(
            look.pictures,
            look.materials[item].image,
            look.materials[item].period,
            lay.position,
            lay.footprint,
            lay.normal,
        )
        color = wp.cw_mul(color, value)
    elif kind != PLAIN:
        mix = texture_mix(
            kind,
            look.materials[item].period,
            look.materials[item].offset,
            look.materials[item].shape,
            lay.position,
            lay.footprint,
            lay.normal,
        )
        color = wp.lerp(color, look.materials[item].second, mix)
    return color


@wp.func
def bend(world: World, item: int, triangle: int):
    """Return how much the smooth normal of a triangle turns along two of its edges, at most [1/m]."""
    index = world.instances[item].first_normal + 3 * triangle
    v0 = corner(world, item, triangle, 0)
    first = wp.length(world.normals[index + 1] - world.normals[index])
    first = first / wp.max(float(wp.length(corner(world, item, triangle, 1) - v0)), 1.0e-6)
    second = wp.length(world.normals[index + 2] - world.normals[index])
    second = second / wp.max(float(wp.length(corner(world, item, triangle, 2) - v0)), 1.0e-6)
    return wp.max(first, second)


@wp.func
def shading_normal(rotation: wp.mat33d, smooth: wp.vec3, ray: wp.vec3):
    """Return a normal (local, on the eye's side) in the world frame: bent back where it leans away from the eye."""
    lean = wp.dot(smooth, ray)
    toward = smooth
    if lean > -0.02:
        toward = smooth - ray * (lean + 0.02)
    return wp.normalize(wp.vec3(rotation @ wp.vec3d(toward)))


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
    known: int,
    base: wp.vec3,
):
    """Gather what shading needs to know about a hit by a ray that starts with a width [m] and widens by an angle.

    A base colour that is known is not read again.
    """
    item = hit.item
    relief = look.materials[item].relief >= 0
    point = intersect(world, item, hit.triangle, origin, direction)
    spread = width + angle * float(point.distance)
    rotation = world.instances[item].rotation
    smooth = smooth_normal(world, item, hit.triangle, float(point.b0), float(point.b1))
    ray = wp.normalize(wp.vec3(direction @ rotation))
    face = wp.vec3(point.normal)
    spot = Spot()
    spot.base = base
    lay = Lay()
    if relief or known == 0:
        lay = lay_of(world, look, hit, point, ray, spread)
    if known == 0:
        spot.base = surface_color(look, item, lay)
    spot.leaving = 0
    spot.roughness = look.materials[item].roughness
    side = float(1.0)
    if wp.dot(face, ray) > 0.0:
        side = -1.0
        spot.leaving = 1
    face = face * side
    spot.normal = shading_normal(rotation, smooth * side, ray)
    spot.even = spot.normal
    if relief:
        smooth, variance = relief_normal(world, look, item, hit.triangle, lay, smooth)
        spot.roughness = rougher(spot.roughness, variance)
        spot.normal = shading_normal(rotation, smooth * side, ray)
    spot.face = wp.vec3(rotation @ wp.vec3d(face))
    spot.position = wp.vec3(origin + direction * point.distance)
    spot.toward_eye = -wp.normalize(wp.vec3(direction))
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
        mean = look.materials[item].mean
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
def is_within_one(look: Look, item: int, lay: Lay):
    """Return whether a checker or stripes have one colour all over a pixel, its filter's width about it included."""
    mix = texture_mix(
        look.materials[item].texture,
        look.materials[item].period,
        look.materials[item].offset,
        look.materials[item].shape,
        lay.position,
        lay.footprint * 2.0,
        lay.normal,
    )
    return wp.abs(mix - 0.5) > 0.499


@wp.func
def has_relief(look: Look, item: int):
    """Return whether an item's light changes from pixel to pixel: it cannot be interpolated."""
    found = bool(False)
    if item >= 0:
        found = look.materials[item].relief >= 0
    return found


@wp.func
def color_seen(world: World, look: Look, hit: Hit, origin: wp.vec3d, direction: wp.vec3d, angle: float):
    """Return the base colour where a ray that widens by an angle [rad] meets a hit's plane."""
    point = intersect(world, hit.item, hit.triangle, origin, direction)
    ray = wp.normalize(wp.vec3(direction @ world.instances[hit.item].rotation))
    return surface_color(look, hit.item, lay_of(world, look, hit, point, ray, angle * float(point.distance)))


@wp.func
def surface_pattern(world: World, look: Look, hit: Hit, origin: wp.vec3d, direction: wp.vec3d, angle: float):
    """Return the texture's factor at a hit, without lighting it."""
    return pattern_factor(look, hit.item, color_seen(world, look, hit, origin, direction, angle))


@wp.struct
class TexturePlane:
    """A triangle's plane as rays through one pixel meet it."""

    point: wp.vec3d  # on it, and its normal: frame of the vertices
    normal: wp.vec3d
    start: wp.vec3d  # of the rays, same frame
    lay: Lay  # at the pixel's centre
    flat: wp.int32  # whether only the position changes within the pixel


@wp.func
def texture_plane(world: World, look: Look, hit: Hit, origin: wp.vec3d, direction: wp.vec3d, angle: float):
    """Prepare for reading a texture at several places of a pixel, given the ray through its centre."""
    item = hit.item
    rotation = world.instances[item].rotation
    point = intersect(world, item, hit.triangle, origin, direction)
    ray = wp.normalize(wp.vec3(direction @ rotation))
    plane = TexturePlane()
    plane.point = point.local
    plane.normal = point.normal
    plane.start = (origin - world.instances[item].position) @ rotation
    if (world.instances[item].flags & DEFORMING) == 0 and look.materials[item].first_corner < 0:
        plane.lay = lay_of(world, look, hit, point, ray, angle * float(point.distance))
        if wp.abs(wp.dot(wp.vec3(point.normal), ray)) > 1.0e-3:
            plane.flat = 1
    return plane


@wp.func
def plane_color(
    world: World, look: Look, hit: Hit, plane: TexturePlane, origin: wp.vec3d, direction: wp.vec3d, angle: float
):
    """Return the base colour where a ray through the pixel of a plane meets it."""
    color = wp.vec3(0.0, 0.0, 0.0)
    if plane.flat != 0:
        along = direction @ world.instances[hit.item].rotation
        distance = wp.dot(plane.point - plane.start, plane.normal) / wp.dot(along, plane.normal)
        lay = plane.lay
        lay.position = wp.vec3(plane.start + along * distance)
        color = surface_color(look, hit.item, lay)
    else:
        color = color_seen(world, look, hit, origin, direction, angle)
    return color
