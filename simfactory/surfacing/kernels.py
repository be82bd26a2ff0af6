"""Kernels that turn particles into a surface: a field on blocks of nodes, marching cubes, and who carries vertices.

Sources: Y. Zhu, R. Bridson, "Animating sand as a fluid" (2005), for the field; W. E. Lorensen, H. E. Cline, "Marching
cubes" (1987).
"""

import warp as wp

from simfactory.launches import scatters

__all__ = [
    "EDGE",
    "add_neighbors",
    "count_pieces",
    "find_carriers",
    "place_vertices",
    "scatter_field",
    "smooth",
    "write_triangles",
]

wp.set_module_options({"enable_backward": False})
scatters(__name__, records=256)  # nodes within reach of a particle

EDGE = 8  # nodes along a block
NODES = wp.constant(512)  # of a block
CARRIERS = 8  # particles that carry a vertex
Carriers = wp.types.vector(length=CARRIERS, dtype=wp.float32)
CarrierIds = wp.types.vector(length=CARRIERS, dtype=wp.int32)


@wp.func
def packed(x: int, y: int, z: int):
    """Return the key of a block; blocks are numbered in the order of their keys."""
    base = wp.int64(1 << 20)
    wide = wp.int64(1 << 21)
    return ((wp.int64(x) + base) * wide + (wp.int64(y) + base)) * wide + (wp.int64(z) + base)


@wp.func
def found(keys: wp.array(dtype=wp.int64), key: wp.int64):
    """Return the row of a key, -1 if there is none."""
    low = int(0)
    high = keys.shape[0]
    while low < high:
        middle = (low + high) // 2
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    result = int(-1)
    if low < keys.shape[0]:
        if keys[low] == key:
            result = low
    return result


@wp.kernel
def scatter_field(
    positions: wp.array(dtype=wp.vec3),
    step: float,
    reach: float,
    keys: wp.array(dtype=wp.int64),
    field: wp.array(dtype=wp.vec4),
):
    """Add each particle's weight, and the weighted way to it, to the nodes within reach."""
    p = wp.tid()
    place = positions[p]
    low = wp.vec3i(0, 0, 0)
    high = wp.vec3i(0, 0, 0)
    for axis in range(3):
        low[axis] = int(wp.ceil((place[axis] - reach) / step))
        high[axis] = int(wp.floor((place[axis] + reach) / step))
    for bx in range(low[0] >> 3, (high[0] >> 3) + 1):
        for by in range(low[1] >> 3, (high[1] >> 3) + 1):
            for bz in range(low[2] >> 3, (high[2] >> 3) + 1):
                block = found(keys, packed(bx, by, bz))
                if block >= 0:
                    for i in range(wp.max(low[0], 8 * bx), wp.min(high[0], 8 * bx + 7) + 1):
                        for j in range(wp.max(low[1], 8 * by), wp.min(high[1], 8 * by + 7) + 1):
                            for k in range(wp.max(low[2], 8 * bz), wp.min(high[2], 8 * bz + 7) + 1):
                                way = place - wp.vec3(float(i), float(j), float(k)) * step
                                left = 1.0 - wp.length_sq(way) / (reach * reach)
                                if left > 0.0:
                                    weight = left * left * left
                                    node = block * NODES + (i - 8 * bx) * 64 + (j - 8 * by) * 8 + (k - 8 * bz)
                                    add = wp.vec4(way[0] * weight, way[1] * weight, way[2] * weight, weight)
                                    wp.atomic_add(field, node, add)


@wp.func
def node_of(blocks: wp.array2d(dtype=wp.int32), block: int, i: int, j: int, k: int):
    """Return the row of a node of a block or of the blocks that follow it, -1 if there is none."""
    neighbor = blocks[block, (i >> 3) * 4 + (j >> 3) * 2 + (k >> 3)]
    row = int(-1)
    if neighbor >= 0:
        row = neighbor * NODES + (i & 7) * 64 + (j & 7) * 8 + (k & 7)
    return row


@wp.func
def level(field: wp.array(dtype=wp.vec4), radius: float, row: int):
    """Return how deep a node is inside the liquid [m]: its distance from the mean particle about it decides."""
    value = -radius
    if row >= 0:
        sum = field[row]
        if sum[3] > 1.0e-6:
            value = radius - wp.length(wp.vec3(sum[0], sum[1], sum[2])) / sum[3]
    return value


@wp.kernel
def count_pieces(
    field: wp.array(dtype=wp.vec4),
    blocks: wp.array2d(dtype=wp.int32),
    radius: float,
    corner_offsets: wp.array2d(dtype=wp.int32),
    case_ranges: wp.array(dtype=wp.int32),
    vertex_counts: wp.array(dtype=wp.int32),
    index_counts: wp.array(dtype=wp.int32),
):
    """Count the vertices on the three edges from each node, and the triangle corners of the cell above it."""
    node = wp.tid()
    block = node // NODES
    i = (node >> 6) & 7
    j = (node >> 3) & 7
    k = node & 7
    inside = level(field, radius, node) > 0.0
    count = int(0)
    for axis in range(3):
        step = wp.vec3i(0, 0, 0)
        step[axis] = 1
        other = level(field, radius, node_of(blocks, block, i + step[0], j + step[1], k + step[2])) > 0.0
        if inside != other:
            count += 1
    vertex_counts[node] = count
    case = int(0)
    for corner in range(8):
        row = node_of(
            blocks,
            block,
            i + corner_offsets[corner, 0],
            j + corner_offsets[corner, 1],
            k + corner_offsets[corner, 2],
        )
        if level(field, radius, row) > 0.0:
            case = case | (1 << corner)
    index_counts[node] = case_ranges[case + 1] - case_ranges[case]


