"""Light from the sky and its shadowing: radiance, irradiance, ambient occlusion, rooms."""

import warp as wp

from simfactory.rendering.kernels.distant import map_radiance, smooth_map_radiance
from simfactory.rendering.kernels.lobes import cosine_direction
from simfactory.rendering.kernels.look import Look
from simfactory.rendering.kernels.options import OPTIONS
from simfactory.rendering.kernels.world import OCCLUDER, World

__all__ = [
    "ambient_irradiance",
    "ambient_visibility",
    "background",
    "even_irradiance",
    "even_radiance",
    "sky_radiance",
    "sun_glow",
    "tabulate_even_irradiance",
]

wp.set_module_options(OPTIONS)

PI = wp.constant(3.14159265)
TWO_PI = wp.constant(6.2831853)
EVEN = wp.constant(0.25)  # roughness whose blur takes the details away
FIXED_POINT = wp.constant(1048576.0)  # sums over instances are kept in integers: their order must not matter


@wp.func
def sun_frame(look: Look, environment: int, direction: wp.vec3):
    """Turn a direction about the vertical so that the sun's azimuth is the x axis."""
    sun = look.sceneries[environment].sun
    length = wp.sqrt(sun[0] * sun[0] + sun[1] * sun[1])
    c = float(1.0)
    s = float(0.0)
    if length > 1.0e-6:
        c = sun[0] / length
        s = sun[1] / length
    return wp.vec3(direction[0] * c + direction[1] * s, direction[1] * c - direction[0] * s, direction[2])


@wp.func
def sky_texel(look: Look, environment: int, level: int, row: int, column: int, y: float, x: float):
    """Interpolate one level of the table."""
    low = wp.lerp(look.sky[environment, level, row, column], look.sky[environment, level, row, column + 1], x)
    high = wp.lerp(look.sky[environment, level, row + 1, column], look.sky[environment, level, row + 1, column + 1], x)
    return wp.lerp(low, high, y)


@wp.func
def sky_radiance(look: Look, environment: int, direction: wp.vec3, roughness: float):
    """Look a unit direction up in the sky table or map, blurred as a surface of this roughness mirrors it."""
    if look.distant.maps[environment].used != 0:
        return map_radiance(look.distant, environment, direction, roughness)
    turned = sun_frame(look, environment, direction)
    ring = wp.max(wp.sqrt(turned[0] * turned[0] + turned[1] * turned[1]), 1.0e-6)
    height = wp.clamp(turned[2], -1.0, 1.0)
    v = (0.5 + 0.5 * wp.sign(height) * wp.sqrt(wp.abs(height))) * float(look.sky.shape[2] - 1)
    u = wp.sqrt(wp.max(0.5 - 0.5 * turned[0] / ring, 0.0)) * float(look.sky.shape[3] - 1)
    row = wp.clamp(int(v), 0, look.sky.shape[2] - 2)
    column = wp.clamp(int(u), 0, look.sky.shape[3] - 2)
    y = v - float(row)
    x = u - float(column)
    place = roughness * float(look.sky.shape[1] - 1)
    level = wp.clamp(int(place), 0, look.sky.shape[1] - 2)
    blend = place - float(level)
    light = sky_texel(look, environment, level, row, column, y, x)
    if blend > 0.0:
        light = wp.lerp(light, sky_texel(look, environment, level + 1, row, column, y, x), blend)
    return light


@wp.func
def sun_glow(look: Look, environment: int, direction: wp.vec3):
    """Return the brightness about the sun's disk, and the disk's own, over `Scenery.sun_glow`."""
    away = 1.0 - wp.dot(direction, look.sceneries[environment].sun)
    glow = 0.012 * wp.exp(-away * 60.0) + 0.08 * wp.exp(-away * 900.0)
    disk = float(0.0)
    if away < 2.5e-5:  # a little larger than the real one's 0.27 degrees
        disk = 6.0
    above = wp.clamp(direction[2] * 60.0 + 0.5, 0.0, 1.0)
    return glow * above, disk * above


