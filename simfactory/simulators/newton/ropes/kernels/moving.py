"""How ropes move: one Newton step of implicit Euler a launch, solved directly along each rope."""

import warp as wp

from simfactory.simulators.newton.ropes.kernels.records import ROPE_SLOTS, SHAPE_SLOTS, Ropes, RopeTouches, ShapeTouches

SHAPE_STIFFNESS = wp.constant(wp.float64(2e5))  # [N/m] of a sample against a shape
ROPE_STIFFNESS = wp.constant(wp.float64(1e4))  # [N/m] between two segments
STICKING = wp.constant(wp.float64(2e-3))  # [m/s] slip below which friction is less than its full value
FIXED = wp.constant(wp.float64(1e30))
LARGEST_MOVE = wp.constant(wp.float64(0.5))  # of a segment's length, in one Newton step


@wp.func
def softened(stiffness: wp.float64, compliance: wp.float64):
    """Return the stiffness of a spring behind which something yields."""
    return stiffness / (wp.float64(1.0) + stiffness * compliance)


@wp.func
def grip(slip: wp.float64, load: wp.float64, friction: wp.float64, dt: wp.float64):
    """Return friction over slip [N/m]: smooth through zero, Coulomb's beyond `STICKING`.

    Source: M. Li et al., "Incremental Potential Contact", ACM Transactions on Graphics 39 (2020), §5.
    """
    share = slip / (STICKING * dt)
    if share >= wp.float64(1.0):
        return friction * load / slip
    return friction * load * (wp.float64(2.0) - share) / (STICKING * dt)


@wp.func
def shape_force(
    sample: int,
    slot: int,
    move: wp.vec3d,
    dt: wp.float64,
    crowd: wp.float64,
    touches: ShapeTouches,
):
    """Return the force on a sample that has moved during the step, and the normal and tangential stiffness."""
    normal = touches.normal[sample, slot]
    carried = dt * touches.velocity[sample, slot]
    depth = touches.gap[sample, slot] + wp.dot(normal, move - touches.ahead[sample, slot] * carried)
    zero = wp.float64(0.0)
    if depth >= zero:
        return wp.vec3d(zero, zero, zero), zero, zero
    square = dt * dt * crowd
    stiffness = softened(SHAPE_STIFFNESS, square * touches.yield_normal[sample, slot])
    load = -stiffness * depth
    slip = move - carried
    slip = slip - wp.dot(slip, normal) * normal
    hold = softened(
        grip(wp.length(slip), load, touches.friction[sample, slot], dt), square * touches.yield_across[sample, slot]
    )
    return load * normal - hold * slip, stiffness, hold


@wp.func
def place(values: wp.array(dtype=wp.vec3d), node: int, weight: wp.float64):
    """Return the value at a share of the way to the next node."""
    if weight == wp.float64(0.0):
        return values[node]
    return (wp.float64(1.0) - weight) * values[node] + weight * values[node + 1]


@wp.func
def rope_force(
    node: int,
    slot: int,
    dt: wp.float64,
    ropes: Ropes,
    touches: RopeTouches,
    position: wp.array(dtype=wp.vec3d),
    guess: wp.array(dtype=wp.vec3d),
):
    """Return the force on a segment by another one, and the normal and tangential stiffness it is solved with."""
    other = touches.other[node, slot]
    zero = wp.float64(0.0)
    normal = touches.normal[node, slot]
    weight, against = touches.own_place[node, slot], touches.other_place[node, slot]
    slip = place(guess, node, weight) - place(position, node, weight)
    slip = slip - place(guess, other, against) + place(position, other, against)
    depth = touches.gap[node, slot] + wp.dot(normal, slip)
    if depth >= zero:
        return wp.vec3d(zero, zero, zero), zero, zero
    load = -ROPE_STIFFNESS * depth
    slip = slip - wp.dot(slip, normal) * normal
    rub = wp.float64(0.5) * (ropes.friction[ropes.owner[node]] + ropes.friction[ropes.owner[other]])
    hold = grip(wp.length(slip), load, rub, dt)
    twice = wp.float64(2.0)
    return load * normal - hold * slip, twice * ROPE_STIFFNESS, twice * hold


@wp.func
def less_by_move(push: wp.vec3d, stiff: wp.float64, hold: wp.float64, normal: wp.vec3d, move: wp.vec3d):
    """Return a contact's force after the last move, as the linear system had it."""
    return push - hold * move - (stiff - hold) * wp.dot(normal, move) * normal


