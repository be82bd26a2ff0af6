"""From particles to the grid and back: affine particle-in-cell on a staggered grid.

Source: C. Jiang et al., "The affine particle-in-cell method", ACM Transactions on Graphics 34 (2015).
"""

import warp as wp

from simfactory.launches import scatters
from simfactory.simulators.newton.liquid.kernels.records import (
    Grid,
    Solid,
    body_velocity,
    near_ball,
    solid_distance,
)

__all__ = ["advect", "scatter", "settle_faces"]

scatters(__name__, records=64)  # solids that one particle is pressed into; faces of its cells are 24


CROWD = wp.constant(1.1)  # [1] fullness beyond which particles are stirred
STIR = wp.constant(0.5)  # [cell] how far, where it is twice as full as it should be


@wp.func
def corner_of(grid: Grid, place: wp.vec3, axis: int):
    """Return the lower of the eight samples about a place, in cells and as a share of the way to the next one."""
    along = (place - grid.origin) / grid.cell - wp.vec3(0.5, 0.5, 0.5)
    if axis >= 0:
        along[axis] = along[axis] + 0.5
    base = wp.vec3i(int(wp.floor(along[0])), int(wp.floor(along[1])), int(wp.floor(along[2])))
    return base, along - wp.vec3(float(base[0]), float(base[1]), float(base[2]))


@wp.func
def on_grid(grid: Grid, place: wp.vec3):
    """Return whether a place is inside the grid, a cell away from its border."""
    along = (place - grid.origin) / grid.cell
    inside = bool(True)
    for axis in range(3):
        if along[axis] < 1.0 or along[axis] > float(grid.size[axis]) - 1.0:
            inside = False
    return inside


@wp.func
def share(rest: wp.vec3, a: int, b: int, c: int):
    """Return the trilinear weight of one of the eight samples."""
    return (
        (float(a) * rest[0] + float(1 - a) * (1.0 - rest[0]))
        * (float(b) * rest[1] + float(1 - b) * (1.0 - rest[1]))
        * (float(c) * rest[2] + float(1 - c) * (1.0 - rest[2]))
    )


@wp.func
def slope(rest: wp.vec3, a: int, b: int, c: int):
    """Return the gradient of that weight [1/cell]."""
    x = float(a) * rest[0] + float(1 - a) * (1.0 - rest[0])
    y = float(b) * rest[1] + float(1 - b) * (1.0 - rest[1])
    z = float(c) * rest[2] + float(1 - c) * (1.0 - rest[2])
    return wp.vec3(float(2 * a - 1) * y * z, float(2 * b - 1) * x * z, float(2 * c - 1) * x * y)


@wp.kernel
def scatter(
    grid: Grid,
    gravity: wp.vec3,
    dt: float,
    positions: wp.array(dtype=wp.vec3),
    velocities: wp.array(dtype=wp.vec3),
    gradients: wp.array(dtype=wp.mat33),
    masses: wp.array(dtype=wp.float32),
    volumes: wp.array(dtype=wp.float32),
    viscosities: wp.array(dtype=wp.float32),
    momentum: wp.array4d(dtype=wp.float32),
    mass: wp.array4d(dtype=wp.float32),
    drag: wp.array4d(dtype=wp.float32),
    filled: wp.array3d(dtype=wp.float32),
    count: wp.array3d(dtype=wp.int32),
):
    """Add momentum, mass and viscosity of particles to faces, their volume to cells; gravity acts first."""
    p = wp.tid()
    place = positions[p]
    velocity = velocities[p] + gravity * dt
    velocities[p] = velocity
    if not on_grid(grid, place):
        return
    own, _rest = corner_of(grid, place + wp.vec3(0.5, 0.5, 0.5) * grid.cell, -1)
    wp.atomic_add(count, own[0], own[1], own[2], 1)
    part = volumes[p] / (grid.cell * grid.cell * grid.cell)
    for axis in range(-1, 3):
        base, rest = corner_of(grid, place, axis)
        for corner in range(8):
            a = corner // 4
            b = corner // 2 % 2
            c = corner % 2
            i = base[0] + a
            j = base[1] + b
            k = base[2] + c
            weight = share(rest, a, b, c)
            if axis < 0:
                wp.atomic_add(filled, i, j, k, weight * part)
            else:
                away = (wp.vec3(float(a), float(b), float(c)) - rest) * grid.cell
                row = wp.vec3(gradients[p][axis, 0], gradients[p][axis, 1], gradients[p][axis, 2])
                amount = weight * masses[p]
                wp.atomic_add(mass, axis, i, j, k, amount)
                wp.atomic_add(momentum, axis, i, j, k, amount * (velocity[axis] + wp.dot(row, away)))
                if viscosities.shape[0] > 0:
                    wp.atomic_add(drag, axis, i, j, k, amount * viscosities[p])


@wp.kernel
def settle_faces(
    mass: wp.array4d(dtype=wp.float32),
    faces: wp.array(dtype=wp.vec4i),
    face_count: wp.array(dtype=wp.int32),
    momentum: wp.array4d(dtype=wp.float32),
    drag: wp.array4d(dtype=wp.float32),
):
    """Turn momentum into velocity [m/s] and list the faces that have any mass; viscosity becomes the mean one."""
    axis, i, j, k = wp.tid()
    amount = mass[axis, i, j, k]
    if amount > 0.0:
        momentum[axis, i, j, k] = momentum[axis, i, j, k] / amount
        if faces.shape[0] > 0:
            drag[axis, i, j, k] = drag[axis, i, j, k] / amount
            entry = wp.atomic_add(face_count, 0, 1)
            if entry < faces.shape[0]:
                faces[entry] = wp.vec4i(axis, i, j, k)


