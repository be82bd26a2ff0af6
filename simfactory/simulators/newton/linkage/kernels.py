"""One sweep over the joints of every world: positions are put right by impulses that act as the step began."""

import warp as wp

HINGE = wp.constant(0)
SLIDER = wp.constant(1)
BALL = wp.constant(2)
WELD = wp.constant(3)


@wp.struct
class Link:
    """One joint; frames have their x axis along the joint's axis and coincide in the world at t = 0."""

    kind: wp.int32
    parent: wp.int32  # row, -1 for the world
    child: wp.int32
    frame_parent: wp.transform  # in the parent's frame (the world's for -1)
    frame_child: wp.transform
    lower: float
    upper: float
    damping: float
    friction: float
    stiffness: float  # of the drive
    drag: float  # its damping
    strength: float
    first: wp.int32  # its waypoints
    last: wp.int32
    twin: wp.int32  # joint of the same kind that moves as far, -1 without


@wp.struct
class Side:
    """One side of a joint: mass properties as the step began."""

    row: wp.int32
    inverse_mass: float
    inverse_inertia: wp.mat33  # world frame
    arm: wp.vec3  # from the centre of mass to the anchor, world frame


@wp.struct
class Bodies:
    """What impulses act on."""

    com: wp.array(dtype=wp.vec3)
    inverse_mass: wp.array(dtype=wp.float32)
    inverse_inertia: wp.array(dtype=wp.mat33)
    start: wp.array(dtype=wp.transform)  # poses as the step began


@wp.func
def side_of(bodies: Bodies, row: int, frame: wp.transform):
    """Describe one side as the step began; the world has no mass."""
    side = Side()
    side.row = row
    if row >= 0:
        pose = bodies.start[row]
        turn = wp.quat_to_matrix(wp.transform_get_rotation(pose))
        side.inverse_mass = bodies.inverse_mass[row]
        side.inverse_inertia = turn * bodies.inverse_inertia[row] * wp.transpose(turn)
        side.arm = wp.quat_rotate(
            wp.transform_get_rotation(pose), wp.transform_get_translation(frame) - bodies.com[row]
        )
    return side


@wp.func
def frame_now(row: int, frame: wp.transform, pose: wp.array(dtype=wp.transform)):
    """Return a joint frame in the world."""
    if row < 0:
        return frame
    return wp.transform_multiply(pose[row], frame)


@wp.func
def push(
    bodies: Bodies,
    side: Side,
    impulse: wp.vec3,
    twist: wp.vec3,
    dt: float,
    pose: wp.array(dtype=wp.transform),
    velocity: wp.array(dtype=wp.spatial_vector),
):
    """Give one side an impulse at the anchor and an angular impulse, and take its pose along."""
    if side.row < 0:
        return
    if side.inverse_mass == 0.0:
        return
    linear = impulse * side.inverse_mass
    angular = side.inverse_inertia * (wp.cross(side.arm, impulse) + twist)
    q = wp.transform_get_rotation(pose[side.row])
    com = bodies.com[side.row]
    middle = wp.transform_get_translation(pose[side.row]) + wp.quat_rotate(q, com) + linear * dt
    q = wp.normalize(q + 0.5 * wp.quat(angular * dt, 0.0) * q)
    pose[side.row] = wp.transform(middle - wp.quat_rotate(q, com), q)
    velocity[side.row] = velocity[side.row] + wp.spatial_vector(linear, angular)


@wp.func
def point_response(side: Side):
    """Velocity of the anchor for a unit impulse there, as a matrix."""
    across = wp.skew(side.arm)
    identity = wp.identity(n=3, dtype=wp.float32)
    return identity * side.inverse_mass - across * side.inverse_inertia * across


@wp.func
def turn_between(a: wp.quat, b: wp.quat):
    """Rotation vector, world frame, that takes b to a; the shorter way."""
    q = a * wp.quat_inverse(b)
    v = wp.vec3(q[0], q[1], q[2])
    if q[3] < 0.0:
        v = -v
    length = wp.length(v)
    if length < 1.0e-9:
        return 2.0 * v
    return v * (2.0 * wp.asin(wp.min(length, 1.0)) / length)


