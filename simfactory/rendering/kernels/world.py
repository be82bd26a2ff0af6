"""What every ray meets: instances over a two-level tree, and exact intersection with their triangles."""

import warp as wp

from simfactory.rendering.kernels.options import OPTIONS

__all__ = [
    "CLOSED",
    "CONVEX",
    "DEFORMING",
    "GROUND_PLANE",
    "LIQUID",
    "OCCLUDER",
    "OPEN",
    "Hit",
    "Instance",
    "Point",
    "World",
    "any_hit",
    "blocks",
    "camera_ray",
    "closest_hit",
    "corner",
    "intersect",
    "next_hit",
    "nonzero",
]

wp.set_module_options(OPTIONS)

CONVEX = wp.constant(1)  # closed and convex: a front-facing point is never hidden by its own instance
DEFORMING = wp.constant(2)  # vertices are in world coordinates
OCCLUDER = wp.constant(4)  # darkens the ambient light of its neighbours
GROUND_PLANE = wp.constant(8)  # the floor, whose far edge fades into the horizon
OPEN = wp.constant(32)  # a room without ceiling
LIQUID = wp.constant(64)  # vertices in world coordinates, other triangles at every instant
CLOSED = wp.constant(16)  # every edge is shared by two triangles, normals outward: from outside, fronts come first

# How far the search for a missed front moves aside, in parts of the coordinates' size: some float32 steps.
ASIDE = wp.constant(1.0e-6)

# Rays of different batches may meet instances in another order; a limit this much beyond the best hit so far lets
# two instances at the same distance both be seen, and the smaller index wins.
TIE = wp.constant(1.000001)


@wp.struct
class Instance:
    """One surface in one placement; vertices, indices and normals lie in flat arrays from the `first_*` offsets on."""

    mesh: wp.uint64
    rotation: wp.mat33d  # local to world
    position: wp.vec3d  # of the local origin, world [m]
    first_vertex: wp.int32
    first_rest: wp.int32  # vertices at rest, for textures; of a liquid: where they are carried to
    first_index: wp.int32
    first_normal: wp.int32  # one normal per triangle corner
    flags: wp.int32
    slack: wp.float32  # how far points carried along with a liquid may be below its surface [m]; 0: no liquid
    instance: wp.int32  # id, 1 and up
    # Of a level grid about the origin, or a room above it: cells along x, y and (of a room) z; 0 = another mesh.
    lattice_cells: wp.vec3i
    lattice_half: wp.vec3d  # half edges along x and y, height [m]
    proxy_center: wp.vec3  # of the bounding box, local [m]
    proxy_half: wp.vec3  # half extents of the bounding box, local [m]
    proxy_gain: wp.float32  # how much more than an ellipsoid of these extents it hides


@wp.struct
class World:
    """All environments of one placement."""

    tree: wp.uint64  # over the instances' world bounds, grouped by environment
    roots: wp.array(dtype=wp.int32)  # by environment
    instances: wp.array(dtype=Instance)
    vertices: wp.array(dtype=wp.vec3)
    indices: wp.array(dtype=wp.int32)
    normals: wp.array(dtype=wp.vec3)


@wp.struct
class Hit:
    """The nearest triangle along a ray; item is an index into `World.instances`, -1 for none."""

    item: wp.int32
    triangle: wp.int32
    distance: wp.float32  # in lengths of the ray's direction


@wp.struct
class Point:
    """Where a ray meets a triangle's plane, in float64."""

    distance: wp.float64  # in lengths of the ray's direction
    b0: wp.float64
    b1: wp.float64
    local: wp.vec3d  # in the frame of the instance's vertices
    normal: wp.vec3d  # unit, outward by winding, frame of the vertices


@wp.func
def nonzero(direction: wp.vec3):
    """Keep slab tests free of 0 · inf."""
    x = direction[0]
    y = direction[1]
    z = direction[2]
    if wp.abs(x) < 1.0e-12:
        x = 1.0e-12
    if wp.abs(y) < 1.0e-12:
        y = 1.0e-12
    if wp.abs(z) < 1.0e-12:
        z = 1.0e-12
    return wp.vec3(x, y, z)