@wp.func
def background(look: Look, environment: int, direction: wp.vec3):
    """Return what is seen where nothing is hit: the sky with the sun's disk and its glow."""
    light = wp.vec3(0.0, 0.0, 0.0)
    if look.distant.maps[environment].used != 0:
        light = smooth_map_radiance(look.distant, environment, direction)
    else:
        light = sky_radiance(look, environment, direction, 0.0)
    glow, disk = sun_glow(look, environment, direction)
    return light + look.sceneries[environment].sun_glow * (glow + disk)


@wp.func
def sky_irradiance(look: Look, environment: int, normal: wp.vec3):
    """Return the sky's irradiance on a surface from nine spherical harmonics.

    Source: R. Ramamoorthi, P. Hanrahan, "An efficient representation for irradiance environment maps" (2001).
    """
    n = sun_frame(look, environment, normal)
    x = n[0]
    y = n[1]
    z = n[2]
    total = look.harmonics[environment, 0] * 0.282095
    total += look.harmonics[environment, 1] * (0.488603 * y)
    total += look.harmonics[environment, 2] * (0.488603 * z)
    total += look.harmonics[environment, 3] * (0.488603 * x)
    total += look.harmonics[environment, 4] * (1.092548 * x * y)
    total += look.harmonics[environment, 5] * (1.092548 * y * z)
    total += look.harmonics[environment, 6] * (0.315392 * (3.0 * z * z - 1.0))
    total += look.harmonics[environment, 7] * (1.092548 * x * z)
    total += look.harmonics[environment, 8] * (0.546274 * (x * x - y * y))
    return wp.max(total, wp.vec3(0.0, 0.0, 0.0))


@wp.func
def even_radiance(look: Look, environment: int, direction: wp.vec3):
    """Return the sky and the ground's light without their details."""
    return sky_radiance(look, environment, direction, EVEN)


@wp.func
def even_irradiance(look: Look, environment: int, normal: wp.vec3):
    """Look the irradiance of `even_radiance` on a surface up."""
    rows = look.even.shape[1]
    columns = look.even.shape[2]
    y = wp.acos(wp.clamp(normal[2], -1.0, 1.0)) / PI * float(rows - 1)
    x = (wp.atan2(normal[1], normal[0]) / TWO_PI + 1.0) * float(columns)
    row = wp.min(int(y), rows - 2)
    column = int(x)
    left = column % columns
    right = (column + 1) % columns
    across = x - float(column)
    high = wp.lerp(look.even[environment, row, left], look.even[environment, row, right], across)
    low = wp.lerp(look.even[environment, row + 1, left], look.even[environment, row + 1, right], across)
    return wp.lerp(high, low, y - float(row))


@wp.kernel
def tabulate_even_irradiance(look: Look, directions: int):
    """Fill `Look.even`: the mean of many directions, spread by cosine about each normal.

    Source: J. Hammersley, "Monte Carlo methods for solving multivariable problems" (1960).
    """
    environment, row, column = wp.tid()
    theta = PI * float(row) / float(look.even.shape[1] - 1)
    phi = TWO_PI * float(column) / float(look.even.shape[2])
    normal = wp.vec3(wp.sin(theta) * wp.cos(phi), wp.sin(theta) * wp.sin(phi), wp.cos(theta))
    total = wp.vec3(0.0, 0.0, 0.0)
    for k in range(directions):
        mirrored = float(0.0)
        place = float(0.5)
        bits = int(k)
        while bits > 0:
            mirrored += place * float(bits % 2)
            place *= 0.5
            bits = bits // 2
        u = wp.vec2((float(k) + 0.5) / float(directions), mirrored)
        total += even_radiance(look, environment, cosine_direction(normal, u))
    look.even[environment, row, column] = total * (PI / float(directions))


@wp.func
def edge_factor(a: wp.vec3, b: wp.vec3, normal: wp.vec3):
    """Return one edge's part of a polygon's form factor, times 2 pi (Lambert's formula); a and b are unit."""
    cross = wp.cross(a, b)
    sine = wp.length(cross)
    part = float(0.0)
    if sine > 1.0e-6:
        part = wp.atan2(sine, wp.dot(a, b)) / sine * wp.dot(cross, normal)
    return part


