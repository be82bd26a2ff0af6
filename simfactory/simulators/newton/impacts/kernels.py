"""What surrounds a solver step: contact points, restitution as a velocity constraint, free flight."""

import newton
import warp as wp

KINEMATIC = wp.constant(int(newton.BodyFlags.KINEMATIC))
WORLD_IMPACTS = wp.constant(64)  # impacts of one world in one step; more are inelastic
SWEEPS = wp.constant(10)


@wp.struct
class Impact:
    """One approaching contact: normal from a to b, lever arms × normal, and what it must reach."""

    a: wp.int32
    b: wp.int32
    normal: wp.vec3
    turn_a: wp.vec3
    turn_b: wp.vec3
    inverse_mass: float
    target: float


@wp.func
def is_reacting(body: int, body_flags: wp.array(dtype=wp.int32)):
    """A body that contacts accelerate: neither the world nor kinematic."""
    if body < 0:
        return False
    return (body_flags[body] & KINEMATIC) == 0


@wp.func
def rotated_inverse(pose: wp.transform, inverse_inertia: wp.mat33, moment: wp.vec3):
    """Angular velocity gained by an angular impulse, world frame."""
    rotation = wp.transform_get_rotation(pose)
    return wp.quat_rotate(rotation, inverse_inertia * wp.quat_rotate_inv(rotation, moment))


@wp.func
def point_velocity(velocity: wp.spatial_vector, arm: wp.vec3):
    """Velocity of the point at an arm from the centre of mass, world frame."""
    return wp.spatial_top(velocity) + wp.cross(wp.spatial_bottom(velocity), arm)


@wp.struct
class Side:
    """One side of a contact at the start of a step; `point` is in the world, the rest 0 for the world itself."""

    reacts: bool
    point: wp.vec3
    turn: wp.vec3  # lever arm × normal
    inverse_mass: float
    speed: float  # along the normal
    pull: wp.vec3  # gravity, if it reacts


@wp.func
def contact_side(
    body: int,
    local_point: wp.vec3,
    normal: wp.vec3,
    body_world: wp.array(dtype=wp.int32),
    body_flags: wp.array(dtype=wp.int32),
    body_com: wp.array(dtype=wp.vec3),
    body_inv_mass: wp.array(dtype=wp.float32),
    body_inv_inertia: wp.array(dtype=wp.mat33),
    gravity: wp.array(dtype=wp.vec3),
    pose_before: wp.array(dtype=wp.transform),
    velocity_before: wp.array(dtype=wp.spatial_vector),
):
    """Describe a contact from the side of one body, -1 for the world."""
    side = Side()
    side.point = local_point
    if body < 0:
        return side
    pose = pose_before[body]
    side.point = wp.transform_point(pose, local_point)
    arm = side.point - wp.transform_point(pose, body_com[body])
    side.turn = wp.cross(arm, normal)
    side.speed = wp.dot(normal, point_velocity(velocity_before[body], arm))
    if is_reacting(body, body_flags):
        side.reacts = True
        turned_back = rotated_inverse(pose, body_inv_inertia[body], side.turn)
        side.inverse_mass = body_inv_mass[body] + wp.dot(side.turn, turned_back)
        side.pull = gravity[body_world[body]]
    return side