@wp.func
def camera_ray(camera_to_world: wp.mat44d, intrinsics: wp.vec4d, u: wp.float64, v: wp.float64):
    """Return the direction of the ray through raster point (u, v), world frame, with depth 1 along the optical axis."""
    x = (u - intrinsics[2]) / intrinsics[0]
    y = (v - intrinsics[3]) / intrinsics[1]
    return wp.vec3d(
        camera_to_world[0, 0] * x + camera_to_world[0, 1] * y + camera_to_world[0, 2],
        camera_to_world[1, 0] * x + camera_to_world[1, 1] * y + camera_to_world[1, 2],
        camera_to_world[2, 0] * x + camera_to_world[2, 1] * y + camera_to_world[2, 2],
    )


@wp.func
def lattice_distance(world: World, item: int, start: wp.vec3d, along: wp.vec3d):
    """Return where a local ray crosses a level grid, or -1: a floor of many cells needs no tree."""
    distance = wp.float64(-1.0)
    if along[2] != wp.float64(0.0):
        crossing = -start[2] / along[2]
        half = world.instances[item].lattice_half
        x = start[0] + crossing * along[0]
        y = start[1] + crossing * along[1]
        if wp.abs(x) <= half[0] and wp.abs(y) <= half[1]:
            distance = crossing
    return distance


@wp.func
def cell_triangle(u: wp.float64, v: wp.float64, across: int, upward: int):
    """Return the triangle of a grid of cells that holds a place 0–1: two per cell, the lower one first."""
    x = u * wp.float64(across)
    y = v * wp.float64(upward)
    i = wp.clamp(int(wp.floor(x)), 0, across - 1)
    j = wp.clamp(int(wp.floor(y)), 0, upward - 1)
    upper = int(0)
    if y - wp.float64(j) > x - wp.float64(i):
        upper = 1
    return 2 * (i * upward + j) + upper


@wp.func
def lattice_triangle(world: World, item: int, x: wp.float64, y: wp.float64):
    """Return the triangle of a level grid that holds a local point."""
    cells = world.instances[item].lattice_cells
    half = world.instances[item].lattice_half
    u = (x + half[0]) / (half[0] + half[0])
    v = (y + half[1]) / (half[1] + half[1])
    return cell_triangle(u, v, cells[0], cells[1])


@wp.func
def room_distance(world: World, item: int, start: wp.vec3d, along: wp.vec3d):
    """Return where a local ray meets a room's walls or ceiling, or -1: a box without floor, seen from both sides."""
    half = world.instances[item].lattice_half
    zero = wp.float64(0.0)
    enter = -wp.float64(1.0e30)
    leave = wp.float64(1.0e30)
    enter_wall = bool(False)
    leave_wall = bool(False)
    for axis in range(3):
        low = -half[axis]
        if axis == 2:
            low = zero
        if along[axis] != zero:
            near = (low - start[axis]) / along[axis]
            far = (half[axis] - start[axis]) / along[axis]
            upper = along[axis] > zero  # whether it leaves at the upper side
            if not upper:
                other = near
                near = far
                far = other
            if near > enter:
                enter = near
                enter_wall = axis < 2 or (not upper and (world.instances[item].flags & OPEN) == 0)
            if far < leave:
                leave = far
                leave_wall = axis < 2 or (upper and (world.instances[item].flags & OPEN) == 0)
        elif start[axis] < low or start[axis] > half[axis]:
            leave = -wp.float64(1.0e30)
    distance = wp.float64(-1.0)
    if enter <= leave:
        if enter > zero and enter_wall:
            distance = enter
        elif leave > zero and leave_wall:
            distance = leave
    return distance


