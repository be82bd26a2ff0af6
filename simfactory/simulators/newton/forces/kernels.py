"""What acts on bodies between two solver steps: prescribed poses, pushes, damping and air."""

import warp as wp

from simfactory.simulators.newton.air.kernels import Air, air_at


@wp.func
def damp(velocity: wp.vec3, decay: float):
    """Exact flow of dv/dt = -c v over one step: decay = exp(-c dt)."""
    return velocity * decay


@wp.func
def drag(velocity: wp.vec3, wind: wp.vec3, drag_step: float):
    """Exact flow of dv/dt = -(k/m) |v - u| (v - u) over one step, drag_step = k dt/m [s/m]; stable at any speed."""
    relative = velocity - wind
    return wind + relative / (1.0 + drag_step * wp.length(relative))


@wp.kernel
def act_on_bodies(
    air: Air,
    substep_count: int,
    body_world: wp.array(dtype=wp.int32),
    prescribed: wp.array(dtype=wp.int32),
    prescribed_pose: wp.array2d(dtype=wp.transform),
    prescribed_velocity: wp.array2d(dtype=wp.spatial_vector),
    push_start: wp.array(dtype=wp.int32),
    push_step: wp.array(dtype=wp.int32),
    push_velocity: wp.array(dtype=wp.vec3),
    decay: wp.array(dtype=wp.float32),
    drag_step: wp.array(dtype=wp.float32),
    body_q: wp.array(dtype=wp.transform),
    body_qd: wp.array(dtype=wp.spatial_vector),
):
    """Prepare one body for the coming step.

    A prescribed body is put where it is at the end of the step (row `air.clock % substep_count` of the frame's table):
    the solver holds it there and moves the others against it. A dynamic body gets the pushes that are due, then
    damping and drag.
    """
    body = wp.tid()
    step = air.clock[body_world[body]]
    column = prescribed[body]
    if column >= 0:
        row = step % substep_count
        body_q[body] = prescribed_pose[row, column]
        body_qd[body] = prescribed_velocity[row, column]
        return
    linear = wp.spatial_top(body_qd[body])
    angular = wp.spatial_bottom(body_qd[body])
    for push in range(push_start[body], push_start[body + 1]):
        if push_step[push] == step:
            linear = linear + push_velocity[push]
    if decay[body] < 1.0:
        linear = damp(linear, decay[body])
        angular = damp(angular, decay[body])
    if drag_step[body] > 0.0:
        breeze = air_at(air, body_world[body], wp.transform_get_translation(body_q[body]))
        linear = drag(linear, breeze, drag_step[body])
    body_qd[body] = wp.spatial_vector(linear, angular)


@wp.kernel
def act_on_nodes(
    air: Air,
    node_world: wp.array(dtype=wp.int32),
    owner: wp.array(dtype=wp.int32),
    push_start: wp.array(dtype=wp.int32),
    push_step: wp.array(dtype=wp.int32),
    push_velocity: wp.array(dtype=wp.vec3),
    decay: wp.array(dtype=wp.float32),
    drag_step: wp.array(dtype=wp.float32),
    node_q: wp.array(dtype=wp.vec3),
    node_qd: wp.array(dtype=wp.vec3),
):
    """Prepare one node of a soft body for the coming step: pushes that are due, damping and drag; -1 is held."""
    node = wp.tid()
    body = owner[node]
    if body < 0:
        return
    velocity = node_qd[node]
    for push in range(push_start[body], push_start[body + 1]):
        if push_step[push] == air.clock[node_world[node]]:
            velocity = velocity + push_velocity[push]
    if decay[body] < 1.0:
        velocity = damp(velocity, decay[body])
    if drag_step[body] > 0.0:
        velocity = drag(velocity, air_at(air, node_world[node], node_q[node]), drag_step[body])
    node_qd[node] = velocity


@wp.kernel
def drag_across_lines(
    air: Air,
    drag_step: wp.array(dtype=wp.float32),
    following: wp.array(dtype=wp.vec2i),
    node_world: wp.array(dtype=wp.int32),
    node_q: wp.array(dtype=wp.vec3),
    node_qd: wp.array(dtype=wp.vec3),
):
    """Brake one node of a rope against the air, across its line only."""
    node = wp.tid()
    if drag_step[node] == 0.0:
        return
    along = wp.normalize(node_q[following[node][1]] - node_q[following[node][0]])
    relative = node_qd[node] - air_at(air, node_world[node], node_q[node])
    across = relative - wp.dot(relative, along) * along
    node_qd[node] = node_qd[node] - across + drag(across, wp.vec3(0.0), drag_step[node])


@wp.kernel
def advance_clock(clock: wp.array(dtype=wp.int32)):
    """Count one solver step in every world."""
    world = wp.tid()
    clock[world] = clock[world] + 1
