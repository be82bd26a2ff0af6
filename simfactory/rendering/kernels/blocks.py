"""Blocks of pixels that share paths: their light, textures taken out, is followed once and spread over their pixels."""

import warp as wp

from simfactory.rendering.kernels.draws import draw_pair, pixel_key
from simfactory.rendering.kernels.eye import brightest
from simfactory.rendering.kernels.film import Centers, Film, Run, lens_ray, offset_in_pixel, plan_pixel
from simfactory.rendering.kernels.legs import STRAIGHT, distant_light
from simfactory.rendering.kernels.look import Lens, Look
from simfactory.rendering.kernels.options import OPTIONS
from simfactory.rendering.kernels.paths import First, path_light
from simfactory.rendering.kernels.reflectance import environment_reflectance
from simfactory.rendering.kernels.shade import FAR, ambient_light, reflectance_at_normal
from simfactory.rendering.kernels.skylight import ambient_irradiance
from simfactory.rendering.kernels.spots import Spot, find_spot
from simfactory.rendering.kernels.world import World, closest_hit

__all__ = ["EDGE", "MARGIN", "ROUGH", "Blocks", "expose_blocks", "spread_blocks"]

wp.set_module_options(OPTIONS)

EDGE = wp.constant(2)  # of a block [px]
ROUGH = wp.constant(0.45)  # roughness from which on a relief is seen by what light it scatters, not by its highlights
MARGIN = wp.constant(8)  # about what no block can show; within it the two ways give way to each other [px]


@wp.struct
class Blocks:
    """What is gathered, `(tile, row, column)` of blocks."""

    light: wp.array3d(dtype=wp.vec3)
    albedo: wp.array3d(dtype=wp.vec3)
    normal: wp.array3d(dtype=wp.vec3)  # without relief
    vector: wp.array3d(dtype=wp.vec3)  # light vector of lamps
    share: wp.array3d(dtype=wp.vec3)  # of light that arrives evenly: what is returned
    pixel: wp.array3d(dtype=wp.int32)  # which of its pixels was followed, counted row by row; -1 = none


@wp.func
def depth_in_box(box: wp.vec4i, rows: int, columns: int, row: int, column: int):
    """Return how deep a pixel lies in a box [px], 0 outside; sides on the picture's border do not count."""
    depth = int(MARGIN)
    if box[0] > 0:
        depth = wp.min(depth, row - box[0] + 1)
    if box[1] < rows:
        depth = wp.min(depth, box[1] - row)
    if box[2] > 0:
        depth = wp.min(depth, column - box[2] + 1)
    if box[3] < columns:
        depth = wp.min(depth, box[3] - column)
    if box[1] <= box[0]:
        depth = 0
    return wp.max(depth, 0)


@wp.func
def is_shared(look: Look, item: int):
    """Return whether an item's light changes slowly over the picture: no mirror, no glass, no relief that glints."""
    shared = bool(False)
    if item >= 0:
        shared = look.materials[item].transmission <= 0.05
        if look.materials[item].relief >= 0:
            shared = shared and look.materials[item].metallic <= 0.5 and look.materials[item].roughness >= ROUGH
        if look.materials[item].metallic > 0.5 and look.materials[item].roughness < look.mirror_roughness:
            shared = False
    return shared


@wp.func
def returned_share(spot: Spot, base: wp.vec3):
    """Return what share of the light that arrives evenly a spot would return without relief and of some base colour."""
    spot.base = base
    reflected = environment_reflectance(
        reflectance_at_normal(spot), spot.roughness, wp.max(wp.dot(spot.even, spot.toward_eye), 0.02)
    )
    white = wp.vec3(1.0, 1.0, 1.0)
    body = base * ((1.0 - spot.metallic) * (1.0 - spot.transmission))
    return wp.cw_mul(white - reflected, body) + reflected * 0.35 + wp.vec3(0.005, 0.005, 0.005)


@wp.func
def plain_light(world: World, look: Look, environment: int, first: First, origin: wp.vec3d, direction: wp.vec3d):
    """Return light without paths, with its guides: where no path is followed, neighbours must not see black."""
    along = wp.normalize(wp.vec3(direction))
    light = wp.vec3(0.0, 0.0, 0.0)
    albedo = wp.vec3(1.0, 1.0, 1.0)
    facing = wp.vec3(0.0, 0.0, 0.0)
    if first.hit.item < 0:
        light = distant_light(look, environment, along, STRAIGHT)
    else:
        spot = find_spot(world, look, environment, first.hit, origin, wp.vec3d(along), 0.0, 0.0, 1, first.base)
        light = ambient_light(world, look, environment, world.roots[environment], spot, 1.0)
        albedo = first.base
        facing = spot.normal
    return light, albedo, facing


