"""Contacts of robots and vessels: taken from the solver's list, solved one by one with sums of their impulses."""

import warp as wp

from simfactory.simulators.newton.linkage.kernels import Bodies, Side, point_response, push

TOUCHES = wp.constant(160)  # of one world in one step; more stay with the solver
RECOVERY = wp.constant(0.3)  # share of a depth at the step's beginning that one step takes away


@wp.struct
class Touch:
    """One contact point: its sides as the step began, and what it gave so far."""

    a: Side
    b: Side
    local_a: wp.vec3  # in the body's frame (the world's for -1)
    local_b: wp.vec3
    normal: wp.vec3  # from a to b, world frame
    start: wp.vec3  # from a's point to b's as the step began
    friction: float
    least: float  # distance at the step's end, at least
    pressed: float  # sum of impulses along the normal [N·s]
    dragged: wp.vec3  # and across it


@wp.func
def touching_side(bodies: Bodies, row: int, local: wp.vec3):
    """Describe one side as the step began; the world has no mass."""
    side = Side()
    side.row = row
    if row >= 0:
        pose = bodies.start[row]
        turn = wp.quat_to_matrix(wp.transform_get_rotation(pose))
        side.inverse_mass = bodies.inverse_mass[row]
        side.inverse_inertia = turn * bodies.inverse_inertia[row] * wp.transpose(turn)
        side.arm = turn * (local - bodies.com[row])
    return side


@wp.func
def placed(row: int, local: wp.vec3, pose: wp.array(dtype=wp.transform)):
    """Return a point in the world."""
    if row < 0:
        return local
    return wp.transform_point(pose[row], local)


@wp.kernel
def take_touches(
    contact_count: wp.array(dtype=wp.int32),
    point0: wp.array(dtype=wp.vec3),
    point1: wp.array(dtype=wp.vec3),
    offset0: wp.array(dtype=wp.vec3),
    offset1: wp.array(dtype=wp.vec3),
    normal: wp.array(dtype=wp.vec3),
    shape_body: wp.array(dtype=wp.int32),
    shape_friction: wp.array(dtype=wp.float32),
    is_firm: wp.array(dtype=wp.int32),
    body_world: wp.array(dtype=wp.int32),
    bodies: Bodies,
    shape0: wp.array(dtype=wp.int32),
    shape1: wp.array(dtype=wp.int32),
    touches: wp.array(dtype=Touch),
    world_count: wp.array(dtype=wp.int32),
    world_list: wp.array2d(dtype=wp.int32),
):
    """Take the contacts of robots and vessels out of the solver's list, which passes over twice the same shape."""
    contact = wp.tid()
    if contact >= contact_count[0]:
        return
    if shape0[contact] == shape1[contact]:
        return
    a = shape_body[shape0[contact]]
    b = shape_body[shape1[contact]]
    firm = int(0)
    world = int(0)
    if a >= 0:
        firm += is_firm[a]
        world = body_world[a]
    if b >= 0:
        firm += is_firm[b]
        world = body_world[b]
    if firm == 0:
        return
    slot = wp.atomic_add(world_count, world, 1)
    if slot >= TOUCHES:
        return
    world_list[world, slot] = contact
    touch = Touch()
    touch.local_a = point0[contact] + offset0[contact]
    touch.local_b = point1[contact] + offset1[contact]
    touch.a = touching_side(bodies, a, touch.local_a)
    touch.b = touching_side(bodies, b, touch.local_b)
    touch.normal = normal[contact]
    touch.friction = 0.5 * (shape_friction[shape0[contact]] + shape_friction[shape1[contact]])
    apart = placed(b, touch.local_b, bodies.start) - placed(a, touch.local_a, bodies.start)
    touch.start = apart
    touch.least = (1.0 - RECOVERY) * wp.min(wp.dot(touch.normal, apart), 0.0)
    touches[contact] = touch
    shape0[contact] = -1
    shape1[contact] = -1


@wp.kernel
def order_touches(world_count: wp.array(dtype=wp.int32), world_list: wp.array2d(dtype=wp.int32)):
    """Put the contacts of a world in the order of the solver's list; parallel devices find them in any order."""
    world = wp.tid()
    count = wp.min(world_count[world], TOUCHES)
    for i in range(1, count):
        contact = world_list[world, i]
        j = i
        while j > 0 and world_list[world, j - 1] > contact:
            world_list[world, j] = world_list[world, j - 1]
            j -= 1
        world_list[world, j] = contact


@wp.kernel
def hold_touches(
    world_count: wp.array(dtype=wp.int32),
    world_list: wp.array2d(dtype=wp.int32),
    bodies: Bodies,
    dt: float,
    sweep: int,
    touches: wp.array(dtype=Touch),
    pose: wp.array(dtype=wp.transform),
    velocity: wp.array(dtype=wp.spatial_vector),
):
    """Keep the contact points of one world apart and let them slide only against friction.

    The sum of a point's impulses is bounded, not each of them: it never pulls, and what it drags is at most friction
    times what it presses. So a grip holds without creeping.

    Source: E. Catto, "Iterative dynamics with temporal coherence" (2005).
    """
    world = wp.tid()
    count = wp.min(world_count[world], TOUCHES)
    nothing = wp.vec3(0.0, 0.0, 0.0)
    for turn in range(count):
        place = turn
        if sweep % 2 == 1:
            place = count - 1 - turn
        k = world_list[world, place]
        touch = touches[k]
        response = point_response(touch.a) + point_response(touch.b)
        apart = placed(touch.b.row, touch.local_b, pose) - placed(touch.a.row, touch.local_a, pose)
        gap = wp.dot(touch.normal, apart) - touch.least
        along = wp.dot(touch.normal, response * touch.normal)
        pressed = wp.max(touch.pressed - gap / (dt * along), 0.0)
        impulse = (pressed - touch.pressed) * touch.normal
        touch.pressed = pressed
        push(bodies, touch.a, -impulse, nothing, dt, pose, velocity)
        push(bodies, touch.b, impulse, nothing, dt, pose, velocity)
        apart = placed(touch.b.row, touch.local_b, pose) - placed(touch.a.row, touch.local_a, pose)
        slip = apart - touch.start
        slip = slip - touch.normal * wp.dot(touch.normal, slip)
        length = wp.length(slip)
        if length > 0.0:
            way = slip / length
            dragged = touch.dragged - slip / (dt * wp.dot(way, response * way))
            bound = touch.friction * touch.pressed
            size = wp.length(dragged)
            if size > bound:
                dragged = dragged * (bound / size)
            impulse = dragged - touch.dragged
            touch.dragged = dragged
            push(bodies, touch.a, -impulse, nothing, dt, pose, velocity)
            push(bodies, touch.b, impulse, nothing, dt, pose, velocity)
        touches[k] = touch
