"""Image textures and reliefs, read from mip levels over a pixel's footprint: projected, or by texture coordinates."""

import warp as wp

from simfactory.rendering.kernels.options import OPTIONS

__all__ = ["Picture", "Pictures", "laid", "projected"]

wp.set_module_options(OPTIONS)

PROBES = wp.constant(4)  # readings along a stretched footprint


@wp.struct
class Picture:
    """An image with its mip levels; edges are powers of two, each level half as large as the one before."""

    first: wp.int32  # texel of the finest level
    columns: wp.int32
    rows: wp.int32
    levels: wp.int32


@wp.struct
class Pictures:
    """All images of a renderer: linear colours; of a relief its slopes right and up, and the sum of their squares."""

    images: wp.array(dtype=Picture)
    texels: wp.array(dtype=wp.vec3)
    coordinates: wp.array(dtype=wp.vec2)  # by corner of the meshes that have any: right and up, in repeats


@wp.func
def level_texel(pictures: Pictures, picture: Picture, level: int, u: float, v: float):
    """Interpolate one level at a place (right, down) in repeats."""
    first = picture.first
    columns = picture.columns
    rows = picture.rows
    for _step in range(level):
        first += columns * rows
        columns = wp.max(columns // 2, 1)
        rows = wp.max(rows // 2, 1)
    x = (u - wp.floor(u)) * float(columns) - 0.5
    y = (v - wp.floor(v)) * float(rows) - 0.5
    column = int(wp.floor(x))
    row = int(wp.floor(y))
    dx = x - float(column)
    dy = y - float(row)
    left = column & (columns - 1)
    right = (column + 1) & (columns - 1)
    top = first + (row & (rows - 1)) * columns
    bottom = first + ((row + 1) & (rows - 1)) * columns
    high = wp.lerp(pictures.texels[top + left], pictures.texels[top + right], dx)
    low = wp.lerp(pictures.texels[bottom + left], pictures.texels[bottom + right], dx)
    return wp.lerp(high, low, dy)


@wp.func
def probed(
    pictures: Pictures,
    picture: Picture,
    u: float,
    v: float,
    step_u: float,
    step_v: float,
    count: int,
    texels: float,
):
    """Return the mean of some readings in a row about a place (right, down), each over a width in texels."""
    place = wp.min(wp.log2(texels), float(picture.levels - 1))
    level = wp.min(int(place), picture.levels - 1)
    blend = place - float(level)
    total = wp.vec3(0.0, 0.0, 0.0)
    for probe in range(count):
        along = float(probe) - 0.5 * float(count - 1)
        value = level_texel(pictures, picture, level, u + along * step_u, v + along * step_v)
        if blend > 0.0:
            coarse = level_texel(pictures, picture, level + 1, u + along * step_u, v + along * step_v)
            value = wp.lerp(value, coarse, blend)
        total += value
    return total / float(count)


@wp.func
def picture_value(pictures: Pictures, index: int, u: float, v: float, du: float, dv: float):
    """Read an image over a footprint of extents (du, dv), all in repeats.

    A footprint longer than wide takes several readings along its length, from the level that its width asks for.

    Source: L. Williams, "Pyramidal parametrics" (1983); the readings after J. McCormack et al., "Feline: fast
    elliptical lines for anisotropic texture mapping" (1999).
    """
    picture = pictures.images[index]
    x = wp.max(du * float(picture.columns), 1.0e-6)
    y = wp.max(dv * float(picture.rows), 1.0e-6)
    longest = wp.max(x, y)
    shortest = wp.max(wp.max(wp.min(x, y), longest / float(PROBES)), 1.0)
    count = wp.clamp(int(wp.ceil(longest / shortest - 0.01)), 1, PROBES)
    step_u = float(0.0)
    step_v = float(0.0)
    if x > y:
        step_u = du / float(count)
    else:
        step_v = dv / float(count)
    return probed(pictures, picture, u, v, step_u, step_v, count, shortest)


@wp.func
def laid(pictures: Pictures, index: int, place: wp.vec2, across: wp.vec2, along: wp.vec2):
    """Read an image at texture coordinates over a footprint with two axes, all right and up in repeats.

    The axes' lengths are the footprint's extents; readings follow the longer one, as in `picture_value`.
    """
    picture = pictures.images[index]
    size = wp.vec2(float(picture.columns), float(picture.rows))
    major = along
    longest = wp.max(wp.length(wp.cw_mul(along, size)), 1.0e-6)
    shortest = wp.length(wp.cw_mul(across, size))
    if shortest > longest:
        major = across
        shortest = longest
        longest = wp.length(wp.cw_mul(across, size))
    texels = wp.max(wp.max(shortest, longest / float(PROBES)), 1.0)
    count = wp.clamp(int(wp.ceil(longest / texels - 0.01)), 1, PROBES)
    step = major / float(count)
    return probed(pictures, picture, place[0], -place[1], step[0], -step[1], count, texels)


@wp.func
def sharpened(cosine: float):
    """Return the weight of a projection: a high power, so that one quickly gives way to the next."""
    square = cosine * cosine
    return square * square * square


@wp.func
def projected(pictures: Pictures, index: int, period: float, position: wp.vec3, footprint: wp.vec3, normal: wp.vec3):
    """Read an image projected along each local axis and mixed by how much the surface faces it.

    Args:
        pictures: All images.
        index: Which one.
        period: Width of one repeat [m].
        position: Local rest position [m].
        footprint: Extent of the pixel on the surface along the local axes [m].
        normal: Unit, local.

    Returns:
        The value, and the slopes read as a vector: right and up of each projection are local axes.
    """
    wide = 1.0 / period
    high = wide * float(pictures.images[index].columns) / float(pictures.images[index].rows)
    x = sharpened(normal[0])
    y = sharpened(normal[1])
    z = sharpened(normal[2])
    total = x + y + z
    value = wp.vec3(0.0, 0.0, 0.0)
    lean = wp.vec3(0.0, 0.0, 0.0)
    if x > 0.01 * total:
        part = picture_value(
            pictures, index, position[1] * wide, -position[2] * high, footprint[1] * wide, footprint[2] * high
        )
        value += part * x
        lean += wp.vec3(0.0, part[0], part[1]) * x
    if y > 0.01 * total:
        part = picture_value(
            pictures, index, position[0] * wide, -position[2] * high, footprint[0] * wide, footprint[2] * high
        )
        value += part * y
        lean += wp.vec3(part[0], 0.0, part[1]) * y
    if z > 0.01 * total:
        part = picture_value(
            pictures, index, position[0] * wide, -position[1] * high, footprint[0] * wide, footprint[1] * high
        )
        value += part * z
        lean += wp.vec3(part[0], part[1], 0.0) * z
    return value / total, lean / total