@wp.kernel
def expose_blocks(
    world: World,
    look: Look,
    environments: wp.array(dtype=wp.int32),
    seeds: wp.array(dtype=wp.int32),
    lenses: wp.array(dtype=Lens),
    camera_to_world: wp.array(dtype=wp.mat44d),
    centers: Centers,
    run: Run,
    blocks: Blocks,
):
    """Follow the paths of every block of every tile: from the centre of its first pixel whose light may be shared.

    Deep in a tile's box of `run` none are needed.
    """
    tile, i, j = wp.tid()
    inside = depth_in_box(run.boxes[tile], centers.item.shape[1], centers.item.shape[2], EDGE * i, EDGE * j)
    if inside >= MARGIN:
        return
    chosen = int(-1)
    for k in range(EDGE * EDGE):
        r = EDGE * i + k // EDGE
        c = EDGE * j + k % EDGE
        if chosen < 0 and r < centers.item.shape[1] and c < centers.item.shape[2]:
            if is_shared(look, centers.item[tile, r, c]):
                chosen = k
    blocks.pixel[tile, i, j] = chosen
    row = EDGE * i + wp.max(chosen, 0) // EDGE
    column = EDGE * j + wp.max(chosen, 0) % EDGE
    first = First()
    first.known = 3
    first.hit.item = centers.item[tile, row, column]
    first.hit.triangle = centers.triangle[tile, row, column]
    if first.hit.item >= 0:
        first.base = look.materials[first.hit.item].mean
    lens = lenses[tile]
    middle = wp.vec2(0.5, 0.5)
    origin, direction = lens_ray(camera_to_world[tile], lens, middle, middle, row, column)
    angle = look.filter_width / float(lens.pinhole[0])
    light = wp.vec3(0.0, 0.0, 0.0)
    albedo = wp.vec3(0.0, 0.0, 0.0)
    facing = wp.vec3(0.0, 0.0, 0.0)
    vector = wp.vec3(0.0, 0.0, 0.0)
    count = look.block_samples
    if chosen < 0:
        count = 1
        light, albedo, facing = plain_light(world, look, environments[tile], first, origin, direction)
    else:
        key = pixel_key(seeds[tile], row, column)
        along = wp.vec3d(wp.normalize(wp.vec3(direction)))
        first.spot = find_spot(world, look, environments[tile], first.hit, origin, along, 0.0, angle, 1, first.base)
        first.spot.normal = first.spot.even
        share = wp.lerp(returned_share(first.spot, first.base), wp.vec3(1.0, 1.0, 1.0), first.spot.fade)
        blocks.share[tile, i, j] = share
        for sample in range(count):
            seen = path_light(world, look, environments[tile], key, sample, origin, direction, angle, first)
            limit = look.brightest / wp.max(brightest(seen.light), look.brightest)
            light += seen.light * limit
            albedo += wp.min(seen.albedo, wp.vec3(1.0, 1.0, 1.0))
            facing += seen.normal
            vector += seen.vector * limit
    weight = 1.0 / float(count)
    blocks.light[tile, i, j] = light * weight
    blocks.albedo[tile, i, j] = albedo * weight
    blocks.normal[tile, i, j] = facing * weight
    blocks.vector[tile, i, j] = vector * weight


@wp.func
def lent_light(blocks: Blocks, centers: Centers, tile: int, item: int, normal: wp.vec3, v: float, u: float):
    """Return the light at a raster point (row v, column u) of an item, and its light vector, from the blocks about it.

    The light is negative if none fits.

    Blocks count by their distance and by how much they face the same way; around a sharp bend, any way.
    """
    i = int(v) // EDGE
    j = int(u) // EDGE
    alike = wp.vec3(0.0, 0.0, 0.0)
    alike_weight = float(0.0)
    vector = wp.vec3(0.0, 0.0, 0.0)
    any_way = wp.vec3(0.0, 0.0, 0.0)
    any_weight = float(0.0)
    for k in range(9):
        r = i + k // 3 - 1
        c = j + k % 3 - 1
        if r >= 0 and c >= 0 and r < blocks.pixel.shape[1] and c < blocks.pixel.shape[2]:
            pixel = blocks.pixel[tile, r, c]
            if pixel >= 0:
                row = EDGE * r + pixel // EDGE
                column = EDGE * c + pixel % EDGE
                down = wp.max(float(EDGE) - wp.abs(float(row) + 0.5 - v), 0.0)
                weight = down * wp.max(float(EDGE) - wp.abs(float(column) + 0.5 - u), 0.0)
                if weight > 0.0 and centers.item[tile, row, column] == item:
                    facing = blocks.normal[tile, r, c]
                    length = wp.length(facing)
                    lean = float(1.0)
                    if length > 1.0e-3:  # less where a far ground has faded
                        lean = wp.max(wp.dot(facing, normal) / length, 0.0)
                    lean = lean * lean
                    lean = lean * lean
                    lean = lean * lean
                    light = wp.cw_div(blocks.light[tile, r, c], blocks.share[tile, r, c])
                    any_way += light * weight
                    vector += blocks.vector[tile, r, c] * weight
                    any_weight += weight
                    alike += light * (weight * lean)
                    alike_weight += weight * lean
    result = wp.vec3(-1.0, -1.0, -1.0)
    if alike_weight > 0.05:
        result = alike / alike_weight
    elif any_weight > 0.0:
        result = any_way / any_weight
    return result, vector / wp.max(any_weight, 1.0e-6)


