"""Films: light and guides gathered over the samples of every pixel, and developed for display."""

import warp as wp

from simfactory.rendering.kernels.draws import draw_pair, pixel_key
from simfactory.rendering.kernels.eye import brightest
from simfactory.rendering.kernels.lobes import disk_point
from simfactory.rendering.kernels.look import Lens, Look
from simfactory.rendering.kernels.options import OPTIONS
from simfactory.rendering.kernels.paths import First, path_light
from simfactory.rendering.kernels.shade import display_value
from simfactory.rendering.kernels.spots import is_textured, is_within_one, plane_color, texture_plane
from simfactory.rendering.kernels.textures import BRUSHED, CHECKER, FABRIC, MARBLE, NOISE, STONE, STRIPES
from simfactory.rendering.kernels.world import Hit, World, camera_ray

__all__ = [
    "Centers",
    "Film",
    "Run",
    "ask_further",
    "develop",
    "display_doubt",
    "expose",
    "lens_ray",
    "offset_in_pixel",
    "plan_pixel",
]

wp.set_module_options(OPTIONS)

DETAIL = wp.constant(0.08)  # change of base colour within three pixels


@wp.struct
class Film:
    """What is gathered, `(tile, row, column)`."""

    light: wp.array3d(dtype=wp.vec3)
    albedo: wp.array3d(dtype=wp.vec3)
    normal: wp.array3d(dtype=wp.vec3)
    doubt: wp.array3d(dtype=wp.float32)  # squared error of the light that is expected, in display values 0–255
    taken: wp.array3d(dtype=wp.int32)  # paths of the first run
    further: wp.array3d(dtype=wp.int32)  # paths to add


@wp.struct
class Centers:
    """What the pixels' centres see when the shutter opens, `(tile, row, column)`."""

    item: wp.array3d(dtype=wp.int32)
    triangle: wp.array3d(dtype=wp.int32)
    normal: wp.array3d(dtype=wp.vec3)


@wp.struct
class Run:
    """One launch of `expose`."""

    samples: wp.int32  # per pixel
    edge_samples: wp.int32  # further ones on outlines
    instant: wp.int32  # of the open shutter
    instants: wp.int32  # how many there are
    refine: wp.int32  # whether it adds to another run's samples
    tiles: wp.array(dtype=wp.int32)  # those with pixels to follow
    boxes: wp.array(dtype=wp.vec4i)  # by tile: first and one past the last row and column that are followed
    rich: wp.array(dtype=wp.int32)  # by tile: whether mirrors and glass fill a good part of it


@wp.struct
class Plan:
    """How a pixel is sampled."""

    samples: wp.int32
    first: First


@wp.func
def is_outline(centers: Centers, tile: int, row: int, column: int):
    """Return whether a neighbour's centre sees another instance, or the same around a bend."""
    own = centers.item[tile, row, column]
    n = centers.normal[tile, row, column]
    found = bool(False)
    for side in range(2):
        for step in range(2):
            r = wp.clamp(row + (2 * step - 1) * (1 - side), 0, centers.item.shape[1] - 1)
            c = wp.clamp(column + (2 * step - 1) * side, 0, centers.item.shape[2] - 1)
            if centers.item[tile, r, c] != own or (own >= 0 and wp.dot(n, centers.normal[tile, r, c]) < 0.8):
                found = True
    return found


@wp.func
def is_mirror(look: Look, item: int):
    """Return whether an item shows others: its light changes from path to path more than that of others."""
    showing = bool(False)
    if item >= 0:
        showing = look.materials[item].metallic > 0.5 or look.materials[item].transmission > 0.5
        showing = showing and look.materials[item].roughness < look.mirror_roughness
    return showing


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
def is_grainy(kind: int):
    """Return whether one place in a pixel is enough to read a texture: what is finer is left out where it is read."""
    return kind == NOISE or kind == MARBLE or kind == STONE or kind == BRUSHED