@wp.kernel
def begin_step(
    dt: wp.float64,
    ropes: Ropes,
    gravity: wp.array(dtype=wp.vec3),
    fresh: wp.array(dtype=wp.int32),
    node_qd: wp.array(dtype=wp.vec3),
    position: wp.array(dtype=wp.vec3d),
    free: wp.array(dtype=wp.vec3d),
    guess: wp.array(dtype=wp.vec3d),
):
    """Put every node where it would fly to.

    Velocities are those half a step back, so that flight is exact; in the first step half of gravity makes up for it.
    """
    node = wp.tid()
    rope = ropes.owner[node]
    if rope < 0:
        return
    free[node] = position[node]
    if ropes.fixed[node] == 0:
        share = wp.float64(1.0)
        if fresh[rope] == 1:
            share = wp.float64(0.5)
        fall = share * dt * dt * wp.vec3d(gravity[ropes.world[rope]])
        free[node] = position[node] + dt * wp.vec3d(node_qd[node]) + fall
    guess[node] = free[node]


@wp.kernel
def count_crowds(
    ropes: Ropes,
    body_world: wp.array(dtype=wp.int32),
    shape_body: wp.array(dtype=wp.int32),
    touches: ShapeTouches,
    crowd: wp.array(dtype=wp.float64),
):
    """Count the samples near a body: so many springs push it at once."""
    body = wp.tid()
    world = body_world[body]
    count = wp.float64(0.0)
    for sample in range(ropes.world_sample_first[world], ropes.world_sample_last[world]):
        for slot in range(SHAPE_SLOTS):
            shape = touches.shape[sample, slot]
            if shape >= 0:
                if shape_body[shape] == body:
                    count += wp.float64(1.0)
    crowd[body] = wp.max(count, wp.float64(1.0))


@wp.func
def body_crowd(shape: int, shape_body: wp.array(dtype=wp.int32), crowd: wp.array(dtype=wp.float64)):
    """Return how many samples are near the body of a shape."""
    if shape_body[shape] < 0:
        return wp.float64(1.0)
    return crowd[shape_body[shape]]


@wp.kernel
def resist_strain(
    dt: wp.float64,
    ropes: Ropes,
    position: wp.array(dtype=wp.vec3d),
    free: wp.array(dtype=wp.vec3d),
    guess: wp.array(dtype=wp.vec3d),
    diagonal: wp.array(dtype=wp.mat33d),
    beside: wp.array(dtype=wp.mat33d),
    beyond: wp.array(dtype=wp.mat33d),
    force: wp.array(dtype=wp.vec3d),
):
    """Begin one rope's linearised step with its inertia, its stretching and its bending.

    Stretching is EA (l/L - 1) along each segment; the part of its stiffness that is negative under compression is left
    out. Bending is EI/h³ |x₋ - 2x + x₊|²/2 a node. Both are viscous by their relaxation time along the change of
    length and of curvature.

    Source of the bending energy: M. Wardetzky et al., "Discrete quadratic curvature energies", Computer Aided
    Geometric Design 24 (2007).
    """
    rope = wp.tid()
    first, last = ropes.first[rope], ropes.last[rope]
    zero, one, two = wp.float64(0.0), wp.float64(1.0), wp.float64(2.0)
    unit = wp.identity(n=3, dtype=wp.float64)
    for node in range(first, last):
        inertia = ropes.mass[node] / (dt * dt)
        diagonal[node] = inertia * unit
        beside[node] = zero * unit
        beyond[node] = zero * unit
        force[node] = inertia * (free[node] - guess[node])
    viscous = ropes.relaxation[rope] / dt
    for node in range(first, last - 1):
        way = guess[node + 1] - guess[node]
        length = wp.max(wp.length(way), wp.float64(1e-9))
        along = way / length
        rest = ropes.length[node]
        before = wp.length(position[node + 1] - position[node])
        tension = ropes.stretch[rope] * (length - rest + viscous * (length - before)) / rest
        lateral = wp.max(tension, zero) / length
        axial = ropes.stretch[rope] * (one + viscous) / rest
        stiffness = lateral * unit + (axial - lateral) * wp.outer(along, along)
        force[node] = force[node] + tension * along
        force[node + 1] = force[node + 1] - tension * along
        diagonal[node] = diagonal[node] + stiffness
        diagonal[node + 1] = diagonal[node + 1] + stiffness
        beside[node] = beside[node] - stiffness
    for node in range(first + 1, last - 1):
        step = wp.float64(0.5) * (ropes.length[node - 1] + ropes.length[node])
        rigidity = ropes.bend[rope] / (step * step * step)
        if ropes.fixed[node] == 1 and ropes.fixed[node - 1] + ropes.fixed[node + 1] == 1:
            rigidity = two * rigidity  # at a clamp the line beyond is its mirror image
        curve = guess[node - 1] - two * guess[node] + guess[node + 1]
        curve_before = position[node - 1] - two * position[node] + position[node + 1]
        moment = rigidity * curve
        stiffness = rigidity * unit
        size = wp.length(curve)
        if size > wp.float64(1e-9):
            outward = curve / size
            moment = moment + rigidity * viscous * (size - wp.length(curve_before)) * outward
            stiffness = stiffness + rigidity * viscous * wp.outer(outward, outward)
        force[node - 1] = force[node - 1] - moment
        force[node] = force[node] + two * moment
        force[node + 1] = force[node + 1] - moment
        diagonal[node - 1] = diagonal[node - 1] + stiffness
        diagonal[node] = diagonal[node] + wp.float64(4.0) * stiffness
        diagonal[node + 1] = diagonal[node + 1] + stiffness
        beside[node - 1] = beside[node - 1] - two * stiffness
        beside[node] = beside[node] - two * stiffness
        beyond[node - 1] = beyond[node - 1] + stiffness


