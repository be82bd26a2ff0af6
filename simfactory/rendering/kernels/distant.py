"""Environment maps: radiance by direction and roughness, and directions drawn in proportion to their light."""

import warp as wp

from simfactory.rendering.kernels.options import OPTIONS

__all__ = [
    "CELL_COLUMNS",
    "CELL_ROWS",
    "ROUGH_LEVELS",
    "Distant",
    "DistantMap",
    "map_pdf",
    "map_radiance",
    "sample_map",
    "smooth_map_radiance",
]

wp.set_module_options(OPTIONS)

TAU = wp.constant(6.2831853)
UNIFORM_PDF = wp.constant(0.07957747)  # of directions over the whole sphere [1/sr]
ROUGH_LEVELS = wp.constant(4)  # blurred levels after the sharp one: roughness 0.25, 0.5, 0.75, 1
ROUGH_ROWS = wp.constant(64)
ROUGH_COLUMNS = wp.constant(128)
CELL_ROWS = wp.constant(64)  # of the sampling tables
CELL_COLUMNS = wp.constant(128)


@wp.struct
class DistantMap:
    """One environment's map."""

    used: wp.int32  # 0 = the procedural sky
    first: wp.int32  # texel of the sharp level
    rows: wp.int32
    columns: wp.int32
    first_rough: wp.int32  # texel of the first blurred level
    table: wp.int32  # row of the sampling tables
    cosine: wp.float32  # of the map's turn about the vertical
    sine: wp.float32
    scale: wp.float32  # factor on the sharp level's radiance


@wp.struct
class Distant:
    """All environments' maps; those with one picture share its texels and tables."""

    maps: wp.array(dtype=DistantMap)  # by environment
    texels: wp.array(dtype=wp.vec3)
    row_sums: wp.array2d(dtype=wp.float32)  # (table, row + 1) cumulative
    column_sums: wp.array3d(dtype=wp.float32)  # (table, row, column + 1) cumulative


@wp.func
def map_texel(distant: Distant, first: int, rows: int, columns: int, place: wp.vec2):
    """Interpolate a level at a place (column, row), each 0–1; columns wrap, rows end at the poles."""
    x = place[0] * float(columns) - 0.5
    y = wp.clamp(place[1] * float(rows) - 0.5, 0.0, float(rows - 1))
    column = int(wp.floor(x))
    row = wp.min(int(y), rows - 2)
    dx = x - float(column)
    dy = y - float(row)
    left = column
    if column < 0:
        left = column + columns
    right = column + 1
    if right >= columns:
        right = right - columns
    start = first + row * columns
    high = wp.lerp(distant.texels[start + left], distant.texels[start + right], dx)
    low = wp.lerp(distant.texels[start + columns + left], distant.texels[start + columns + right], dx)
    return wp.lerp(high, low, dy)


@wp.func
def map_place(distant: Distant, environment: int, direction: wp.vec3):
    """Return where a unit direction lies in the map (column, row), each 0–1."""
    c = distant.maps[environment].cosine
    s = distant.maps[environment].sine
    x = direction[0] * c + direction[1] * s
    y = direction[1] * c - direction[0] * s
    return wp.vec2(0.5 - wp.atan2(y, x) / TAU, wp.acos(wp.clamp(direction[2], -1.0, 1.0)) * 2.0 / TAU)


@wp.func
def spline_share(t: float):
    """Return how two pairs of neighbours share a cubic B-spline: the weight of the second pair, and their places.

    Source: C. Sigg, M. Hadwiger, "Fast third-order texture filtering", GPU Gems 2 (2005).
    """
    s = 1.0 - t
    w0 = s * s * s / 6.0
    w1 = (4.0 - 6.0 * t * t + 3.0 * t * t * t) / 6.0
    w2 = (4.0 - 6.0 * s * s + 3.0 * s * s * s) / 6.0
    w3 = t * t * t / 6.0
    return wp.vec3(w2 + w3, w1 / (w0 + w1) - 1.0, w3 / (w2 + w3) + 1.0)


@wp.func
def smooth_map_radiance(distant: Distant, environment: int, direction: wp.vec3):
    """Return the sharp level's radiance in a unit direction without the edges of its texels: for what cameras see."""
    place = map_place(distant, environment, direction)
    first = distant.maps[environment].first
    rows = distant.maps[environment].rows
    columns = distant.maps[environment].columns
    x = place[0] * float(columns) - 0.5
    y = place[1] * float(rows) - 0.5
    across = spline_share(x - wp.floor(x))
    down = spline_share(y - wp.floor(y))
    left = (wp.floor(x) + across[1] + 0.5) / float(columns)
    right = (wp.floor(x) + across[2] + 0.5) / float(columns)
    top = (wp.floor(y) + down[1] + 0.5) / float(rows)
    bottom = (wp.floor(y) + down[2] + 0.5) / float(rows)
    high = wp.lerp(
        map_texel(distant, first, rows, columns, wp.vec2(left, top)),
        map_texel(distant, first, rows, columns, wp.vec2(right, top)),
        across[0],
    )
    low = wp.lerp(
        map_texel(distant, first, rows, columns, wp.vec2(left, bottom)),
        map_texel(distant, first, rows, columns, wp.vec2(right, bottom)),
        across[0],
    )
    return wp.lerp(high, low, down[0]) * distant.maps[environment].scale