@wp.kernel
def find_impacts(
    contact_count: wp.array(dtype=wp.int32),
    contact_shape0: wp.array(dtype=wp.int32),
    contact_shape1: wp.array(dtype=wp.int32),
    contact_point0: wp.array(dtype=wp.vec3),
    contact_point1: wp.array(dtype=wp.vec3),
    contact_offset0: wp.array(dtype=wp.vec3),
    contact_offset1: wp.array(dtype=wp.vec3),
    contact_normal: wp.array(dtype=wp.vec3),
    shape_body: wp.array(dtype=wp.int32),
    shape_restitution: wp.array(dtype=wp.float32),
    body_world: wp.array(dtype=wp.int32),
    body_flags: wp.array(dtype=wp.int32),
    body_com: wp.array(dtype=wp.vec3),
    body_inv_mass: wp.array(dtype=wp.float32),
    body_inv_inertia: wp.array(dtype=wp.mat33),
    gravity: wp.array(dtype=wp.vec3),
    pose_before: wp.array(dtype=wp.transform),
    velocity_before: wp.array(dtype=wp.spatial_vector),
    dt: float,
    impacts: wp.array(dtype=Impact),
    world_count: wp.array(dtype=wp.int32),
    world_list: wp.array2d(dtype=wp.int32),
):
    """Record each contact that closes within the step, faster than 2 g dt.

    Everything is taken at the start of the step: at its end the contact point of a rolling body has turned upwards and
    seems to leave the ground.
    """
    contact = wp.tid()
    if contact >= contact_count[0] or contact_shape0[contact] == contact_shape1[contact]:  # these were taken out
        return
    normal = contact_normal[contact]
    body_a = shape_body[contact_shape0[contact]]
    body_b = shape_body[contact_shape1[contact]]
    point_a = contact_point0[contact] + contact_offset0[contact]
    point_b = contact_point1[contact] + contact_offset1[contact]
    a = contact_side(
        body_a, point_a, normal, body_world, body_flags, body_com, body_inv_mass, body_inv_inertia, gravity,
        pose_before, velocity_before,
    )  # fmt: skip
    b = contact_side(
        body_b, point_b, normal, body_world, body_flags, body_com, body_inv_mass, body_inv_inertia, gravity,
        pose_before, velocity_before,
    )  # fmt: skip
    if not a.reacts and not b.reacts:
        return
    closing = a.speed - b.speed
    separation = wp.dot(normal, b.point - a.point)
    strength = wp.max(wp.length(a.pull), wp.length(b.pull))
    if closing <= 2.0 * strength * dt or separation - closing * dt >= 0.0:
        return
    # The speed where the surfaces meet, not where the step begins.
    gained = 2.0 * wp.dot(normal, a.pull - b.pull) * wp.max(separation, 0.0)
    speed = wp.sqrt(wp.max(closing * closing + gained, 0.0))
    impact = Impact()
    impact.a = -1
    impact.b = -1
    impact.normal = normal
    impact.turn_a = a.turn
    impact.turn_b = b.turn
    impact.inverse_mass = a.inverse_mass + b.inverse_mass
    impact.target = (
        0.5 * (shape_restitution[contact_shape0[contact]] + shape_restitution[contact_shape1[contact]]) * speed
    )
    world = int(0)
    if a.reacts:
        impact.a = body_a
        world = body_world[body_a]
    else:
        impact.target += a.speed  # a prescribed body goes on
    if b.reacts:
        impact.b = body_b
        world = body_world[body_b]
    else:
        impact.target -= b.speed
    impacts[contact] = impact
    slot = wp.atomic_add(world_count, world, 1)
    if slot < WORLD_IMPACTS:
        world_list[world, slot] = contact


@wp.func
def predicted_rotation(
    body: int,
    body_inertia: wp.array(dtype=wp.mat33),
    body_inv_inertia: wp.array(dtype=wp.mat33),
    pose_before: wp.array(dtype=wp.transform),
    velocity_before: wp.array(dtype=wp.spatial_vector),
    dt: float,
):
    """Orientation that the solver predicts for the end of the step, before it looks at contacts."""
    start = wp.transform_get_rotation(pose_before[body])
    local = wp.quat_rotate_inv(start, wp.spatial_bottom(velocity_before[body]))
    local = local - body_inv_inertia[body] * wp.cross(local, body_inertia[body] * local) * dt
    angular = wp.quat_rotate(start, local)
    return wp.normalize(start + wp.quat(angular, 0.0) * start * 0.5 * dt)


@wp.func
def linearise_side(
    contact: int,
    body: int,
    normal: wp.vec3,
    body_flags: wp.array(dtype=wp.int32),
    body_com: wp.array(dtype=wp.vec3),
    body_inertia: wp.array(dtype=wp.mat33),
    body_inv_inertia: wp.array(dtype=wp.mat33),
    pose_before: wp.array(dtype=wp.transform),
    velocity_before: wp.array(dtype=wp.spatial_vector),
    dt: float,
    contact_point: wp.array(dtype=wp.vec3),
    contact_offset: wp.array(dtype=wp.vec3),
):
    """Move one side's contact point; see `linearise_contacts`."""
    if not is_reacting(body, body_flags):
        return
    start = wp.transform_get_rotation(pose_before[body])
    end = predicted_rotation(body, body_inertia, body_inv_inertia, pose_before, velocity_before, dt)
    turn = wp.spatial_bottom(velocity_before[body]) * dt
    arm = wp.quat_rotate(start, contact_point[contact] - body_com[body])
    offset = wp.quat_rotate(start, contact_offset[contact])
    rise = normal * wp.dot(normal, wp.cross(turn, arm))
    slip = wp.cross(turn, arm + offset) - rise
    contact_point[contact] = body_com[body] + wp.quat_rotate_inv(end, arm + rise)
    contact_offset[contact] = wp.quat_rotate_inv(end, offset + slip)