@wp.func
def twist_about_x(a: wp.quat, b: wp.quat):
    """Angle by which b is turned about a's x axis, -π to π."""
    q = wp.quat_inverse(a) * b
    angle = 2.0 * wp.atan2(q[0], q[3])
    if angle > wp.pi:
        angle -= 2.0 * wp.pi
    if angle < -wp.pi:
        angle += 2.0 * wp.pi
    return angle


@wp.func
def joint_position(link: Link, pose: wp.array(dtype=wp.transform)):
    """Position of a hinge [rad] or a slider [m]."""
    a = frame_now(link.parent, link.frame_parent, pose)
    b = frame_now(link.child, link.frame_child, pose)
    if link.kind == SLIDER:
        apart = wp.transform_get_translation(b) - wp.transform_get_translation(a)
        return wp.dot(apart, wp.quat_rotate(wp.transform_get_rotation(a), wp.vec3(1.0, 0.0, 0.0)))
    return twist_about_x(wp.transform_get_rotation(a), wp.transform_get_rotation(b))


@wp.func
def wanted(times: wp.array(dtype=wp.float32), positions: wp.array(dtype=wp.float32), link: Link, time: float):
    """Position that a drive wants at the end of a step, and the rate at which it comes there.

    A step that ends at a waypoint, but for rounding, belongs to the line before it: what comes after does not matter
    yet, and need not be known.
    """
    low = int(link.first)
    high = int(link.last)
    while low < high:  # the first waypoint that is not passed
        middle = (low + high) // 2
        if time - times[middle] > 3.0e-7 * time:
            low = middle + 1
        else:
            high = middle
    if low == link.first:
        return wp.vec2(positions[low], 0.0)
    if low == link.last:
        return wp.vec2(positions[low - 1], 0.0)
    rate = (positions[low] - positions[low - 1]) / (times[low] - times[low - 1])
    return wp.vec2(positions[low - 1] + rate * (time - times[low - 1]), rate)


@wp.func
def hold_points(
    bodies: Bodies,
    link: Link,
    a: Side,
    b: Side,
    axis: wp.vec3,
    dt: float,
    pose: wp.array(dtype=wp.transform),
    velocity: wp.array(dtype=wp.spatial_vector),
):
    """Bring the anchors together; those of a slider onto one line."""
    here = wp.transform_get_translation(frame_now(link.parent, link.frame_parent, pose))
    there = wp.transform_get_translation(frame_now(link.child, link.frame_child, pose))
    gap = there - here
    response = point_response(a) + point_response(b)
    if link.kind == SLIDER:
        # The stiffest direction is left alone: along the axis nothing is corrected and nothing pushed.
        now = wp.quat_rotate(
            wp.transform_get_rotation(frame_now(link.parent, link.frame_parent, pose)), wp.vec3(1.0, 0.0, 0.0)
        )
        gap = gap - now * wp.dot(gap, now)
        across = wp.identity(n=3, dtype=wp.float32) - wp.outer(axis, axis)
        response = across * response * across + wp.outer(axis, axis)
        gap = across * gap
    impulse = -wp.inverse(response) * gap / dt
    nothing = wp.vec3(0.0, 0.0, 0.0)
    push(bodies, a, -impulse, nothing, dt, pose, velocity)
    push(bodies, b, impulse, nothing, dt, pose, velocity)


@wp.func
def hold_turns(
    bodies: Bodies,
    link: Link,
    a: Side,
    b: Side,
    axis: wp.vec3,
    dt: float,
    pose: wp.array(dtype=wp.transform),
    velocity: wp.array(dtype=wp.spatial_vector),
):
    """Keep a hinge's axes parallel, and the rotations of sliders and welds alike."""
    qa = wp.transform_get_rotation(frame_now(link.parent, link.frame_parent, pose))
    qb = wp.transform_get_rotation(frame_now(link.child, link.frame_child, pose))
    response = a.inverse_inertia + b.inverse_inertia
    error = turn_between(qa, qb)
    if link.kind == HINGE:
        x = wp.vec3(1.0, 0.0, 0.0)
        error = wp.cross(wp.quat_rotate(qb, x), wp.quat_rotate(qa, x))
        across = wp.identity(n=3, dtype=wp.float32) - wp.outer(axis, axis)
        # Scaled like the rest, or a matrix of very light and very heavy parts would not invert well.
        size = wp.trace(response) / 3.0
        response = across * response * across + wp.outer(axis, axis) * size
        error = across * error
    twist = wp.inverse(response) * error / dt
    nothing = wp.vec3(0.0, 0.0, 0.0)
    push(bodies, a, nothing, -twist, dt, pose, velocity)
    push(bodies, b, nothing, twist, dt, pose, velocity)