@wp.func
def mean_color_seen(
    world: World, look: Look, key: wp.uint32, hit: Hit, pose: wp.mat44d, lens: wp.vec4d, row: int, column: int
):
    """Return the base colour of a hit's plane over a pixel: a texture needs more places than light needs paths.

    Sharp patterns need many, unless the pixel lies within one square of them.
    """
    origin = wp.vec3d(pose[0, 3], pose[1, 3], pose[2, 3])
    angle = look.filter_width / float(lens[0])
    half = wp.float64(0.5)
    direction = camera_ray(pose, lens, wp.float64(column) + half, wp.float64(row) + half)
    plane = texture_plane(world, look, hit, origin, direction, angle)
    kind = look.materials[hit.item].texture
    count = look.texture_samples
    if is_grainy(kind):
        count = 1
    if kind == CHECKER or kind == STRIPES or kind == FABRIC:
        count = 4 * look.texture_samples
        if plane.flat != 0 and kind != FABRIC and is_within_one(look, hit.item, plane.lay):
            count = 1
    total = wp.vec3(0.0, 0.0, 0.0)
    for sample in range(count):
        if count > 1:
            place = offset_in_pixel(look, key, sample, 0)
            u = wp.float64(column) + wp.float64(place[0])
            v = wp.float64(row) + wp.float64(place[1])
            direction = camera_ray(pose, lens, u, v)
        total += plane_color(world, look, hit, plane, origin, direction, angle)
    return total / float(count)


@wp.func
def plan_pixel(
    world: World,
    look: Look,
    key: wp.uint32,
    pose: wp.mat44d,
    lens: Lens,
    centers: Centers,
    run: Run,
    tile: int,
    row: int,
    column: int,
):
    """Return how a pixel is sampled, by what its centre and its neighbours' see."""
    plan = Plan()
    plan.samples = run.samples
    plan.first.hit.item = centers.item[tile, row, column]
    plan.first.hit.triangle = centers.triangle[tile, row, column]
    item = plan.first.hit.item
    still = run.instants == 1
    if run.edge_samples > 0:
        if is_outline(centers, tile, row, column):
            plan.samples += run.edge_samples
        elif still and lens.aperture == 0.0:
            plan.first.known = 1
            if item < 0:
                plan.samples = 1
            elif look.texture_samples > 0 and is_textured(look, item):
                # One path through the pixel's centre reads grains as well as they are read here.
                if plan.samples > 1 or not is_grainy(look.materials[item].texture):
                    plan.first.known = 2
                    plan.first.base = mean_color_seen(world, look, key, plan.first.hit, pose, lens.pinhole, row, column)
    if still and is_mirror(look, item):
        plan.samples += look.mirror_samples
        if run.rich[tile] == 0:
            plan.samples -= look.mirror_samples // 2
        plan.first.known = 0
    return plan


@wp.func
def lens_ray(pose: wp.mat44d, lens: Lens, place: wp.vec2, on_lens: wp.vec2, row: int, column: int):
    """Return where the ray through a place of a pixel and of the lens (both 0–1) starts, and its direction."""
    u = wp.float64(column) + wp.float64(place[0])
    v = wp.float64(row) + wp.float64(place[1])
    direction = camera_ray(pose, lens.pinhole, u, v)
    origin = wp.vec3d(pose[0, 3], pose[1, 3], pose[2, 3])
    if lens.aperture > 0.0:
        p = disk_point(on_lens) * lens.aperture
        x = wp.float64(p[0])
        y = wp.float64(p[1])
        shift = wp.vec3d(
            pose[0, 0] * x + pose[0, 1] * y, pose[1, 0] * x + pose[1, 1] * y, pose[2, 0] * x + pose[2, 1] * y
        )
        origin = origin + shift
        direction = direction - shift / wp.float64(lens.focus)
    return origin, direction


@wp.func
def display_doubt(look: Look, gain: float, mean: float, square: float, count: float):
    """Return the squared error of a mean of light, in display values, from the mean of the squares."""
    spread = wp.sqrt(wp.max(square - mean * mean, 0.0) / wp.max(count - 1.0, 1.0))
    low = wp.max(mean - spread, 0.0) * gain
    high = wp.max(mean + spread, 0.0) * gain
    difference = display_value(look, wp.vec3(high, high, high)) - display_value(look, wp.vec3(low, low, low))
    return 0.25 * difference[1] * difference[1]