@wp.kernel
def resist_contact(
    dt: wp.float64,
    ropes: Ropes,
    shape_body: wp.array(dtype=wp.int32),
    shape_touches: ShapeTouches,
    rope_touches: RopeTouches,
    crowd: wp.array(dtype=wp.float64),
    position: wp.array(dtype=wp.vec3d),
    guess: wp.array(dtype=wp.vec3d),
    diagonal: wp.array(dtype=wp.mat33d),
    beside: wp.array(dtype=wp.mat33d),
    force: wp.array(dtype=wp.vec3d),
):
    """Add one rope's contacts to its linearised step.

    Other ropes stay where the last guess left them; twice the stiffness against them keeps that stable.
    """
    rope = wp.tid()
    first, last = ropes.first[rope], ropes.last[rope]
    zero, one = wp.float64(0.0), wp.float64(1.0)
    unit = wp.identity(n=3, dtype=wp.float64)
    for sample in range(ropes.sample_first[rope], ropes.sample_last[rope]):
        node = ropes.sample_node[sample]
        weight = ropes.sample_weight[sample]
        for slot in range(SHAPE_SLOTS):
            shape = shape_touches.shape[sample, slot]
            if shape >= 0:
                move = place(guess, node, weight) - place(position, node, weight)
                push, stiff, hold = shape_force(
                    sample, slot, move, dt, body_crowd(shape, shape_body, crowd), shape_touches
                )
                if stiff > zero:
                    normal = shape_touches.normal[sample, slot]
                    stiffness = hold * unit + (stiff - hold) * wp.outer(normal, normal)
                    own = one - weight
                    force[node] = force[node] + own * push
                    diagonal[node] = diagonal[node] + own * own * stiffness
                    if weight > zero:
                        force[node + 1] = force[node + 1] + weight * push
                        diagonal[node + 1] = diagonal[node + 1] + weight * weight * stiffness
                        beside[node] = beside[node] + own * weight * stiffness
    for node in range(first, last - 1):
        for slot in range(ROPE_SLOTS):
            if rope_touches.other[node, slot] >= 0:
                push, stiff, hold = rope_force(node, slot, dt, ropes, rope_touches, position, guess)
                if stiff > zero:
                    normal = rope_touches.normal[node, slot]
                    weight = rope_touches.own_place[node, slot]
                    own = one - weight
                    stiffness = hold * unit + (stiff - hold) * wp.outer(normal, normal)
                    force[node] = force[node] + own * push
                    force[node + 1] = force[node + 1] + weight * push
                    diagonal[node] = diagonal[node] + own * own * stiffness
                    diagonal[node + 1] = diagonal[node + 1] + weight * weight * stiffness
                    beside[node] = beside[node] + own * weight * stiffness