@wp.kernel
def linearise_contacts(
    contact_count: wp.array(dtype=wp.int32),
    contact_shape0: wp.array(dtype=wp.int32),
    contact_shape1: wp.array(dtype=wp.int32),
    contact_normal: wp.array(dtype=wp.vec3),
    shape_body: wp.array(dtype=wp.int32),
    body_flags: wp.array(dtype=wp.int32),
    body_com: wp.array(dtype=wp.vec3),
    body_inertia: wp.array(dtype=wp.mat33),
    body_inv_inertia: wp.array(dtype=wp.mat33),
    pose_before: wp.array(dtype=wp.transform),
    velocity_before: wp.array(dtype=wp.spatial_vector),
    dt: float,
    contact_point0: wp.array(dtype=wp.vec3),
    contact_point1: wp.array(dtype=wp.vec3),
    contact_offset0: wp.array(dtype=wp.vec3),
    contact_offset1: wp.array(dtype=wp.vec3),
):
    """Move contact points so that at the end of the step they lie where they were, plus their velocity's way.

    The solver evaluates contacts at the end of the step, where a material point of a rolling cylinder has turned
    behind the axle: the ground's push there drives the rotation, by m g r ω² dt watts. With r + (ω × r) dt in place
    of the turned lever arm, normal and friction act at the lever arm of the start, whatever the shape's curvature.
    """
    contact = wp.tid()
    if contact >= contact_count[0] or contact_shape0[contact] == contact_shape1[contact]:  # these were taken out
        return
    normal = contact_normal[contact]
    linearise_side(
        contact, shape_body[contact_shape0[contact]], normal, body_flags, body_com, body_inertia, body_inv_inertia,
        pose_before, velocity_before, dt, contact_point0, contact_offset0,
    )  # fmt: skip
    linearise_side(
        contact, shape_body[contact_shape1[contact]], normal, body_flags, body_com, body_inertia, body_inv_inertia,
        pose_before, velocity_before, dt, contact_point1, contact_offset1,
    )  # fmt: skip


@wp.func
def opening_speed(impact: Impact, velocity: wp.array(dtype=wp.spatial_vector)):
    """Speed at which the reacting sides separate along the normal."""
    speed = float(0.0)
    if impact.a >= 0:
        speed -= wp.dot(impact.normal, wp.spatial_top(velocity[impact.a]))
        speed -= wp.dot(impact.turn_a, wp.spatial_bottom(velocity[impact.a]))
    if impact.b >= 0:
        speed += wp.dot(impact.normal, wp.spatial_top(velocity[impact.b]))
        speed += wp.dot(impact.turn_b, wp.spatial_bottom(velocity[impact.b]))
    return speed


@wp.func
def apply_impulse(
    impact: Impact,
    impulse: float,
    body_inv_mass: wp.array(dtype=wp.float32),
    body_inv_inertia: wp.array(dtype=wp.mat33),
    pose_before: wp.array(dtype=wp.transform),
    velocity: wp.array(dtype=wp.spatial_vector),
):
    """Push the two sides apart by equal and opposite impulses."""
    if impact.a >= 0:
        a = impact.a
        turn = rotated_inverse(pose_before[a], body_inv_inertia[a], impact.turn_a)
        velocity[a] = velocity[a] - wp.spatial_vector(impact.normal * body_inv_mass[a], turn) * impulse
    if impact.b >= 0:
        b = impact.b
        turn = rotated_inverse(pose_before[b], body_inv_inertia[b], impact.turn_b)
        velocity[b] = velocity[b] + wp.spatial_vector(impact.normal * body_inv_mass[b], turn) * impulse