@wp.func
def room_triangle(world: World, item: int, point: wp.vec3d):
    """Return the triangle of a room's walls or ceiling that holds a local point; sides in the order of `room_mesh`."""
    cells = world.instances[item].lattice_cells
    half = world.instances[item].lattice_half
    one = wp.float64(1.0)
    u = (point[0] + half[0]) / (half[0] + half[0])
    v = (point[1] + half[1]) / (half[1] + half[1])
    w = point[2] / half[2]
    back = wp.abs(point[1] + half[1])
    right = wp.abs(point[0] - half[0])
    front = wp.abs(point[1] - half[1])
    left = wp.abs(point[0] + half[0])
    top = wp.abs(point[2] - half[2])
    if (world.instances[item].flags & OPEN) != 0:
        top = wp.float64(1.0e30)
    nearest = wp.min(wp.min(wp.min(back, front), wp.min(left, right)), top)
    first = int(0)
    triangle = int(0)
    if nearest == back:
        triangle = cell_triangle(u, w, cells[0], cells[2])
    elif nearest == right:
        first = 2 * cells[0] * cells[2]
        triangle = cell_triangle(v, w, cells[1], cells[2])
    elif nearest == front:
        first = 2 * (cells[0] + cells[1]) * cells[2]
        triangle = cell_triangle(one - u, w, cells[0], cells[2])
    elif nearest == left:
        first = 2 * (cells[0] + cells[1] + cells[0]) * cells[2]
        triangle = cell_triangle(one - v, w, cells[1], cells[2])
    else:
        first = 4 * (cells[0] + cells[1]) * cells[2]
        triangle = cell_triangle(u, v, cells[0], cells[1])
    return first + triangle


@wp.func
def plain_distance(world: World, item: int, start: wp.vec3d, along: wp.vec3d):
    """Return where a local ray meets a floor or a room, or -1."""
    distance = wp.float64(-1.0)
    if world.instances[item].lattice_cells[2] > 0:
        distance = room_distance(world, item, start, along)
    else:
        distance = lattice_distance(world, item, start, along)
    return distance


@wp.func
def missed_front(mesh: wp.uint64, start: wp.vec3, along: wp.vec3, back: float):
    """Look beside a ray for the front that it slipped through; returns its triangle and distance, or -1.

    A float32 ray can pass between two triangles at their edge, or past a flat node of the tree, and then meets a
    closed body from inside. Four rays a few float32 steps away do not all find the same gap.
    """
    across = wp.normalize(wp.cross(along, wp.vec3(along[2], along[0], along[1] + 0.5 * wp.abs(along[0]))))
    other = wp.normalize(wp.cross(along, across))
    step = ASIDE * (wp.length(start) + back * wp.length(along))
    triangle = int(-1)
    distance = float(back)
    for k in range(4):
        side = across
        if k % 2 == 1:
            side = other
        side = side * (step * (1.0 - float(k - k % 2)))
        ray = wp.mesh_query_ray(mesh, start + side, along, distance)
        if ray.result:
            if ray.sign > 0.0:
                triangle = ray.face
                distance = ray.t
    return triangle, distance


