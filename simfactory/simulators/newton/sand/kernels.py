"""What keeps grains in the scene, and where they touch something."""

import warp as wp
from newton._src.solvers.implicit_mpm.rasterized_collisions import Collider, collision_sdf
from newton._src.solvers.implicit_mpm.rheology_solver_kernels import YieldParamVec

EVERY_WORLD = wp.constant(-2)  # a bed has no worlds

FREE = wp.constant(0.2)  # [g dt] grains whose velocity changes so nearly as in free fall fall freely


@wp.kernel
def center_fall(
    gravity: wp.vec3,
    dt: float,
    before: wp.array(dtype=wp.vec3),
    after: wp.array(dtype=wp.vec3),
    positions: wp.array(dtype=wp.vec3),
):
    """Put grains that fall freely where their mean velocity takes them, not that of the step's end."""
    grain = wp.tid()
    gain = gravity * dt
    if wp.length(after[grain] - before[grain] - gain) < FREE * wp.length(gain):
        positions[grain] = positions[grain] - 0.5 * dt * gain


@wp.kernel
def slow_down(
    limit: float,
    dt: float,
    before: wp.array(dtype=wp.vec3),
    positions: wp.array(dtype=wp.vec3),
    velocities: wp.array(dtype=wp.vec3),
    gradients: wp.array(dtype=wp.mat33),
):
    """Bound the speed of grains [m/s]: in cells that few grains fill, sweeps may end far from the solution.

    Args:
        limit: Largest speed [m/s].
        dt: Length of the step [s].
        before: Positions of grains before the step.
        positions: Of grains, changed: where the bounded velocity takes them.
        velocities: Of grains, changed.
        gradients: Of their velocities, changed.
    """
    grain = wp.tid()
    speed = wp.length(velocities[grain])
    if speed > limit:
        velocities[grain] = velocities[grain] * (limit / speed)
        positions[grain] = before[grain] + dt * velocities[grain]
        gradients[grain] = wp.mat33(0.0)


@wp.kernel
def keep_inside(
    lower: wp.vec3,
    upper: wp.vec3,
    positions: wp.array(dtype=wp.vec3),
    velocities: wp.array(dtype=wp.vec3),
):
    """Put grains that got through a wall or the floor back onto it, at rest across it."""
    grain = wp.tid()
    place, velocity = positions[grain], velocities[grain]
    for axis in range(3):
        if place[axis] < lower[axis]:
            place[axis] = lower[axis]
            velocity[axis] = wp.max(velocity[axis], 0.0)
        elif place[axis] > upper[axis]:
            place[axis] = upper[axis]
            velocity[axis] = wp.min(velocity[axis], 0.0)
    positions[grain] = place
    velocities[grain] = velocity


@wp.kernel
def hold_off(
    collider: Collider,
    body_q: wp.array(dtype=wp.transform),
    body_qd: wp.array(dtype=wp.spatial_vector),
    body_q_before: wp.array(dtype=wp.transform),
    dt: float,
    distance: wp.array(dtype=wp.float32),
    positions: wp.array(dtype=wp.vec3),
    velocities: wp.array(dtype=wp.vec3),
):
    """Move coarse grains as far off surfaces as they are larger than the finest ones, for which the solver cares.

    Args:
        collider: All surfaces.
        body_q: Poses of bodies at the step's beginning.
        body_qd: Velocities of bodies.
        body_q_before: None: velocities are given.
        dt: Length of the step [s].
        distance: How far off the solver's own distance each grain is held [m].
        positions: Of grains, changed.
        velocities: Of grains, changed: none approaches what it touches.
    """
    grain = wp.tid()
    least = distance[grain]
    if least <= 0.0:
        return
    gap, normal, velocity, found, _kind = collision_sdf(
        positions[grain], EVERY_WORLD, collider, body_q, body_qd, body_q_before, dt
    )
    gap -= wp.dot(velocity, normal) * dt
    if found >= 0 and gap < least:
        approach = wp.dot(velocities[grain] - velocity, normal)
        positions[grain] = positions[grain] + (least - gap) * normal
        velocities[grain] = velocities[grain] - wp.min(approach, 0.0) * normal


@wp.kernel
def touch(
    collider: Collider,
    body_q: wp.array(dtype=wp.transform),
    body_qd: wp.array(dtype=wp.spatial_vector),
    body_q_before: wp.array(dtype=wp.transform),
    positions: wp.array(dtype=wp.vec3),
    distance: wp.array(dtype=wp.float32),
    normal: wp.array(dtype=wp.vec3),
    material: wp.array(dtype=wp.int32),
):
    """Find the nearest solid surface of each grain; its material is -1 where none is near.

    Velocities and earlier poses of bodies may be None: surfaces are met as they stand.
    """
    grain = wp.tid()
    gap, gradient, _velocity, found, kind = collision_sdf(
        positions[grain], EVERY_WORLD, collider, body_q, body_qd, body_q_before, 1.0
    )
    distance[grain] = gap
    normal[grain] = gradient
    material[grain] = wp.where(found >= 0, kind, -1)


@wp.kernel
def same_strength(
    friction: float,
    pressure: float,
    tension: float,
    modes: wp.array3d(dtype=float),
    strength: wp.array(dtype=YieldParamVec),
):
    """Give every strain mode the same strength, but for those that a cell's few grains leave without support."""
    node = wp.tid()
    count = modes.shape[1]
    size = float(0.0)
    for k in range(count):
        weight = modes[node // count, node % count, k]
        size += weight * weight
    strength[node] = YieldParamVec(0.0)
    if size > 0.0:
        strength[node] = YieldParamVec.from_values(friction, pressure, tension, 0.0, 0.0, 0.0)
