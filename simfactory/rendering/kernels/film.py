"""Films: light and guides gathered over the samples of every pixel, and developed for display."""

import warp as wp

from simfactory.rendering.kernels.draws import draw_pair, pixel_key
from simfactory.rendering.kernels.eye import brightest
from simfactory.rendering.kernels.lobes import disk_point
from simfactory.rendering.kernels.look import Lens, Look
from simfactory.rendering.kernels.options import OPTIONS
from simfactory.rendering.kernels.paths import path_light
from simfactory.rendering.kernels.shade import display_value
from simfactory.rendering.kernels.spots import color_seen, is_textured
from simfactory.rendering.kernels.world import Hit, World, camera_ray

__all__ = ["Film", "develop", "expose"]

wp.set_module_options(OPTIONS)


@wp.struct
class Film:
    """What is gathered, `(tile, row, column)`."""

    light: wp.array3d(dtype=wp.vec3)
    albedo: wp.array3d(dtype=wp.vec3)
    normal: wp.array3d(dtype=wp.vec3)


@wp.func
def is_outline(item: wp.array3d(dtype=wp.int32), normal: wp.array3d(dtype=wp.vec3), tile: int, row: int, column: int):
    """Return whether a neighbour's centre sees another instance, or the same around a bend."""
    own = item[tile, row, column]
    n = normal[tile, row, column]
    found = bool(False)
    for side in range(2):
        for step in range(2):
            r = wp.clamp(row + (2 * step - 1) * (1 - side), 0, item.shape[1] - 1)
            c = wp.clamp(column + (2 * step - 1) * side, 0, item.shape[2] - 1)
            if item[tile, r, c] != own or (own >= 0 and wp.dot(n, normal[tile, r, c]) < 0.8):
                found = True
    return found


@wp.func
def is_mirror(look: Look, item: int):
    """Return whether an item shows others: its light changes from path to path more than that of others."""
    showing = look.materials[item].metallic > 0.5 or look.materials[item].transmission > 0.5
    return showing and look.materials[item].roughness < look.mirror_roughness


@wp.func
def offset_in_pixel(look: Look, key: wp.uint32, sample: int, dimension: int):
    """Return the place of a sample in its pixel, 0–1.

    The second of a pair is opposite the first: what changes evenly over a pixel cancels.
    """
    place = draw_pair(look, key, sample // 2, dimension)
    if sample % 2 == 1:
        place = wp.vec2(1.0, 1.0) - place
    return place


@wp.func
def mean_color_seen(
    world: World, look: Look, key: wp.uint32, hit: Hit, pose: wp.mat44d, lens: wp.vec4d, row: int, column: int
):
    """Return the base colour of a hit's plane over a pixel: a texture needs more places than light needs paths."""
    total = wp.vec3(0.0, 0.0, 0.0)
    origin = wp.vec3d(pose[0, 3], pose[1, 3], pose[2, 3])
    for sample in range(look.texture_samples):
        place = offset_in_pixel(look, key, sample, 0)
        u = wp.float64(column) + wp.float64(place[0])
        v = wp.float64(row) + wp.float64(place[1])
        direction = camera_ray(pose, lens, u, v)
        total += color_seen(world, look, hit, origin, direction, look.filter_width / float(lens[0]))
    return total / float(look.texture_samples)


@wp.kernel
def expose(
    world: World,
    look: Look,
    environments: wp.array(dtype=wp.int32),
    seeds: wp.array(dtype=wp.int32),
    lenses: wp.array(dtype=Lens),
    camera_to_world: wp.array(dtype=wp.mat44d),
    item: wp.array3d(dtype=wp.int32),
    triangle: wp.array3d(dtype=wp.int32),
    normal: wp.array3d(dtype=wp.vec3),
    first_sample: int,
    samples: int,
    film: Film,
):
    """Follow the paths of every pixel of every tile and keep their means."""
    tile, row, column = wp.tid()
    pose = camera_to_world[tile]
    lens = lenses[tile].pinhole
    key = pixel_key(seeds[tile], row, column)
    count = samples
    hit = Hit()
    hit.item = item[tile, row, column]
    hit.triangle = triangle[tile, row, column]
    known = int(0)
    base = wp.vec3(0.0, 0.0, 0.0)
    if is_outline(item, normal, tile, row, column):
        count += look.edge_samples
    elif look.edge_samples > 0 and lenses[tile].aperture == 0.0:
        known = 1
        if hit.item < 0:
            count = 1
        elif look.texture_samples > 0 and is_textured(look, hit.item):
            known = 2
            base = mean_color_seen(world, look, key, hit, pose, lens, row, column)
        if hit.item >= 0 and is_mirror(look, hit.item):
            count += look.mirror_samples
    light = wp.vec3(0.0, 0.0, 0.0)
    albedo = wp.vec3(0.0, 0.0, 0.0)
    facing = wp.vec3(0.0, 0.0, 0.0)
    for step in range(count):
        sample = first_sample + step
        place = wp.vec2(0.5, 0.5)
        if count > 1:
            place = offset_in_pixel(look, key, sample, 0)
        u = wp.float64(column) + wp.float64(place[0])
        v = wp.float64(row) + wp.float64(place[1])
        direction = camera_ray(pose, lens, u, v)
        origin = wp.vec3d(pose[0, 3], pose[1, 3], pose[2, 3])
        if lenses[tile].aperture > 0.0:
            p = disk_point(draw_pair(look, key, sample, 2)) * lenses[tile].aperture
            x = wp.float64(p[0])
            y = wp.float64(p[1])
            shift = wp.vec3d(
                pose[0, 0] * x + pose[0, 1] * y, pose[1, 0] * x + pose[1, 1] * y, pose[2, 0] * x + pose[2, 1] * y
            )
            origin = origin + shift
            direction = direction - shift / wp.float64(lenses[tile].focus)
        angle = look.filter_width / float(lens[0])
        seen = path_light(world, look, environments[tile], key, sample, origin, direction, angle, hit, known, base)
        limit = look.brightest / wp.max(brightest(seen.light), look.brightest)
        light += seen.light * limit
        albedo += wp.min(seen.albedo, wp.vec3(1.0, 1.0, 1.0))
        facing += seen.normal
    share = 1.0 / float(count)
    film.light[tile, row, column] = light * share
    film.albedo[tile, row, column] = albedo * share
    film.normal[tile, row, column] = facing * share


@wp.kernel
def develop(
    look: Look, lenses: wp.array(dtype=Lens), light: wp.array3d(dtype=wp.vec3), rgb: wp.array4d(dtype=wp.uint8)
):
    """Turn light into display values."""
    tile, row, column = wp.tid()
    value = display_value(look, wp.max(light[tile, row, column] * lenses[tile].gain, wp.vec3(0.0, 0.0, 0.0)))
    rgb[tile, row, column, 0] = wp.uint8(value[0] + 0.5)
    rgb[tile, row, column, 1] = wp.uint8(value[1] + 0.5)
    rgb[tile, row, column, 2] = wp.uint8(value[2] + 0.5)