@wp.func
def relief_share(look: Look, environment: int, spot: Spot, light: wp.vec3, vector: wp.vec3):
    """Return the light of a surface in relief over that without, from the light and the light vector of lamps without.

    What comes from no lamp is taken to arrive as from the surroundings unhidden.
    """
    total = wp.max(light[0] + light[1] + light[2], 1.0e-6)
    plain = wp.max(wp.dot(vector, spot.even) / total, 0.0)
    bent = wp.max(wp.dot(vector, spot.normal) / total, 0.0)
    if plain > 1.0:  # the light is denoised, its vector is not
        bent = bent / plain
        plain = 1.0
    around = ambient_irradiance(look, environment, spot.position, spot.normal)
    before = ambient_irradiance(look, environment, spot.position, spot.even)
    turned = (around[0] + around[1] + around[2]) / wp.max(before[0] + before[1] + before[2], 1.0e-6)
    return bent + (1.0 - plain) * turned


@wp.func
def shared_light(
    world: World,
    look: Look,
    environment: int,
    blocks: Blocks,
    centers: Centers,
    tile: int,
    first: First,
    origin: wp.vec3d,
    direction: wp.vec3d,
    angle: float,
    place: wp.vec2,
):
    """Return what a camera ray brings if no path needs to be followed for it, else something negative."""
    item = first.hit.item
    along = wp.normalize(wp.vec3(direction))
    received = wp.vec3(-1.0, -1.0, -1.0)
    if item < 0:
        received = distant_light(look, environment, along, STRAIGHT)
    elif is_shared(look, item):
        known = int(0)
        if first.known == 2:
            known = 1
        spot = find_spot(world, look, environment, first.hit, origin, wp.vec3d(along), 0.0, angle, known, first.base)
        light, vector = lent_light(blocks, centers, tile, item, spot.even, place[1], place[0])
        if light[0] >= 0.0:
            if look.materials[item].relief >= 0:
                before = wp.cw_mul(light, returned_share(spot, look.materials[item].mean))
                share = relief_share(look, environment, spot, before, vector)
                light = light * wp.lerp(share, 1.0, spot.fade)
            pattern = returned_share(spot, spot.base)
            received = wp.cw_mul(light, wp.lerp(pattern, wp.vec3(1.0, 1.0, 1.0), spot.fade))
    return received


@wp.kernel
def spread_blocks(
    world: World,
    look: Look,
    environments: wp.array(dtype=wp.int32),
    seeds: wp.array(dtype=wp.int32),
    lenses: wp.array(dtype=Lens),
    camera_to_world: wp.array(dtype=wp.mat44d),
    centers: Centers,
    run: Run,
    blocks: Blocks,
    film: Film,
):
    """Put the blocks' light on the film about the boxes of `run`, with textures and smooth outlines.

    Where no block about a pixel sees what it sees, paths are followed.
    """
    tile, row, column = wp.tid()
    inside = depth_in_box(run.boxes[tile], centers.item.shape[1], centers.item.shape[2], row, column)
    if inside >= MARGIN // 2:
        return
    pose = camera_to_world[tile]
    lens = lenses[tile]
    key = pixel_key(seeds[tile], row, column)
    plan = plan_pixel(world, look, key, pose, lens, centers, run, tile, row, column)
    angle = look.filter_width / float(lens.pinhole[0])
    light = wp.vec3(0.0, 0.0, 0.0)
    for sample in range(plan.samples):
        place = wp.vec2(0.5, 0.5)
        if plan.samples > 1:
            place = offset_in_pixel(look, key, sample, 0)
        origin, direction = lens_ray(pose, lens, place, draw_pair(look, key, sample, 2), row, column)
        first = plan.first
        if first.known == 0:
            first.hit = closest_hit(world, world.roots[environments[tile]], origin, direction, FAR)
            first.known = 1
        raster = wp.vec2(float(column), float(row)) + place
        received = shared_light(
            world, look, environments[tile], blocks, centers, tile, first, origin, direction, angle, raster
        )
        if received[0] < 0.0:
            seen = path_light(world, look, environments[tile], key, sample, origin, direction, angle, first)
            received = seen.light * (look.brightest / wp.max(brightest(seen.light), look.brightest))
        light += received
    share = wp.float32(inside) / wp.float32(MARGIN // 2)
    if inside > 0:
        light = wp.lerp(light / float(plan.samples), film.light[tile, row, column], share)
    else:
        light = light / float(plan.samples)
    film.light[tile, row, column] = light
