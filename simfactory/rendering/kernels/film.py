"""Films: light and guides gathered over the samples of every pixel, and developed for display."""

import warp as wp

from simfactory.rendering.kernels.draws import draw_pair, pixel_key
from simfactory.rendering.kernels.eye import brightest
from simfactory.rendering.kernels.lobes import disk_point
from simfactory.rendering.kernels.look import Lens, Look
from simfactory.rendering.kernels.options import OPTIONS
from simfactory.rendering.kernels.paths import path_light
from simfactory.rendering.kernels.shade import display_value
from simfactory.rendering.kernels.world import World, camera_ray

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


@wp.kernel
def expose(
    world: World,
    look: Look,
    environments: wp.array(dtype=wp.int32),
    seeds: wp.array(dtype=wp.int32),
    lenses: wp.array(dtype=Lens),
    camera_to_world: wp.array(dtype=wp.mat44d),
    item: wp.array3d(dtype=wp.int32),
    normal: wp.array3d(dtype=wp.vec3),
    samples: int,
    edge_samples: int,
    instant: int,
    instants: int,
    film: Film,
):
    """Follow the paths of every pixel of every tile and keep their means, over all instants of an open shutter.

    `item` and `normal` are what the pixels' centres see when the shutter opens: outlines take `edge_samples` more.
    """
    tile, row, column = wp.tid()
    pose = camera_to_world[tile]
    lens = lenses[tile].pinhole
    key = pixel_key(seeds[tile], row, column)
    count = samples
    if edge_samples > 0 and is_outline(item, normal, tile, row, column):
        count += edge_samples
    light = wp.vec3(0.0, 0.0, 0.0)
    albedo = wp.vec3(0.0, 0.0, 0.0)
    facing = wp.vec3(0.0, 0.0, 0.0)
    for step in range(count):
        sample = step * instants + instant
        place = draw_pair(look, key, sample // 2, 0)
        if sample % 2 == 1:  # the second of a pair is opposite the first: what changes evenly over a pixel cancels
            place = wp.vec2(1.0, 1.0) - place
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
        seen = path_light(world, look, environments[tile], key, sample, origin, direction, 1.0 / float(lens[0]))
        limit = look.brightest / wp.max(brightest(seen.light), look.brightest)
        light += seen.light * limit
        albedo += wp.min(seen.albedo, wp.vec3(1.0, 1.0, 1.0))
        facing += seen.normal
    share = 1.0 / float(count * instants)
    light *= share
    albedo *= share
    facing *= share
    if instant > 0:
        light += film.light[tile, row, column]
        albedo += film.albedo[tile, row, column]
        facing += film.normal[tile, row, column]
    film.light[tile, row, column] = light
    film.albedo[tile, row, column] = albedo
    film.normal[tile, row, column] = facing


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