@wp.func
def next_hit(world: World, root: int, origin: wp.vec3d, direction: wp.vec3d, limit: float, within: int):
    """Return the nearest hit nearer than `limit` of a ray that starts within an item's body: it meets its back there.

    -1 = within none.
    """
    hit = Hit()
    hit.item = int(-1)
    hit.triangle = int(-1)
    hit.distance = limit
    reach = float(limit)
    item = int(0)
    query = wp.bvh_query_ray(world.tree, wp.vec3(origin), nonzero(wp.vec3(direction)), root)
    while wp.bvh_query_next(query, item, reach):
        rotation = world.instances[item].rotation
        start = (origin - world.instances[item].position) @ rotation
        along = direction @ rotation
        distance = float(-1.0)
        triangle = int(-1)
        if world.instances[item].lattice_cells[0] > 0:
            crossing = plain_distance(world, item, start, along)
            distance = float(crossing)
            if distance >= 0.0 and distance < reach:
                point = start + crossing * along
                if world.instances[item].lattice_cells[2] > 0:
                    triangle = room_triangle(world, item, point)
                else:
                    triangle = lattice_triangle(world, item, point[0], point[1])
        else:
            ray = wp.mesh_query_ray(world.instances[item].mesh, wp.vec3(start), nonzero(wp.vec3(along)), reach)
            if ray.result:
                distance = ray.t
                triangle = ray.face
                if ray.sign < 0.0 and item != within and (world.instances[item].flags & CLOSED) != 0:
                    mesh = world.instances[item].mesh
                    front, nearer = missed_front(mesh, wp.vec3(start), nonzero(wp.vec3(along)), ray.t)
                    if front >= 0:
                        distance = nearer
                        triangle = front
        if triangle >= 0:
            if distance < hit.distance or (distance == hit.distance and item < hit.item):
                hit.item = item
                hit.triangle = triangle
                hit.distance = distance
                reach = distance * TIE
    return hit


@wp.func
def closest_hit(world: World, root: int, origin: wp.vec3d, direction: wp.vec3d, limit: float):
    """Return the nearest hit nearer than `limit`."""
    return next_hit(world, root, origin, direction, limit, -1)


@wp.func
def blocks(world: World, item: int, origin: wp.vec3d, direction: wp.vec3d, limit: float):
    """Return whether one instance lies on a ray nearer than `limit`."""
    rotation = world.instances[item].rotation
    start = (origin - world.instances[item].position) @ rotation
    along = direction @ rotation
    blocked = bool(False)
    if world.instances[item].lattice_cells[0] > 0:
        distance = float(plain_distance(world, item, start, along))
        blocked = distance >= 0.0 and distance < limit
    else:
        blocked = wp.mesh_query_ray_anyhit(world.instances[item].mesh, wp.vec3(start), nonzero(wp.vec3(along)), limit)
    return blocked


@wp.func
def any_hit(world: World, root: int, origin: wp.vec3d, direction: wp.vec3d, limit: float, skip: int):
    """Return whether anything but item `skip` lies nearer than `limit`."""
    item = int(0)
    found = bool(False)
    query = wp.bvh_query_ray(world.tree, wp.vec3(origin), nonzero(wp.vec3(direction)), root)
    while wp.bvh_query_next(query, item, limit):
        if item != skip:
            found = blocks(world, item, origin, direction, limit)
            if found:
                break
    return found


@wp.func
def corner(world: World, item: int, triangle: int, k: int):
    """Return the k-th vertex of a triangle, frame of the vertices."""
    index = world.indices[world.instances[item].first_index + 3 * triangle + k]
    return wp.vec3d(world.vertices[world.instances[item].first_vertex + index])


@wp.func
def intersect(world: World, item: int, triangle: int, origin: wp.vec3d, direction: wp.vec3d):
    """Intersect a ray with a triangle's plane in float64: the ray cast only chose the triangle."""
    rotation = world.instances[item].rotation
    start = (origin - world.instances[item].position) @ rotation
    along = direction @ rotation
    v0 = corner(world, item, triangle, 0)
    edge1 = corner(world, item, triangle, 1) - v0
    edge2 = corner(world, item, triangle, 2) - v0
    normal = wp.cross(edge1, edge2)
    point = Point()
    area = wp.dot(normal, normal)
    slope = wp.dot(along, normal)
    if slope != wp.float64(0.0) and area > wp.float64(0.0):
        point.distance = wp.dot(v0 - start, normal) / slope
        point.local = start + along * point.distance
        offset = point.local - v0
        point.b1 = wp.dot(wp.cross(offset, edge2), normal) / area
        point.b0 = wp.float64(1.0) - point.b1 - wp.dot(wp.cross(edge1, offset), normal) / area
        point.normal = normal / wp.sqrt(area)
    return point
