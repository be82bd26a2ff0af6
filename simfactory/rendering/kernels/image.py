"""Images: which pixels are shaded, which are interpolated, and where more samples are taken."""

import warp as wp

from simfactory.rendering.kernels.eye import eye_light
from simfactory.rendering.kernels.look import Lens, Look
from simfactory.rendering.kernels.options import OPTIONS
from simfactory.rendering.kernels.shade import display_value
from simfactory.rendering.kernels.spots import has_relief, is_textured, surface_pattern
from simfactory.rendering.kernels.world import Hit, World, camera_ray, closest_hit

__all__ = ["CROSS", "DIAGONAL", "Canvas", "resolve", "shade_listed", "spread_light"]

wp.set_module_options(OPTIONS)

# Every second pixel of every second row is shaded; then those diagonally between, then the rest, are interpolated
# from four neighbours where these agree and shaded where not.
DIAGONAL = wp.constant(1)
CROSS = wp.constant(2)


@wp.struct
class Canvas:
    """What the stages hand on."""

    light: wp.array3d(dtype=wp.vec3)  # linear light at the centre, texture taken out
    pattern: wp.array3d(dtype=wp.vec3)  # texture over its mean colour
    center: wp.array3d(dtype=wp.vec4)  # display values of the light, and the item
    rgb: wp.array4d(dtype=wp.uint8)


@wp.func
def differs(a: wp.vec4, b: wp.vec4, contrast: float):
    """Return whether two centres differ: display values by more than a contrast, or the instance."""
    red = wp.abs(a[0] - b[0])
    green = wp.abs(a[1] - b[1])
    blue = wp.abs(a[2] - b[2])
    return a[3] != b[3] or wp.max(wp.max(red, green), blue) > contrast


@wp.func
def on_edge(canvas: Canvas, tile: int, row: int, column: int, contrast: float):
    """Return whether a pixel's centre sees another instance, or visibly other light, than one of its neighbours."""
    up = wp.max(row - 1, 0)
    left = wp.max(column - 1, 0)
    down = wp.min(row + 1, canvas.center.shape[1] - 1)
    right = wp.min(column + 1, canvas.center.shape[2] - 1)
    here = canvas.center[tile, row, column]
    found = differs(here, canvas.center[tile, up, column], contrast)
    if not found:
        found = differs(here, canvas.center[tile, row, left], contrast)
    if not found:
        found = differs(here, canvas.center[tile, down, column], contrast)
    if not found:
        found = differs(here, canvas.center[tile, row, right], contrast)
    return found


@wp.func
def received_by(canvas: Canvas, tile: int, row: int, column: int):
    """Return the light at a pixel's centre, with its texture."""
    return wp.cw_mul(canvas.light[tile, row, column], canvas.pattern[tile, row, column])


@wp.func
def lent_by_neighbor(canvas: Canvas, tile: int, row: int, column: int, item: int):
    """Return the mean light of the four neighbours that see an item; negative if none does."""
    total = wp.vec3(0.0, 0.0, 0.0)
    count = int(0)
    for side in range(2):
        for step in range(2):
            r = row + (2 * step - 1) * (1 - side)
            c = column + (2 * step - 1) * side
            if r >= 0 and c >= 0 and r < canvas.center.shape[1] and c < canvas.center.shape[2]:
                if int(canvas.center[tile, r, c][3]) == item:
                    total += received_by(canvas, tile, r, c)
                    count += 1
    if count == 0:
        return wp.vec3(-1.0, -1.0, -1.0)
    return total / float(count)


@wp.func
def smooth_within(canvas: Canvas, tile: int, row: int, column: int, contrast: float):
    """Return whether the neighbours that see a centre's own item see about the same light."""
    here = canvas.center[tile, row, column]
    smooth = contrast >= 0.0
    for side in range(2):
        for step in range(2):
            r = wp.clamp(row + (2 * step - 1) * (1 - side), 0, canvas.center.shape[1] - 1)
            c = wp.clamp(column + (2 * step - 1) * side, 0, canvas.center.shape[2] - 1)
            there = canvas.center[tile, r, c]
            if there[3] == here[3] and differs(here, there, contrast):
                smooth = False
    return smooth