@wp.func
def sampled(grid: Grid, field: wp.array4d(dtype=wp.float32), mass: wp.array4d(dtype=wp.float32), place: wp.vec3):
    """Return a velocity [m/s] from the faces about a place that have mass, its gradient [1/s], and whether any has."""
    value = wp.vec3(0.0, 0.0, 0.0)
    gradient = wp.mat33(0.0)
    known = bool(True)
    for axis in range(3):
        base, rest = corner_of(grid, place, axis)
        total = float(0.0)
        sum = float(0.0)
        lean = wp.vec3(0.0, 0.0, 0.0)
        whole = bool(True)
        for corner in range(8):
            a = corner // 4
            b = corner // 2 % 2
            c = corner % 2
            i = base[0] + a
            j = base[1] + b
            k = base[2] + c
            if mass[axis, i, j, k] > 0.0:
                weight = share(rest, a, b, c)
                total += weight
                sum += weight * field[axis, i, j, k]
                lean += slope(rest, a, b, c) * (field[axis, i, j, k] / grid.cell)
            else:
                whole = False
        if total > 1.0e-6:
            value[axis] = sum / total
        else:
            known = False
        if whole:
            for other in range(3):
                gradient[axis, other] = lean[other]
    return value, gradient, known


@wp.func
def shifted(grid: Grid, field: wp.array4d(dtype=wp.float32), place: wp.vec3):
    """Return a displacement [m] interpolated from the faces about a place."""
    value = wp.vec3(0.0, 0.0, 0.0)
    for axis in range(3):
        base, rest = corner_of(grid, place, axis)
        for corner in range(8):
            a = corner // 4
            b = corner // 2 % 2
            c = corner % 2
            value[axis] = value[axis] + share(rest, a, b, c) * field[axis, base[0] + a, base[1] + b, base[2] + c]
    return value


@wp.func
def fullness(grid: Grid, filled: wp.array3d(dtype=wp.float32), place: wp.vec3):
    """Return how full the grid is at a place [1], interpolated between the middles of cells."""
    base, rest = corner_of(grid, place, -1)
    value = float(0.0)
    for corner in range(8):
        a = corner // 4
        b = corner // 2 % 2
        c = corner % 2
        value += share(rest, a, b, c) * filled[base[0] + a, base[1] + b, base[2] + c]
    return value


@wp.kernel
def advect(
    grid: Grid,
    dt: float,
    gap: float,
    lower: wp.vec3,
    upper: wp.vec3,
    velocity: wp.array4d(dtype=wp.float32),
    mass: wp.array4d(dtype=wp.float32),
    shift: wp.array4d(dtype=wp.float32),
    filled: wp.array3d(dtype=wp.float32),
    steps: wp.array(dtype=wp.int32),
    solids: wp.array(dtype=Solid),
    poses: wp.array(dtype=wp.transform),
    centers: wp.array(dtype=wp.vec3),
    body_velocities: wp.array(dtype=wp.spatial_vector),
    masses: wp.array(dtype=wp.float32),
    impulse: wp.array(dtype=wp.spatial_vector),
    positions: wp.array(dtype=wp.vec3),
    velocities: wp.array(dtype=wp.vec3),
    gradients: wp.array(dtype=wp.mat33),
):
    """Carry particles with the flow (midpoint rule), spread crowded ones, and keep them out of solids."""
    p = wp.tid()
    place = positions[p]
    speed = velocities[p]
    gradient = wp.mat33(0.0)
    path = speed
    if on_grid(grid, place):
        found, lean, known = sampled(grid, velocity, mass, place)
        if known:
            speed = found
            gradient = lean
            path = speed
            middle = place + speed * (0.5 * dt)
            if on_grid(grid, middle):
                halfway, _lean, reached = sampled(grid, velocity, mass, middle)
                if reached:
                    path = halfway
        # Particles that have come together move as one: only chance parts them.
        crowd = wp.clamp(fullness(grid, filled, place) - CROWD, 0.0, 1.0)
        draw = wp.rand_init(steps[0], p)
        aside = wp.vec3(wp.randf(draw) - 0.5, wp.randf(draw) - 0.5, wp.randf(draw) - 0.5)
        place = place + shifted(grid, shift, place) + aside * (crowd * STIR * grid.cell)
    place = place + path * dt
    for index in range(solids.shape[0]):
        distance = 2.0 * gap
        normal = wp.vec3(0.0, 0.0, 1.0)
        if near_ball(solids[index], poses, place, gap):
            distance, normal = solid_distance(solids[index], poses, place, 2.0 * gap)
        if distance < gap:
            place = place + normal * (gap - distance)
            wall = wp.vec3(0.0, 0.0, 0.0)
            if solids[index].row >= 0:
                wall = body_velocity(poses, centers, body_velocities, solids[index].row, place)
            inward = wp.dot(speed - wall, normal)
            if inward < 0.0:
                speed = speed - normal * inward
                if solids[index].row >= 0:  # what the particle loses the body gains
                    push = normal * (inward * masses[p])
                    row = solids[index].row
                    arm = place - wp.transform_point(poses[row], centers[row])
                    wp.atomic_add(impulse, row, wp.spatial_vector(push, wp.cross(arm, push)))
    for axis in range(3):
        if place[axis] < lower[axis]:
            place[axis] = lower[axis]
            speed[axis] = wp.max(speed[axis], 0.0)
        elif place[axis] > upper[axis]:
            place[axis] = upper[axis]
            speed[axis] = wp.min(speed[axis], 0.0)
    if p == 0:
        steps[1] = steps[0] + 1
    positions[p] = place
    velocities[p] = speed
    gradients[p] = gradient