@wp.kernel
def move_ropes(
    ropes: Ropes,
    guess: wp.array(dtype=wp.vec3d),
    diagonal: wp.array(dtype=wp.mat33d),
    beside: wp.array(dtype=wp.mat33d),
    beyond: wp.array(dtype=wp.mat33d),
    force: wp.array(dtype=wp.vec3d),
    target: wp.array(dtype=wp.vec3d),
):
    """Solve one rope's linearised step: a block matrix with two blocks beside its diagonal."""
    rope = wp.tid()
    first, last = ropes.first[rope], ropes.last[rope]
    zero, one = wp.float64(0.0), wp.float64(1.0)
    unit = wp.identity(n=3, dtype=wp.float64)
    for node in range(first, last):
        if ropes.fixed[node] == 1:
            diagonal[node] = FIXED * unit
            force[node] = zero * force[node]
    for node in range(first, last):  # eliminate downwards
        inverse = wp.inverse(diagonal[node])
        diagonal[node] = inverse
        if node + 1 < last:
            near = wp.transpose(beside[node]) * inverse
            diagonal[node + 1] = diagonal[node + 1] - near * beside[node]
            force[node + 1] = force[node + 1] - near * force[node]
            if node + 2 < last:
                far = wp.transpose(beyond[node]) * inverse
                beside[node + 1] = beside[node + 1] - near * beyond[node]
                diagonal[node + 2] = diagonal[node + 2] - far * beyond[node]
                force[node + 2] = force[node + 2] - far * force[node]
    largest = wp.float64(0.0)
    for back in range(last - first):  # and put in upwards; `force` becomes the move
        node = last - 1 - back
        rest_force = force[node]
        if node + 1 < last:
            rest_force = rest_force - beside[node] * force[node + 1]
        if node + 2 < last:
            rest_force = rest_force - beyond[node] * force[node + 2]
        force[node] = diagonal[node] * rest_force
        largest = wp.max(largest, wp.length(force[node]) / ropes.length[node])
    share = one
    if largest > LARGEST_MOVE:
        share = LARGEST_MOVE / largest
    for node in range(first, last):
        target[node] = guess[node] + share * force[node]


@wp.kernel
def push_bodies(
    dt: wp.float64,
    ropes: Ropes,
    shape_body: wp.array(dtype=wp.int32),
    body_world: wp.array(dtype=wp.int32),
    body_com: wp.array(dtype=wp.vec3),
    body_inv_mass: wp.array(dtype=wp.float32),
    body_inv_inertia: wp.array(dtype=wp.mat33),
    touches: ShapeTouches,
    crowd: wp.array(dtype=wp.float64),
    position: wp.array(dtype=wp.vec3d),
    guess: wp.array(dtype=wp.vec3d),
    target: wp.array(dtype=wp.vec3d),
    body_q: wp.array(dtype=wp.transform),
    body_qd: wp.array(dtype=wp.spatial_vector),
):
    """Give a body the opposite of what it has done to ropes, in the last of their linear systems: to the digit."""
    body = wp.tid()
    if body_inv_mass[body] == 0.0:
        return
    world = body_world[body]
    middle = wp.vec3d(wp.transform_point(body_q[body], body_com[body]))
    zero = wp.float64(0.0)
    impulse, turning = wp.vec3d(zero, zero, zero), wp.vec3d(zero, zero, zero)
    for sample in range(ropes.world_sample_first[world], ropes.world_sample_last[world]):
        node = ropes.sample_node[sample]
        weight = ropes.sample_weight[sample]
        for slot in range(SHAPE_SLOTS):
            shape = touches.shape[sample, slot]
            if shape >= 0:
                if shape_body[shape] == body:
                    move = place(guess, node, weight) - place(position, node, weight)
                    push, stiff, hold = shape_force(sample, slot, move, dt, crowd[body], touches)
                    last_move = place(target, node, weight) - place(guess, node, weight)
                    push = less_by_move(push, stiff, hold, touches.normal[sample, slot], last_move)
                    impulse = impulse - dt * push
                    turning = turning - dt * wp.cross(touches.point[sample, slot] - middle, push)
    turn = wp.transform_get_rotation(body_q[body])
    spin = wp.quat_rotate(turn, body_inv_inertia[body] * wp.quat_rotate_inv(turn, wp.vec3(turning)))
    body_qd[body] = body_qd[body] + wp.spatial_vector(body_inv_mass[body] * wp.vec3(impulse), spin)


