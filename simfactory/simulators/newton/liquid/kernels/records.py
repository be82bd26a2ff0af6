"""The grid that a liquid is solved on, and the solids that it meets."""

import warp as wp

__all__ = ["FAR", "Grid", "Solid", "body_velocity", "face_place", "near_ball", "solid_distance"]

FAR = wp.constant(2.0)  # [m] how far inside a solid its surface is looked for


@wp.struct
class Grid:
    """A staggered grid: pressures at the middles of cells, each component of velocity at the faces across its axis.

    Face `axis` of a cell is that on its lower side along the axis.
    """

    origin: wp.vec3  # lower corner, world frame [m]
    cell: wp.float32  # edge of a cell [m]
    size: wp.vec3i  # cells along x, y, z


@wp.struct
class Solid:
    """A rigid body as the closed mesh that is seen."""

    mesh: wp.uint64
    lower: wp.vec3  # corners of its box, body frame [m]
    upper: wp.vec3
    radius: wp.float32  # of the ball about the body's origin that holds it [m]
    pose: wp.transform  # of a static body; others move
    row: wp.int32  # among the bodies that move; -1 = static


@wp.func
def face_place(grid: Grid, i: int, j: int, k: int, axis: int):
    """Return the middle of a cell's lower face along an axis, world frame [m]; axis -1: the middle of the cell."""
    place = wp.vec3(float(i) + 0.5, float(j) + 0.5, float(k) + 0.5)
    if axis >= 0:
        place[axis] = place[axis] - 0.5
    return grid.origin + place * grid.cell


@wp.func
def near_ball(solid: Solid, poses: wp.array(dtype=wp.transform), place: wp.vec3, reach: float):
    """Return whether a world point is within reach of the ball that holds a solid."""
    center = wp.transform_get_translation(solid.pose)
    if solid.row >= 0:
        center = wp.transform_get_translation(poses[solid.row])
    return wp.length_sq(place - center) < (solid.radius + reach) * (solid.radius + reach)


@wp.func
def solid_distance(solid: Solid, poses: wp.array(dtype=wp.transform), place: wp.vec3, reach: float):
    """Return the signed distance [m] of a world point from a solid, at most `reach`, and the unit normal there."""
    pose = solid.pose
    if solid.row >= 0:
        pose = poses[solid.row]
    local = wp.transform_point(wp.transform_inverse(pose), place)
    distance = float(reach)
    normal = wp.vec3(0.0, 0.0, 1.0)
    near = bool(True)
    for axis in range(3):
        if local[axis] < solid.lower[axis] - reach or local[axis] > solid.upper[axis] + reach:
            near = False
    if near:
        found = wp.mesh_query_point_sign_normal(solid.mesh, local, FAR)
        if found.result:
            away = local - wp.mesh_eval_position(solid.mesh, found.face, found.u, found.v)
            gap = wp.length(away)
            distance = wp.min(found.sign * gap, reach)
            if gap > 1.0e-7:
                normal = wp.transform_vector(pose, away * (found.sign / gap))
            else:
                normal = wp.transform_vector(pose, wp.mesh_eval_face_normal(solid.mesh, found.face))
    return distance, normal


@wp.func
def body_velocity(
    poses: wp.array(dtype=wp.transform),
    centers: wp.array(dtype=wp.vec3),
    velocities: wp.array(dtype=wp.spatial_vector),
    row: int,
    place: wp.vec3,
):
    """Return the velocity [m/s] of a moving body's material at a world point."""
    arm = place - wp.transform_point(poses[row], centers[row])
    moving = velocities[row]
    return wp.spatial_top(moving) + wp.cross(wp.spatial_bottom(moving), arm)