@wp.func
def lent_light(canvas: Canvas, tile: int, row: int, column: int, item: int, smooth: bool):
    """Return light that a sample may take over from a centre that sees the same item; negative if it may not.

    An outline then costs rays but no shading; where light itself changes within an item, samples are shaded.
    """
    light = wp.vec3(-1.0, -1.0, -1.0)
    if smooth:
        if int(canvas.center[tile, row, column][3]) == item:
            light = received_by(canvas, tile, row, column)
        else:
            light = lent_by_neighbor(canvas, tile, row, column, item)
    return light


@wp.func
def interpolated(canvas: Canvas, tile: int, row: int, column: int, stage: int, item: int, contrast: float):
    """Return a pixel's light from its four shaded neighbours, or a negative one where they disagree."""
    # The neighbours are at (a, b), (-b, a), (-a, -b), (b, -a).
    a = int(1)
    b = int(0)
    if stage == DIAGONAL:
        b = 1
    inside = row > 0 and column > 0 and row < canvas.center.shape[1] - 1 and column < canvas.center.shape[2] - 1
    light = wp.vec3(-1.0, -1.0, -1.0)
    if inside:
        first = canvas.center[tile, row + a, column + b]
        second = canvas.center[tile, row - b, column + a]
        third = canvas.center[tile, row - a, column - b]
        fourth = canvas.center[tile, row + b, column - a]
        apart = differs(first, third, contrast) or differs(second, fourth, contrast) or differs(first, second, contrast)
        if not apart and int(first[3]) == item:
            light = canvas.light[tile, row + a, column + b] + canvas.light[tile, row - b, column + a]
            light += canvas.light[tile, row - a, column - b] + canvas.light[tile, row + b, column - a]
            light *= 0.25
    return light


@wp.func
def sample_offset(seed: int, row: int, column: int, sample: int, count: int):
    """Return the place of a sample in its pixel, 0–1: a rank-1 lattice, shifted at random from pixel to pixel."""
    state = wp.rand_init(seed, row * 65536 + column)
    u = wp.randf(state) + (float(sample) + 0.5) / float(count)
    v = wp.randf(state) + float(sample) * 0.61803399
    return wp.vec2(u - wp.floor(u), v - wp.floor(v))


@wp.func
def write_center(canvas: Canvas, look: Look, tile: int, row: int, column: int, item: int, light: wp.vec3):
    """Keep the light at a pixel's centre."""
    value = display_value(look, light)
    canvas.light[tile, row, column] = light
    canvas.center[tile, row, column] = wp.vec4(value[0], value[1], value[2], float(item))


@wp.func
def write_color(canvas: Canvas, look: Look, tile: int, row: int, column: int, light: wp.vec3):
    """Write a pixel's display values."""
    value = display_value(look, light)
    canvas.rgb[tile, row, column, 0] = wp.uint8(value[0] + 0.5)
    canvas.rgb[tile, row, column, 1] = wp.uint8(value[1] + 0.5)
    canvas.rgb[tile, row, column, 2] = wp.uint8(value[2] + 0.5)