@wp.func
def push_along(
    bodies: Bodies,
    link: Link,
    a: Side,
    b: Side,
    axis: wp.vec3,
    amount: float,
    dt: float,
    pose: wp.array(dtype=wp.transform),
    velocity: wp.array(dtype=wp.spatial_vector),
):
    """Push along the free direction of a hinge or a slider."""
    nothing = wp.vec3(0.0, 0.0, 0.0)
    if link.kind == SLIDER:
        push(bodies, a, -amount * axis, nothing, dt, pose, velocity)
        push(bodies, b, amount * axis, nothing, dt, pose, velocity)
    else:
        push(bodies, a, nothing, -amount * axis, dt, pose, velocity)
        push(bodies, b, nothing, amount * axis, dt, pose, velocity)


@wp.func
def move_along(
    bodies: Bodies,
    link: Link,
    a: Side,
    b: Side,
    axis: wp.vec3,
    goal: wp.vec2,
    dt: float,
    begin: float,
    given: wp.vec4,
    pose: wp.array(dtype=wp.transform),
    velocity: wp.array(dtype=wp.spatial_vector),
):
    """Let limits, dry friction, damping and the drive act along the free direction; return what each gave so far.

    Each has its own sum of impulses, which its law bounds: limits only push back, friction and drive have a strength.
    """
    response = wp.dot(axis, (point_response(a) + point_response(b)) * axis)
    if link.kind == HINGE:
        response = wp.dot(axis, (a.inverse_inertia + b.inverse_inertia) * axis)
    sums = given
    for term in range(4):
        place = joint_position(link, pose)
        way = place - begin
        if link.kind == HINGE:
            if way > wp.pi:
                way -= 2.0 * wp.pi
            if way < -wp.pi:
                way += 2.0 * wp.pi
        total = float(sums[term])
        if term == 0:  # limits: at most one is near
            if link.upper - place < place - link.lower:
                total = wp.min(total + (link.upper - place) / (dt * response), 0.0)
            else:
                total = wp.max(total + (link.lower - place) / (dt * response), 0.0)
        if term == 1 and link.friction > 0.0:
            bound = link.friction * dt
            total = wp.clamp(total - way / (dt * response), -bound, bound)
        if term == 2 and link.damping > 0.0:
            total += (-link.damping * way - total) / (1.0 + link.damping * dt * response)
        if term == 3 and link.last > link.first:
            pull = link.stiffness * (goal[0] - place) + link.drag * (goal[1] - way / dt)
            firm = 1.0 + dt * response * (link.stiffness * dt + link.drag)
            bound = link.strength * dt
            total = wp.clamp(total + (pull * dt - total) / firm, -bound, bound)
        if total != sums[term]:
            push_along(bodies, link, a, b, axis, total - sums[term], dt, pose, velocity)
            sums[term] = total
    return sums


@wp.func
def keep_alike(
    bodies: Bodies,
    link: Link,
    twin: Link,
    dt: float,
    pose: wp.array(dtype=wp.transform),
    velocity: wp.array(dtype=wp.spatial_vector),
):
    """Move two sliders that are geared together equally far, as the belt between the fingers of a gripper does."""
    x = wp.vec3(1.0, 0.0, 0.0)
    a = side_of(bodies, link.parent, link.frame_parent)
    b = side_of(bodies, link.child, link.frame_child)
    c = side_of(bodies, twin.parent, twin.frame_parent)
    d = side_of(bodies, twin.child, twin.frame_child)
    one = wp.quat_rotate(wp.transform_get_rotation(frame_now(link.parent, link.frame_parent, bodies.start)), x)
    two = wp.quat_rotate(wp.transform_get_rotation(frame_now(twin.parent, twin.frame_parent, bodies.start)), x)
    error = joint_position(link, pose) - joint_position(twin, pose)
    response = wp.dot(one, (point_response(a) + point_response(b)) * one)
    response += wp.dot(two, (point_response(c) + point_response(d)) * two)
    amount = -error / (dt * response)
    push_along(bodies, link, a, b, one, amount, dt, pose, velocity)
    push_along(bodies, twin, c, d, two, -amount, dt, pose, velocity)


