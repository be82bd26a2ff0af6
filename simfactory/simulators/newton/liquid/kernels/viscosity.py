"""Viscosity: velocities of faces diffuse, implicitly, and stick to solids."""

import warp as wp

from simfactory.launches import scatters
from simfactory.simulators.newton.liquid.kernels.records import Grid, body_velocity, face_place
from simfactory.simulators.newton.liquid.kernels.solids import face_owner, open_share

__all__ = ["diffuse", "drag_bodies"]

scatters(__name__, records=8)  # sides of a face

DEEP = wp.constant(0.3)  # [1] fullness of the next cell from which a liquid is no film
THIN = wp.constant(0.1)  # [cell] thinnest that a film is taken to be


@wp.func
def next_face(grid: Grid, face: wp.vec4i, side: int):
    """Return the face of the same component next to one, and whether it is on the grid."""
    cell = wp.vec3i(face[1], face[2], face[3])
    axis = side // 2
    cell[axis] = cell[axis] + 2 * (side % 2) - 1
    inside = cell[axis] >= 0 and cell[axis] < grid.size[axis]
    return cell, inside


@wp.func
def hold(filled: wp.array3d(dtype=wp.float32), face: wp.vec4i, side: int):
    """Return how strongly a solid beside a face holds it, over ν / cell² [1].

    Of a film of thickness δ, whose mean velocity is what a face has, that is 3 (cell / δ)²; within a deep liquid the
    velocity falls to zero over half a cell.
    """
    axis = face[0]
    own = wp.vec3i(face[1], face[2], face[3])
    before = own
    before[axis] = before[axis] - 1
    away = wp.vec3i(0, 0, 0)
    away[side // 2] = 1 - 2 * (side % 2)
    above = own + away
    strength = float(2.0)
    if filled[above[0], above[1], above[2]] < DEEP:
        # Near a solid the measure of fullness misses half: what would lie beyond the wall.
        thick = filled[own[0], own[1], own[2]] + filled[before[0], before[1], before[2]]
        thick = wp.clamp(thick, THIN, 1.0)
        strength = 3.0 / (thick * thick)
    return strength


@wp.func
def solid_speed(
    grid: Grid,
    distance: wp.array3d(dtype=wp.float32),
    owner: wp.array3d(dtype=wp.int32),
    poses: wp.array(dtype=wp.transform),
    centers: wp.array(dtype=wp.vec3),
    body_velocities: wp.array(dtype=wp.spatial_vector),
    axis: int,
    cell: wp.vec3i,
):
    """Return the velocity along an axis of what closes a face, and the moving body's row or -1."""
    row = int(-1)
    value = float(0.0)
    if owner.shape[0] > 0:
        row = face_owner(distance, owner, cell[0], cell[1], cell[2], axis)
    if row >= 0:
        place = face_place(grid, cell[0], cell[1], cell[2], axis)
        speed = body_velocity(poses, centers, body_velocities, row, place)
        value = speed[axis]
    return value, row


@wp.kernel
def diffuse(
    grid: Grid,
    dt: float,
    face_count: wp.array(dtype=wp.int32),
    faces: wp.array(dtype=wp.vec4i),
    mass: wp.array4d(dtype=wp.float32),
    filled: wp.array3d(dtype=wp.float32),
    viscosity: wp.array4d(dtype=wp.float32),
    distance: wp.array3d(dtype=wp.float32),
    owner: wp.array3d(dtype=wp.int32),
    poses: wp.array(dtype=wp.transform),
    centers: wp.array(dtype=wp.vec3),
    body_velocities: wp.array(dtype=wp.spatial_vector),
    before: wp.array4d(dtype=wp.float32),
    source: wp.array4d(dtype=wp.float32),
    target: wp.array4d(dtype=wp.float32),
):
    """Take one Jacobi iteration of (1 - dt ν ∇²) u = u before; towards air nothing is exchanged."""
    entry = wp.tid()
    if entry >= wp.min(face_count[0], faces.shape[0]):
        return
    face = faces[entry]
    axis = face[0]
    own = viscosity[axis, face[1], face[2], face[3]]
    rate = dt / (grid.cell * grid.cell)
    total = before[axis, face[1], face[2], face[3]]
    weight = float(1.0)
    for side in range(6):
        cell, inside = next_face(grid, face, side)
        if inside:
            if open_share(distance, cell[0], cell[1], cell[2], axis) == 0.0:
                value, _row = solid_speed(grid, distance, owner, poses, centers, body_velocities, axis, cell)
                held = own * rate * hold(filled, face, side)
                total += held * value
                weight += held
            elif mass[axis, cell[0], cell[1], cell[2]] > 0.0:
                mean = 0.5 * (own + viscosity[axis, cell[0], cell[1], cell[2]]) * rate
                total += mean * source[axis, cell[0], cell[1], cell[2]]
                weight += mean
    target[axis, face[1], face[2], face[3]] = total / weight


@wp.kernel
def drag_bodies(
    grid: Grid,
    dt: float,
    face_count: wp.array(dtype=wp.int32),
    faces: wp.array(dtype=wp.vec4i),
    mass: wp.array4d(dtype=wp.float32),
    filled: wp.array3d(dtype=wp.float32),
    viscosity: wp.array4d(dtype=wp.float32),
    distance: wp.array3d(dtype=wp.float32),
    owner: wp.array3d(dtype=wp.int32),
    poses: wp.array(dtype=wp.transform),
    centers: wp.array(dtype=wp.vec3),
    body_velocities: wp.array(dtype=wp.spatial_vector),
    velocity: wp.array4d(dtype=wp.float32),
    impulse: wp.array(dtype=wp.spatial_vector),
    held: wp.array(dtype=wp.float32),
):
    """Add up what sticks to each body: impulse [N s, N m s] by the difference of velocities, and mass [kg]."""
    entry = wp.tid()
    if entry >= wp.min(face_count[0], faces.shape[0]):
        return
    face = faces[entry]
    axis = face[0]
    if open_share(distance, face[1], face[2], face[3], axis) == 0.0:
        return
    own = viscosity[axis, face[1], face[2], face[3]] * dt / (grid.cell * grid.cell)
    for side in range(6):
        cell, inside = next_face(grid, face, side)
        if inside:
            if open_share(distance, cell[0], cell[1], cell[2], axis) == 0.0:
                value, row = solid_speed(grid, distance, owner, poses, centers, body_velocities, axis, cell)
                if row >= 0:
                    amount = mass[axis, face[1], face[2], face[3]] * own * hold(filled, face, side)
                    push = wp.vec3(0.0, 0.0, 0.0)
                    push[axis] = amount * (velocity[axis, face[1], face[2], face[3]] - value)
                    place = face_place(grid, face[1], face[2], face[3], axis)
                    arm = place - wp.transform_point(poses[row], centers[row])
                    wp.atomic_add(impulse, row, wp.spatial_vector(push, wp.cross(arm, push)))
                    wp.atomic_add(held, row, amount)