@wp.kernel
def solve_impacts(
    impacts: wp.array(dtype=Impact),
    world_count: wp.array(dtype=wp.int32),
    world_list: wp.array2d(dtype=wp.int32),
    body_inv_mass: wp.array(dtype=wp.float32),
    body_inv_inertia: wp.array(dtype=wp.mat33),
    pose_before: wp.array(dtype=wp.transform),
    least: wp.array2d(dtype=wp.float32),
    total: wp.array2d(dtype=wp.float32),
    velocity: wp.array(dtype=wp.spatial_vector),
):
    """Bring all impacts of one world to their targets by projected Gauss-Seidel, in the order of their contacts.

    An impulse is never negative, except that it may take back what the position projection gave beyond the target.
    """
    world = wp.tid()
    count = wp.min(world_count[world], WORLD_IMPACTS)
    world_count[world] = 0
    for i in range(1, count):  # the order of arrival is not that of the contacts on parallel devices
        contact = world_list[world, i]
        j = i
        while j > 0 and world_list[world, j - 1] > contact:
            world_list[world, j] = world_list[world, j - 1]
            j -= 1
        world_list[world, j] = contact
    for i in range(count):
        impact = impacts[world_list[world, i]]
        least[world, i] = wp.min((impact.target - opening_speed(impact, velocity)) / impact.inverse_mass, 0.0)
        total[world, i] = 0.0
    for _sweep in range(SWEEPS):
        for i in range(count):
            impact = impacts[world_list[world, i]]
            wanted = total[world, i] + (impact.target - opening_speed(impact, velocity)) / impact.inverse_mass
            allowed = wp.max(wanted, least[world, i])
            apply_impulse(impact, allowed - total[world, i], body_inv_mass, body_inv_inertia, pose_before, velocity)
            total[world, i] = allowed


@wp.func
def spin(orientation: wp.quat, angular_momentum: wp.vec3, inverse_inertia: wp.mat33):
    """Angular velocity of a body with this angular momentum, world frame."""
    return wp.quat_rotate(orientation, inverse_inertia * wp.quat_rotate_inv(orientation, angular_momentum))


@wp.func
def turned(orientation: wp.quat, angular_velocity: wp.vec3, dt: float):
    """Orientation after turning at a constant rate."""
    angle = wp.length(angular_velocity) * dt
    if angle == 0.0:
        return orientation
    return wp.normalize(wp.quat_from_axis_angle(wp.normalize(angular_velocity), angle) * orientation)


@wp.kernel
def correct_flight(
    body_world: wp.array(dtype=wp.int32),
    body_flags: wp.array(dtype=wp.int32),
    body_com: wp.array(dtype=wp.vec3),
    body_inertia: wp.array(dtype=wp.mat33),
    body_inv_inertia: wp.array(dtype=wp.mat33),
    gravity: wp.array(dtype=wp.vec3),
    pose_before: wp.array(dtype=wp.transform),
    velocity_before: wp.array(dtype=wp.spatial_vector),
    dt: float,
    rounding: float,
    velocity: wp.array(dtype=wp.spatial_vector),
    pose: wp.array(dtype=wp.transform),
):
    """Move a body that touched nothing along its parabola, and turn it by the midpoint rule at constant momentum.

    The solver's symplectic Euler falls too far by g dt²/2 a step; its explicit Euler of the gyroscopic term gains
    energy and diverges for elongated bodies that spin fast.
    """
    body = wp.tid()
    if (body_flags[body] & KINEMATIC) != 0:
        return
    pull = gravity[body_world[body]]
    linear = wp.spatial_top(velocity_before[body])
    free = linear + pull * dt
    if wp.length(wp.spatial_top(velocity[body]) - free) > rounding * (1.0 + wp.length(free)):
        return
    angular = wp.spatial_bottom(velocity_before[body])
    start = wp.transform_get_rotation(pose_before[body])
    inertia = body_inertia[body]
    inverse = body_inv_inertia[body]
    momentum = wp.quat_rotate(start, inertia * wp.quat_rotate_inv(start, angular))
    # Differences of like terms: the rounding of rotations, some 1e-7 of the rate and always of one sign, cancels.
    still = spin(start, momentum, inverse)
    middle = turned(start, angular, 0.5 * dt)
    end = turned(start, angular + (spin(middle, momentum, inverse) - still), dt)
    center = wp.transform_point(pose_before[body], body_com[body]) + linear * dt + 0.5 * dt * dt * pull
    pose[body] = wp.transform(center - wp.quat_rotate(end, body_com[body]), end)
    velocity[body] = wp.spatial_vector(free, angular + (spin(end, momentum, inverse) - still))