@wp.kernel
def place_vertices(
    field: wp.array(dtype=wp.vec4),
    blocks: wp.array2d(dtype=wp.int32),
    places: wp.array(dtype=wp.vec3i),
    step: float,
    radius: float,
    first: wp.array(dtype=wp.int32),
    edges: wp.array2d(dtype=wp.int32),
    vertices: wp.array(dtype=wp.vec3),
):
    """Put a vertex where the field is zero on each edge that crosses the surface."""
    node = wp.tid()
    block = node // NODES
    i = (node >> 6) & 7
    j = (node >> 3) & 7
    k = node & 7
    own = level(field, radius, node)
    entry = first[node]
    corner = wp.vec3(float(8 * places[block][0] + i), float(8 * places[block][1] + j), float(8 * places[block][2] + k))
    for axis in range(3):
        edges[node, axis] = -1
        along = wp.vec3i(0, 0, 0)
        along[axis] = 1
        other = level(field, radius, node_of(blocks, block, i + along[0], j + along[1], k + along[2]))
        if (own > 0.0) != (other > 0.0):
            share = wp.clamp(own / (own - other), 0.02, 0.98)
            place = corner
            place[axis] = place[axis] + share
            vertices[entry] = place * step
            edges[node, axis] = entry
            entry += 1


@wp.kernel
def write_triangles(
    field: wp.array(dtype=wp.vec4),
    blocks: wp.array2d(dtype=wp.int32),
    radius: float,
    corner_offsets: wp.array2d(dtype=wp.int32),
    edge_corners: wp.array2d(dtype=wp.int32),
    case_ranges: wp.array(dtype=wp.int32),
    local_edges: wp.array(dtype=wp.int32),
    first: wp.array(dtype=wp.int32),
    edges: wp.array2d(dtype=wp.int32),
    indices: wp.array(dtype=wp.int32),
):
    """Write the triangles of every cell that the surface passes through."""
    node = wp.tid()
    block = node // NODES
    i = (node >> 6) & 7
    j = (node >> 3) & 7
    k = node & 7
    case = int(0)
    for corner in range(8):
        row = node_of(
            blocks,
            block,
            i + corner_offsets[corner, 0],
            j + corner_offsets[corner, 1],
            k + corner_offsets[corner, 2],
        )
        if level(field, radius, row) > 0.0:
            case = case | (1 << corner)
    entry = first[node]
    for position in range(case_ranges[case], case_ranges[case + 1]):
        edge = local_edges[position]
        a = edge_corners[edge, 0]
        b = edge_corners[edge, 1]
        axis = int(0)
        low = wp.vec3i(0, 0, 0)
        for k3 in range(3):
            low[k3] = wp.min(corner_offsets[a, k3], corner_offsets[b, k3])
            if corner_offsets[a, k3] != corner_offsets[b, k3]:
                axis = k3
        row = node_of(blocks, block, i + low[0], j + low[1], k + low[2])
        indices[entry] = edges[row, axis]
        entry += 1


@wp.kernel
def add_neighbors(
    indices: wp.array(dtype=wp.int32),
    vertices: wp.array(dtype=wp.vec3),
    sums: wp.array(dtype=wp.vec3),
    counts: wp.array(dtype=wp.int32),
):
    """Add to each corner of a triangle the two others."""
    face = wp.tid()
    for corner in range(3):
        own = indices[3 * face + corner]
        for other in range(1, 3):
            wp.atomic_add(sums, own, vertices[indices[3 * face + (corner + other) % 3]])
        wp.atomic_add(counts, own, 2)


@wp.kernel
def smooth(
    sums: wp.array(dtype=wp.vec3), counts: wp.array(dtype=wp.int32), share: float, vertices: wp.array(dtype=wp.vec3)
):
    """Move vertices towards the middle of their neighbours."""
    row = wp.tid()
    if counts[row] > 0:
        vertices[row] = wp.lerp(vertices[row], sums[row] / float(counts[row]), share)


@wp.kernel
def find_carriers(
    grid: wp.uint64,
    positions: wp.array(dtype=wp.vec3),
    vertices: wp.array(dtype=wp.vec3),
    reach: float,
    particles: wp.array2d(dtype=wp.int32),
    weights: wp.array2d(dtype=wp.float32),
):
    """Find the particles nearest to each vertex, and weights that fall to zero at a distance of `reach`."""
    row = wp.tid()
    place = vertices[row]
    squares = Carriers()
    ids = CarrierIds()
    for slot in range(CARRIERS):
        squares[slot] = reach * reach
        ids[slot] = -1
    for other in wp.hash_grid_query(grid, place, reach):
        square = wp.length_sq(positions[other] - place)
        id = other
        for slot in range(CARRIERS):
            # Equal distances go by number, so that the order of the search does not matter.
            if square < squares[slot] or (square == squares[slot] and id < ids[slot]):
                kept = squares[slot]
                squares[slot] = square
                square = kept
                last = ids[slot]
                ids[slot] = id
                id = last
    total = float(0.0)
    for slot in range(CARRIERS):
        if ids[slot] >= 0:
            left = 1.0 - squares[slot] / (reach * reach)
            total += left * left * left
    for slot in range(CARRIERS):
        particles[row, slot] = wp.max(ids[slot], 0)
        weights[row, slot] = 0.0
        if ids[slot] >= 0 and total > 0.0:
            left = 1.0 - squares[slot] / (reach * reach)
            weights[row, slot] = left * left * left / total