@wp.kernel
def shade_listed(
    world: World,
    look: Look,
    refine: int,
    environments: wp.array(dtype=wp.int32),
    seeds: wp.array(dtype=wp.int32),
    lenses: wp.array(dtype=Lens),
    camera_to_world: wp.array(dtype=wp.mat44d),
    item: wp.array3d(dtype=wp.int32),
    triangle: wp.array3d(dtype=wp.int32),
    pixels: wp.array(dtype=wp.vec3i),
    canvas: Canvas,
):
    """Shade the centres of the listed pixels (tile, row, column); or, to refine, add samples and write their rgb."""
    pixel = pixels[wp.tid()]
    tile = pixel[0]
    row = pixel[1]
    column = pixel[2]
    pose = camera_to_world[tile]
    origin = wp.vec3d(pose[0, 3], pose[1, 3], pose[2, 3])
    lens = lenses[tile].pinhole
    environment = environments[tile]
    hit = Hit()
    hit.item = item[tile, row, column]
    hit.triangle = triangle[tile, row, column]
    count = int(1)
    smooth = bool(False)
    if refine != 0:
        count = look.edge_samples
        smooth = smooth_within(canvas, tile, row, column, look.edge_contrast)
    total = wp.vec3(0.0, 0.0, 0.0)
    pattern = wp.vec3(1.0, 1.0, 1.0)
    for sample in range(count):
        place = wp.vec2(0.5, 0.5)
        received = wp.vec3(-1.0, -1.0, -1.0)
        if refine != 0:
            place = sample_offset(seeds[tile], row, column, sample, count)
        direction = camera_ray(
            pose, lens, wp.float64(column) + wp.float64(place[0]), wp.float64(row) + wp.float64(place[1])
        )
        if refine != 0:
            hit = closest_hit(world, world.roots[environment], origin, direction, wp.inf)
            received = lent_light(canvas, tile, row, column, hit.item, smooth)
        if received[0] < 0.0:
            received, pattern = eye_light(world, look, environment, hit, origin, direction, 1.0 / float(lens[0]))
            received = received * lenses[tile].gain
        total += received
    if refine != 0:
        total += received_by(canvas, tile, row, column)
        write_color(canvas, look, tile, row, column, total / float(count + 1))
    else:
        canvas.pattern[tile, row, column] = pattern
        write_center(canvas, look, tile, row, column, hit.item, wp.cw_div(total, pattern))


@wp.kernel
def spread_light(
    world: World,
    look: Look,
    stage: int,
    lenses: wp.array(dtype=Lens),
    camera_to_world: wp.array(dtype=wp.mat44d),
    item: wp.array3d(dtype=wp.int32),
    triangle: wp.array3d(dtype=wp.int32),
    canvas: Canvas,
    count: wp.array(dtype=wp.int32),
    pixels: wp.array(dtype=wp.vec3i),
):
    """Interpolate the pixels of a stage whose neighbours agree, and list the others."""
    tile, i, j = wp.tid()
    row = i
    column = 2 * j + 1
    if stage == DIAGONAL:
        row = 2 * i + 1
    else:
        column -= i % 2
    if row >= item.shape[1] or column >= item.shape[2]:
        return
    k = item[tile, row, column]
    light = interpolated(canvas, tile, row, column, stage, k, look.smooth_contrast)
    if light[0] < 0.0 or has_relief(look, k):
        pixels[wp.atomic_add(count, 0, 1)] = wp.vec3i(tile, row, column)
        return
    pattern = wp.vec3(1.0, 1.0, 1.0)
    if is_textured(look, k):
        pose = camera_to_world[tile]
        lens = lenses[tile].pinhole
        origin = wp.vec3d(pose[0, 3], pose[1, 3], pose[2, 3])
        half = wp.float64(0.5)
        direction = camera_ray(pose, lens, wp.float64(column) + half, wp.float64(row) + half)
        hit = Hit()
        hit.item = k
        hit.triangle = triangle[tile, row, column]
        pattern = surface_pattern(world, look, hit, origin, direction, 1.0 / float(lens[0]))
    canvas.pattern[tile, row, column] = pattern
    write_center(canvas, look, tile, row, column, k, light)


@wp.kernel
def resolve(look: Look, canvas: Canvas, count: wp.array(dtype=wp.int32), pixels: wp.array(dtype=wp.vec3i)):
    """Write the rgb of every pixel that its centre stands for, and list the others."""
    tile, row, column = wp.tid()
    if on_edge(canvas, tile, row, column, look.edge_contrast):
        pixels[wp.atomic_add(count, 0, 1)] = wp.vec3i(tile, row, column)
        return
    write_color(canvas, look, tile, row, column, received_by(canvas, tile, row, column))
