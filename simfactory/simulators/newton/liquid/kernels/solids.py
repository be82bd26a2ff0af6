"""Solids on the grid: signed distances at the corners of cells, and the share of each face that is open."""

import warp as wp

from simfactory.simulators.newton.liquid.kernels.records import Grid, Solid, near_ball, solid_distance

__all__ = ["find_fixed", "find_moving", "open_share", "open_volume"]

LEAST = wp.constant(0.02)  # [1] a face that is open less than this is closed


@wp.func
def corner_place(grid: Grid, i: int, j: int, k: int):
    """Return the lower corner of a cell, world frame [m]."""
    return grid.origin + wp.vec3(float(i), float(j), float(k)) * grid.cell


@wp.kernel
def find_fixed(
    grid: Grid,
    lower: wp.vec3,
    upper: wp.vec3,
    solids: wp.array(dtype=Solid),
    poses: wp.array(dtype=wp.transform),
    distance: wp.array3d(dtype=wp.float32),
):
    """Find the distance [m] of every corner from floor, walls and static bodies, at most two cells."""
    i, j, k = wp.tid()
    place = corner_place(grid, i, j, k)
    reach = 2.0 * grid.cell
    nearest = float(reach)
    for axis in range(3):
        nearest = wp.min(nearest, wp.min(place[axis] - lower[axis], upper[axis] - place[axis]))
    for index in range(solids.shape[0]):
        if solids[index].row < 0:
            gap, _normal = solid_distance(solids[index], poses, place, reach)
            nearest = wp.min(nearest, gap)
    distance[i, j, k] = wp.max(nearest, -reach)


@wp.kernel
def find_moving(
    grid: Grid,
    solids: wp.array(dtype=Solid),
    poses: wp.array(dtype=wp.transform),
    fixed: wp.array3d(dtype=wp.float32),
    distance: wp.array3d(dtype=wp.float32),
    owner: wp.array3d(dtype=wp.int32),
):
    """Find the distance of every corner from all solids, and the nearest moving body's row or -1."""
    i, j, k = wp.tid()
    distance[i, j, k] = fixed[i, j, k]
    owner[i, j, k] = -1
    place = corner_place(grid, i, j, k)
    reach = 2.0 * grid.cell
    nearest = float(reach)
    for index in range(solids.shape[0]):
        if solids[index].row >= 0 and near_ball(solids[index], poses, place, reach):
            gap, _normal = solid_distance(solids[index], poses, place, reach)
            if gap < nearest:
                nearest = gap
                owner[i, j, k] = solids[index].row
    distance[i, j, k] = wp.min(fixed[i, j, k], wp.max(nearest, -reach))


@wp.func
def open_share(distance: wp.array3d(dtype=wp.float32), i: int, j: int, k: int, axis: int):
    """Return the share of a cell's lower face along an axis that is outside solids [1]."""
    outside = float(0.0)
    total = float(0.0)
    for corner in range(4):
        a = corner // 2
        b = corner % 2
        x = i
        y = j
        z = k
        if axis == 0:
            y = j + a
            z = k + b
        elif axis == 1:
            x = i + a
            z = k + b
        else:
            x = i + a
            y = j + b
        value = distance[x, y, z]
        outside += wp.max(value, 0.0)
        total += wp.abs(value)
    result = float(0.0)
    if total > 0.0:
        result = outside / total
    if result < LEAST:
        result = 0.0
    return result


@wp.func
def face_owner(
    distance: wp.array3d(dtype=wp.float32), owner: wp.array3d(dtype=wp.int32), i: int, j: int, k: int, axis: int
):
    """Return the row of the moving body nearest to a cell's lower face along an axis, or -1."""
    row = int(-1)
    nearest = float(1.0e6)
    for corner in range(4):
        a = corner // 2
        b = corner % 2
        x = i
        y = j
        z = k
        if axis == 0:
            y = j + a
            z = k + b
        elif axis == 1:
            x = i + a
            z = k + b
        else:
            x = i + a
            y = j + b
        if owner[x, y, z] >= 0 and distance[x, y, z] < nearest:
            nearest = distance[x, y, z]
            row = owner[x, y, z]
    return row


@wp.func
def open_volume(distance: wp.array3d(dtype=wp.float32), i: int, j: int, k: int):
    """Return the share of a cell that is outside solids [1]."""
    outside = float(0.0)
    total = float(0.0)
    for a in range(2):
        for b in range(2):
            for c in range(2):
                value = distance[i + a, j + b, k + c]
                outside += wp.max(value, 0.0)
                total += wp.abs(value)
    result = float(0.0)
    if total > 0.0:
        result = outside / total
    return result