@wp.kernel
def begin_joints(
    link_start: wp.array(dtype=wp.int32),
    links: wp.array(dtype=Link),
    gravity: wp.array(dtype=wp.vec3),
    is_linked: wp.array(dtype=wp.int32),
    row_start: wp.array(dtype=wp.int32),
    dt: float,
    clock: wp.array(dtype=wp.int32),
    pose: wp.array(dtype=wp.transform),
    start: wp.array(dtype=wp.transform),
    begin: wp.array(dtype=wp.float32),
    given: wp.array(dtype=wp.vec4),
    velocity: wp.array(dtype=wp.spatial_vector),
):
    """Remember how every joint of a world begins the step.

    Velocities are those of the middle of a step (the leapfrog rule, of second order): at t = 0 half a step of gravity
    is taken back.
    """
    world = wp.tid()
    for row in range(row_start[world], row_start[world + 1]):
        start[row] = pose[row]
        if clock[world] == 0 and is_linked[row] != 0:
            velocity[row] = velocity[row] - wp.spatial_vector(0.5 * dt * gravity[world], wp.vec3(0.0, 0.0, 0.0))
    for k in range(link_start[world], link_start[world + 1]):
        given[k] = wp.vec4(0.0, 0.0, 0.0, 0.0)
        if links[k].kind == HINGE or links[k].kind == SLIDER:
            begin[k] = joint_position(links[k], pose)
    clock[world] = clock[world] + 1


@wp.kernel
def hold_joints(
    link_start: wp.array(dtype=wp.int32),
    links: wp.array(dtype=Link),
    times: wp.array(dtype=wp.float32),
    positions: wp.array(dtype=wp.float32),
    bodies: Bodies,
    dt: float,
    first: int,
    count: int,
    clock: wp.array(dtype=wp.int32),
    begin: wp.array(dtype=wp.float32),
    given: wp.array(dtype=wp.vec4),
    pose: wp.array(dtype=wp.transform),
    velocity: wp.array(dtype=wp.spatial_vector),
):
    """Bring all joints of one world nearer to where they must be at the end of the step, one after the other.

    Impulses act along the directions and at the lever arms of the step's beginning, errors are those of its end: then
    the step is reversible and of second order, and energy does not leak away, as it does where both are of the end.

    Source: J.-P. Ryckaert, G. Ciccotti, H. J. C. Berendsen, "Numerical integration of the Cartesian equations of
    motion of a system with constraints" (1977); E. Hairer, C. Lubich, G. Wanner, "Geometric Numerical Integration"
    (2006), §VII.1.4.
    """
    world = wp.tid()
    time = float(clock[world]) * dt
    for sweep in range(first, first + count):
        for turn in range(link_start[world + 1] - link_start[world]):
            k = link_start[world] + turn
            if sweep % 2 == 1:  # there and back: a chain carries a pull from end to end in one pair of sweeps
                k = link_start[world + 1] - 1 - turn
            link = links[k]
            a = side_of(bodies, link.parent, link.frame_parent)
            b = side_of(bodies, link.child, link.frame_child)
            q = wp.transform_get_rotation(frame_now(link.parent, link.frame_parent, bodies.start))
            axis = wp.quat_rotate(q, wp.vec3(1.0, 0.0, 0.0))
            if link.kind == HINGE or link.kind == SLIDER:
                goal = wp.vec2(0.0, 0.0)
                if link.last > link.first:
                    goal = wanted(times, positions, link, time)
                given[k] = move_along(bodies, link, a, b, axis, goal, dt, begin[k], given[k], pose, velocity)
            if link.twin >= 0 and link.kind == SLIDER:
                keep_alike(bodies, link, links[link.twin], dt, pose, velocity)
            if link.kind != BALL:
                hold_turns(bodies, link, a, b, axis, dt, pose, velocity)
            hold_points(bodies, link, a, b, axis, dt, pose, velocity)