@wp.kernel
def expose(
    world: World,
    look: Look,
    environments: wp.array(dtype=wp.int32),
    seeds: wp.array(dtype=wp.int32),
    lenses: wp.array(dtype=Lens),
    camera_to_world: wp.array(dtype=wp.mat44d),
    centers: Centers,
    run: Run,
    film: Film,
):
    """Follow the paths of every pixel of the tiles' boxes and keep their means, over all instants of an open shutter.

    To refine, paths are added to those of a first run where its light is uncertain.
    """
    index, i, j = wp.tid()
    tile = run.tiles[index]
    box = run.boxes[tile]
    row = box[0] + i
    column = box[2] + j
    if row >= box[1] or column >= box[3]:
        return
    pose = camera_to_world[tile]
    lens = lenses[tile]
    key = pixel_key(seeds[tile], row, column)
    plan = plan_pixel(world, look, key, pose, lens, centers, run, tile, row, column)
    begin = int(0)
    end = plan.samples
    if run.refine != 0:
        begin = plan.samples
        end = begin + film.further[tile, row, column]
        if end == begin:
            return
    angle = look.filter_width / float(lens.pinhole[0])
    light = wp.vec3(0.0, 0.0, 0.0)
    albedo = wp.vec3(0.0, 0.0, 0.0)
    facing = wp.vec3(0.0, 0.0, 0.0)
    square = float(0.0)
    for step in range(begin, end):
        sample = step * run.instants + run.instant
        place = wp.vec2(0.5, 0.5)
        if end > 1:
            place = offset_in_pixel(look, key, sample, 0)
        origin, direction = lens_ray(pose, lens, place, draw_pair(look, key, sample, 2), row, column)
        seen = path_light(world, look, environments[tile], key, sample, origin, direction, angle, plan.first)
        limit = look.brightest / wp.max(brightest(seen.light), look.brightest)
        light += seen.light * limit
        albedo += wp.min(seen.albedo, wp.vec3(1.0, 1.0, 1.0))
        facing += seen.normal
        gray = (seen.light[0] + seen.light[1] + seen.light[2]) * limit / 3.0
        square += gray * gray
    share = 1.0 / float(end * run.instants)
    light *= share
    albedo *= share
    facing *= share
    if run.refine == 0 and look.more_samples > 0:
        gray = (light[0] + light[1] + light[2]) / 3.0
        film.doubt[tile, row, column] = display_doubt(look, lens.gain, gray, square * share, float(end))
        film.taken[tile, row, column] = end
    before = float(begin) / float(end)
    if run.instant > 0:
        before = 1.0
    if before > 0.0:
        light += film.light[tile, row, column] * before
        albedo += film.albedo[tile, row, column] * before
        facing += film.normal[tile, row, column] * before
    film.light[tile, row, column] = light
    film.albedo[tile, row, column] = albedo
    film.normal[tile, row, column] = facing


@wp.kernel
def ask_further(look: Look, centers: Centers, rich: wp.array(dtype=wp.int32), film: Film):
    """Set how many more paths each pixel takes until its light is as certain as the preset wants.

    Expected errors are means over a pixel and its neighbours: that of few paths alone is no good guess. Where base
    colours change from pixel to pixel, noise misleads the denoiser more than on even surfaces, and what a mirror or
    glass shows has no guide. In tiles that are `rich` in these no pixel has to do with few.
    """
    tile, row, column = wp.tid()
    total = float(0.0)
    low = wp.vec3(1.0, 1.0, 1.0)
    high = wp.vec3(0.0, 0.0, 0.0)
    for i in range(3):
        for j in range(3):
            r = wp.clamp(row + i - 1, 0, film.doubt.shape[1] - 1)
            c = wp.clamp(column + j - 1, 0, film.doubt.shape[2] - 1)
            total += film.doubt[tile, r, c] / 9.0
            low = wp.min(low, film.albedo[tile, r, c])
            high = wp.max(high, film.albedo[tile, r, c])
    noise = look.noise
    most = look.more_samples
    if brightest(high - low) > DETAIL or rich[tile] != 0:
        noise = look.detail_noise
        most = 4 * look.more_samples
    if is_mirror(look, centers.item[tile, row, column]):
        noise = look.mirror_noise
        most = 4 * look.more_samples
    if rich[tile] != 0:
        most = look.more_mirror_samples
    more = float(film.taken[tile, row, column]) * (total / wp.max(noise * noise, 1.0e-6) - 1.0)
    film.further[tile, row, column] = int(wp.clamp(more, 0.0, float(most)))


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