@wp.kernel
def share_momentum(
    dt: wp.float64,
    ropes: Ropes,
    touches: RopeTouches,
    world_rope_first: wp.array(dtype=wp.int32),
    world_rope_last: wp.array(dtype=wp.int32),
    position: wp.array(dtype=wp.vec3d),
    guess: wp.array(dtype=wp.vec3d),
    target: wp.array(dtype=wp.vec3d),
    excess: wp.array(dtype=wp.vec3d),
):
    """Find the velocity `(rope,)` by which ropes that touch have pushed each other too much, in one world.

    Each rope was solved against where the others were before, so that the two sides of a contact differ. What that
    adds up to is shared by mass among all ropes in contact, unless one of them is held.
    """
    world = wp.tid()
    zero = wp.float64(0.0)
    total, mass, any_held = wp.vec3d(zero, zero, zero), wp.float64(0.0), int(0)
    for rope in range(world_rope_first[world], world_rope_last[world]):
        own, touching = wp.float64(0.0), int(0)
        for node in range(ropes.first[rope], ropes.last[rope]):
            own += ropes.mass[node]
            for slot in range(ROPE_SLOTS):
                if touches.other[node, slot] >= 0:
                    push, stiff, hold = rope_force(node, slot, dt, ropes, touches, position, guess)
                    if stiff > zero:
                        weight = touches.own_place[node, slot]
                        move = place(target, node, weight) - place(guess, node, weight)
                        total += less_by_move(push, stiff, hold, touches.normal[node, slot], move)
                        touching = 1
        excess[rope] = wp.vec3d(zero, zero, zero)
        if touching == 1:
            mass += own
            any_held += ropes.fixed[ropes.first[rope]] + ropes.fixed[ropes.last[rope] - 1]
            excess[rope] = wp.vec3d(wp.float64(1.0), zero, zero)  # marked
    for rope in range(world_rope_first[world], world_rope_last[world]):
        if excess[rope][0] > zero:
            excess[rope] = wp.vec3d(zero, zero, zero)
            if any_held == 0:
                excess[rope] = (dt / mass) * total


@wp.kernel
def turn_directors(
    dt: wp.float64,
    ropes: Ropes,
    position: wp.array(dtype=wp.vec3d),
    guess: wp.array(dtype=wp.vec3d),
    fresh: wp.array(dtype=wp.int32),
    node_q: wp.array(dtype=wp.vec3),
    node_qd: wp.array(dtype=wp.vec3),
):
    """Take the tip of a rope's director along with its first segment, by the smallest rotation; the rope has begun."""
    rope = wp.tid()
    first, tip = ropes.first[rope], ropes.last[rope]
    old = wp.normalize(position[first + 1] - position[first])
    new = wp.normalize(guess[first + 1] - guess[first])
    arm = position[tip] - position[first]
    axis = wp.cross(old, new)
    cosine = wp.dot(old, new)
    turned = cosine * arm + wp.cross(axis, arm)
    turned = turned + axis * (wp.dot(axis, arm) / wp.max(wp.float64(1.0) + cosine, wp.float64(1e-6)))
    turned = turned - wp.dot(turned, new) * new
    reached = guess[first] + ropes.radius[rope] * wp.normalize(turned)
    node_qd[tip] = wp.vec3((reached - position[tip]) / dt)
    node_q[tip] = wp.vec3(reached)
    guess[tip] = reached
    fresh[rope] = 0


@wp.kernel
def end_step(
    dt: wp.float64,
    ropes: Ropes,
    excess: wp.array(dtype=wp.vec3d),
    guess: wp.array(dtype=wp.vec3d),
    position: wp.array(dtype=wp.vec3d),
    node_q: wp.array(dtype=wp.vec3),
    node_qd: wp.array(dtype=wp.vec3),
):
    """Take over where nodes have got to."""
    node = wp.tid()
    rope = ropes.owner[node]
    if rope >= 0:
        node_qd[node] = wp.vec3((guess[node] - position[node]) / dt - excess[rope])
        node_q[node] = wp.vec3(guess[node])
    position[node] = guess[node]


@wp.kernel
def take_positions(begin: int, node_q: wp.array(dtype=wp.vec3), position: wp.array(dtype=wp.vec3d)):
    """Begin at the positions of a state."""
    node = begin + wp.tid()
    position[node] = wp.vec3d(node_q[node])