@wp.func
def map_radiance(distant: Distant, environment: int, direction: wp.vec3, roughness: float):
    """Return a map's radiance in a unit direction, blurred as a surface of this roughness mirrors it."""
    place = map_place(distant, environment, direction)
    level = wp.clamp(roughness, 0.0, 1.0) * float(ROUGH_LEVELS)
    lower = wp.min(int(level), ROUGH_LEVELS - 1)
    blend = level - float(lower)
    size = ROUGH_ROWS * ROUGH_COLUMNS
    rough = distant.maps[environment].first_rough + (lower - 1) * size
    light = wp.vec3(0.0, 0.0, 0.0)
    if lower == 0:
        first = distant.maps[environment].first
        rows = distant.maps[environment].rows
        light = map_texel(distant, first, rows, distant.maps[environment].columns, place)
        light = light * distant.maps[environment].scale
    else:
        light = map_texel(distant, rough, ROUGH_ROWS, ROUGH_COLUMNS, place)
    if blend > 0.0:
        light = wp.lerp(light, map_texel(distant, rough + size, ROUGH_ROWS, ROUGH_COLUMNS, place), blend)
    return light


@wp.func
def row_of(distant: Distant, table: int, u: float):
    """Return the last row whose cumulative probability is at most u."""
    low = int(0)
    high = int(CELL_ROWS)
    while high - low > 1:
        middle = (low + high) // 2
        if distant.row_sums[table, middle] <= u:
            low = middle
        else:
            high = middle
    return low


@wp.func
def column_of(distant: Distant, table: int, row: int, u: float):
    """Return the last column of a row whose cumulative probability is at most u."""
    low = int(0)
    high = int(CELL_COLUMNS)
    while high - low > 1:
        middle = (low + high) // 2
        if distant.column_sums[table, row, middle] <= u:
            low = middle
        else:
            high = middle
    return low


@wp.func
def cell_pdf(distant: Distant, table: int, row: int, column: int):
    """Return the density [1/sr] of the directions of a cell."""
    chance = distant.row_sums[table, row + 1] - distant.row_sums[table, row]
    chance *= distant.column_sums[table, row, column + 1] - distant.column_sums[table, row, column]
    top = wp.cos(float(row) * 0.5 * TAU / float(CELL_ROWS))
    bottom = wp.cos(float(row + 1) * 0.5 * TAU / float(CELL_ROWS))
    return chance * float(CELL_COLUMNS) / (TAU * (top - bottom))


@wp.func
def map_pdf(distant: Distant, environment: int, direction: wp.vec3):
    """Return the density [1/sr] with which `sample_map` draws a unit direction."""
    pdf = float(UNIFORM_PDF)
    if distant.maps[environment].used != 0:
        place = map_place(distant, environment, direction)
        row = wp.clamp(int(place[1] * float(CELL_ROWS)), 0, CELL_ROWS - 1)
        column = wp.clamp(int(place[0] * float(CELL_COLUMNS)), 0, CELL_COLUMNS - 1)
        pdf = cell_pdf(distant, distant.maps[environment].table, row, column)
    return pdf


@wp.func
def sample_map(distant: Distant, environment: int, u: float, v: float):
    """Draw a unit direction from two uniform numbers in [0, 1); returns it with its density [1/sr].

    A map's directions are drawn in proportion to the light of its cells, evenly within one; an environment without a
    map gives all directions alike.

    Source: M. Pharr, W. Jakob, G. Humphreys, "Physically Based Rendering", 3rd ed. (2016), section 14.2.4.
    """
    height = 1.0 - 2.0 * u
    azimuth = TAU * v
    pdf = float(UNIFORM_PDF)
    if distant.maps[environment].used != 0:
        table = distant.maps[environment].table
        row = row_of(distant, table, u)
        start = distant.row_sums[table, row]
        dy = wp.clamp((u - start) / wp.max(distant.row_sums[table, row + 1] - start, 1.0e-20), 0.0, 0.999999)
        column = column_of(distant, table, row, v)
        left = distant.column_sums[table, row, column]
        dx = wp.clamp((v - left) / wp.max(distant.column_sums[table, row, column + 1] - left, 1.0e-20), 0.0, 0.999999)
        top = wp.cos(float(row) * 0.5 * TAU / float(CELL_ROWS))
        bottom = wp.cos(float(row + 1) * 0.5 * TAU / float(CELL_ROWS))
        height = wp.lerp(top, bottom, dy)
        azimuth = (0.5 - (float(column) + dx) / float(CELL_COLUMNS)) * TAU
        pdf = cell_pdf(distant, table, row, column)
    ring = wp.sqrt(wp.max(1.0 - height * height, 0.0))
    x = ring * wp.cos(azimuth)
    y = ring * wp.sin(azimuth)
    c = distant.maps[environment].cosine
    s = distant.maps[environment].sine
    return wp.vec3(x * c - y * s, x * s + y * c, height), pdf