@wp.func
def room_opening(room: wp.vec3, position: wp.vec3, normal: wp.vec3):
    """Return the share of a surface's hemisphere, by cosine, that a room's open top fills (not clipped)."""
    x = 0.5 * room[0]
    y = 0.5 * room[1]
    a = wp.normalize(wp.vec3(-x, -y, room[2]) - position)
    b = wp.normalize(wp.vec3(x, -y, room[2]) - position)
    c = wp.normalize(wp.vec3(x, y, room[2]) - position)
    d = wp.normalize(wp.vec3(-x, y, room[2]) - position)
    total = edge_factor(a, b, normal) + edge_factor(b, c, normal) + edge_factor(c, d, normal)
    total += edge_factor(d, a, normal)
    return wp.clamp(total / 6.2831853, 0.0, 1.0)


@wp.func
def wall_shade(distance: float, inward: float):
    """Return how much a wall (or floor) at a distance darkens a surface that stands across it."""
    d = wp.max(distance, 0.0)
    return 1.0 - 0.35 * (1.0 - wp.abs(inward)) * (1.0 - d / wp.sqrt(d * d + 0.25))


@wp.func
def ambient_irradiance(look: Look, environment: int, position: wp.vec3, normal: wp.vec3):
    """Return the irradiance that comes from no light in particular: sky, and the walls of a room."""
    light = sky_irradiance(look, environment, normal)
    room = look.sceneries[environment].room
    if room[2] > 0.0:
        opening = float(0.0)
        if look.sceneries[environment].room_open != 0:
            opening = room_opening(room, position, normal)
        light = light * opening + look.sceneries[environment].room_light * (1.0 - opening)
        light = light * (
            wall_shade(0.5 * room[0] - wp.abs(position[0]), normal[0])
            * wall_shade(0.5 * room[1] - wp.abs(position[1]), normal[1])
            * wall_shade(position[2], normal[2])
        )
    return light


@wp.func
def hidden_share(world: World, item: int, position: wp.vec3, normal: wp.vec3, reach: float):
    """Return the share of a surface's hemisphere that a neighbour hides, its bounding box taken for an ellipsoid.

    In the space where the ellipsoid is a unit ball at distance d, the share is about cos(angle) / d².
    """
    rotation = world.instances[item].rotation
    half = world.instances[item].proxy_half
    local = (
        wp.vec3((wp.vec3d(position) - world.instances[item].position) @ rotation) - world.instances[item].proxy_center
    )
    side = wp.vec3(wp.vec3d(normal) @ rotation)
    ball = wp.cw_div(local, half)
    distance = wp.max(wp.length(ball), 1.0)
    facing = wp.normalize(wp.cw_mul(side, half))
    cosine = -wp.dot(facing, ball) / distance
    share = wp.max(0.15 + 0.85 * cosine, 0.0) / (distance * distance)
    outside = wp.length(wp.max(wp.abs(local) - half, wp.vec3(0.0, 0.0, 0.0)))
    fade = wp.clamp(1.0 - outside / reach, 0.0, 1.0)
    return wp.min(share * world.instances[item].proxy_gain * fade * fade, 0.9)


@wp.func
def ambient_visibility(world: World, root: int, position: wp.vec3, normal: wp.vec3, item: int, reach: float):
    """Return the share of the ambient light that neighbouring bodies leave, 0–1."""
    margin = wp.vec3(reach, reach, reach)
    other = int(0)
    total = int(0)
    query = wp.bvh_query_aabb(world.tree, position - margin, position + margin, root)
    while wp.bvh_query_next(query, other):
        if other != item and (world.instances[other].flags & OCCLUDER) != 0:
            share = hidden_share(world, other, position, normal, reach)
            total += int(FIXED_POINT * -wp.log(1.0 - share))
    return wp.exp(-float(total) / FIXED_POINT)
