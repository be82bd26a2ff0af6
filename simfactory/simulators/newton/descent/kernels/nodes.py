"""A solver step of soft bodies: the first guess, and the descent of one colour's nodes."""

import warp as wp
from newton._src.geometry.soft_contacts_mesh import _SoftContactFilterData

from simfactory.simulators.newton.descent.kernels.press import Pressing, pressing_force

__all__ = [
    "balance",
    "combine_materials",
    "descend",
    "guess_displacements",
    "repay_bodies",
    "repay_nodes",
    "take_gradients",
]


GUARD_STRETCH = wp.constant(6.0)  # |F|² beyond which guards resist: a bar drawn to 2.3 times its length
AWAKE = wp.constant(0.75)  # of what guards let pass, from which they are looked at in an iteration


@wp.kernel
def guess_displacements(
    dt: float,
    gravity: wp.array(dtype=wp.vec3),
    node_world: wp.array(dtype=wp.int32),
    inv_mass: wp.array(dtype=wp.float32),
    velocity: wp.array(dtype=wp.vec3),
    velocity_before: wp.array(dtype=wp.vec3),
    displacement: wp.array(dtype=wp.vec3),
):
    """Take from a node's first guess the share of gravity that its last step did not show."""
    node = wp.tid()
    now = velocity[node]
    pull = gravity[node_world[node]]
    strength = wp.dot(pull, pull)
    if inv_mass[node] > 0.0 and strength > 0.0:
        felt = wp.dot(now - velocity_before[node], pull) / (strength * dt)
        displacement[node] = displacement[node] - (1.0 - wp.clamp(felt, 0.0, 1.0)) * dt * dt * pull
    velocity_before[node] = now


@wp.kernel
def take_gradients(
    guards_alone: bool,
    start: wp.array(dtype=wp.int32),
    nodes: wp.array(dtype=wp.int32),
    gradients: wp.array(dtype=wp.vec3),
    stiffness: wp.array(dtype=wp.vec4),
    position: wp.array(dtype=wp.vec3),
    deformation: wp.array(dtype=wp.mat33),
    awake: wp.array(dtype=wp.bool),
):
    """Write a sample's deformation gradient, F = Σ (xᵢ − x₀) ⊗ gᵢ, and whether it matters: most guards do not."""
    sample = wp.tid()
    free = stiffness[sample][3]
    if guards_alone and free == 0.0:
        return
    begin = start[sample]
    origin = position[nodes[begin]]
    total = wp.mat33()
    for entry in range(begin + 1, start[sample + 1]):
        total += wp.outer(position[nodes[entry]] - origin, gradients[entry])
    deformation[sample] = total
    growth, square = wp.determinant(total), wp.ddot(total, total)
    awake[sample] = free == 0.0 or wp.abs(growth - 1.0) > AWAKE * free or square > AWAKE * GUARD_STRETCH


@wp.func
def put(
    node: int,
    target: wp.vec3,
    start: wp.array(dtype=wp.int32),
    samples: wp.array(dtype=wp.int32),
    gradients: wp.array(dtype=wp.vec3),
    awake: wp.array(dtype=wp.bool),
    position: wp.array(dtype=wp.vec3),
    deformation: wp.array(dtype=wp.mat33),
):
    """Put a node to a place and bring the deformation gradients around it up to date."""
    move = target - position[node]
    position[node] = target
    for entry in range(start[node], start[node + 1]):
        sample = samples[entry]
        if awake[sample]:
            deformation[sample] = deformation[sample] + wp.outer(move, gradients[entry])


@wp.func
def inner_force(
    node: int,
    dt: float,
    start: wp.array(dtype=wp.int32),
    samples: wp.array(dtype=wp.int32),
    gradients: wp.array(dtype=wp.vec3),
    stiffness: wp.array(dtype=wp.vec4),
    awake: wp.array(dtype=wp.bool),
    deformation_before: wp.array(dtype=wp.mat33),
    deformation: wp.array(dtype=wp.mat33),
):
    """Return the force of elasticity and viscosity on a node, and its Hessian.

    Per volume, elasticity is μ/2 (|F|² − 3) − μ (J − 1) + μ/2 (J − 1)² where shear is sampled and λ/2 (J − 1)² where
    volume is: together the stable neo-Hookean solid, whose part quadratic in small strains ε is μ |ε|² + λ/2 tr²ε.
    Guards add k/2 (|J − 1| − g)² beyond g and μ Q/4 (|F|²/Q − 1)² beyond Q. Viscosity adds the stress η F dC/dt with
    C = FᵀF. Stiffness holds (μ, bulk factor, η) times the volume, and g, 0 but for guards. The term of the Hessian in
    ∂²J/∂x² is 0 for a single node.

    Source: B. Smith et al., "Stable Neo-Hookean Flesh Simulation", ACM Transactions on Graphics 37 (2018), eq. 13;
    A. H. Chen et al., "Vertex Block Descent", ACM Transactions on Graphics 43 (2024), eq. 7.
    """
    force, hessian, even = wp.vec3(), wp.mat33(), float(0.0)
    for entry in range(start[node], start[node + 1]):
        sample = samples[entry]
        if not awake[sample]:
            continue
        gradient = gradients[entry]
        factor = stiffness[sample]
        f = deformation[sample]
        first, second, third = (
            wp.vec3(f[0, 0], f[0, 1], f[0, 2]),
            wp.vec3(f[1, 0], f[1, 1], f[1, 2]),
            wp.vec3(f[2, 0], f[2, 1], f[2, 2]),
        )
        side = wp.cross(second, third)
        growth = wp.dot(first, side)  # J
        excess = growth - 1.0
        shear, bulk, rest, slope = factor[0], factor[1], factor[0], float(0.0)
        if factor[3] > 0.0:  # a guard
            over = wp.max(wp.ddot(f, f) / GUARD_STRETCH - 1.0, 0.0)
            beyond = wp.max(wp.abs(excess) - factor[3], 0.0)
            if over + beyond == 0.0:
                continue
            shear, rest = factor[0] * over, 0.0
            if over > 0.0:
                slope = 2.0 * factor[0] / GUARD_STRETCH
            if beyond == 0.0:
                bulk = 0.0
            excess = beyond * wp.sign(excess)
        area = wp.vec3(  # ∂J/∂x: the cofactors of F times the gradient
            wp.dot(side, gradient),
            wp.dot(wp.cross(third, first), gradient),
            wp.dot(wp.cross(first, second), gradient),
        )
        stretched = f * gradient
        square = wp.dot(gradient, gradient)
        force -= shear * stretched + (bulk * excess - rest) * area
        even += shear * square
        hessian += wp.outer(bulk * area, area)
        if slope > 0.0:
            hessian += wp.outer(slope * stretched, stretched)
        if factor[2] > 0.0:
            before = deformation_before[sample]
            rate = (wp.transpose(f) * f - wp.transpose(before) * before) / dt
            force -= factor[2] * (f * (rate * gradient))
            hessian += (factor[2] / dt) * (square * (f * wp.transpose(f)) + wp.outer(stretched, stretched))
    return force, hessian + even * wp.identity(n=3, dtype=float)


@wp.kernel
def descend(
    dt: float,
    chosen: wp.array(dtype=wp.int32),
    start: wp.array(dtype=wp.int32),
    samples: wp.array(dtype=wp.int32),
    gradients: wp.array(dtype=wp.vec3),
    stiffness: wp.array(dtype=wp.vec4),
    awake: wp.array(dtype=wp.bool),
    deformation_before: wp.array(dtype=wp.mat33),
    reference: wp.array(dtype=wp.vec3),
    position_before: wp.array(dtype=wp.vec3),
    inertia: wp.array(dtype=wp.vec3),
    mass: wp.array(dtype=wp.float32),
    pressing: Pressing,
    filtered: _SoftContactFilterData,
    pose: wp.array(dtype=wp.transform),
    pose_before: wp.array(dtype=wp.transform),
    body_velocity: wp.array(dtype=wp.spatial_vector),
    contact_force: wp.array(dtype=wp.vec3),
    contact_hessian: wp.array(dtype=wp.mat33),
    displacement: wp.array(dtype=wp.vec3),
    internal: wp.array(dtype=wp.vec3),
    position: wp.array(dtype=wp.vec3),
    deformation: wp.array(dtype=wp.mat33),
):
    """Move a node by one Newton step of its own energy: inertia, elasticity, viscosity, contacts.

    The deformation gradients around it follow at once: nodes of one colour share none. What the inner forces are after
    the move is kept, see `balance`.
    """
    node = chosen[wp.tid()]
    if mass[node] == 0.0:
        displacement[node] = wp.vec3()
        put(node, reference[node], start, samples, gradients, awake, position, deformation)
        return
    force, hessian = inner_force(node, dt, start, samples, gradients, stiffness, awake, deformation_before, deformation)
    weight = mass[node] / (dt * dt)
    outer = weight * (inertia[node] - position[node]) + contact_force[node]
    firm = weight * wp.identity(n=3, dtype=float) + contact_hessian[node]
    if pressing.head[node] >= 0:
        push, hard = pressing_force(
            node, dt, pressing, filtered, position_before, position, pose, pose_before, body_velocity
        )
        outer += push
        firm += hard
    move = wp.inverse(firm + hessian) * (outer + force)
    displacement[node] = displacement[node] + move
    internal[node] = force - hessian * move
    put(node, reference[node] + displacement[node], start, samples, gradients, awake, position, deformation)


@wp.kernel
def combine_materials(
    count: wp.array(dtype=wp.int32),
    contact_nodes: wp.array(dtype=wp.vec3i),
    contact_shape: wp.array(dtype=wp.int32),
    node_friction: wp.array(dtype=wp.float32),
    shape_friction: wp.array(dtype=wp.float32),
    node_stiffness: wp.array(dtype=wp.float32),
    friction: wp.array(dtype=wp.float32),
    penalty: wp.array(dtype=wp.float32),
    material: wp.array(dtype=wp.float32),
):
    """Write what contacts of a soft and a rigid body have: its stiffness, the geometric mean of their frictions."""
    contact = wp.tid()
    if contact < wp.min(count[0], friction.shape[0]):
        node = contact_nodes[contact][0]
        friction[contact] = wp.sqrt(node_friction[node] * shape_friction[contact_shape[contact]])
        penalty[contact] = node_stiffness[node]
        material[contact] = node_stiffness[node]


@wp.kernel
def balance(
    dt: float,
    first: wp.array(dtype=wp.int32),
    last: wp.array(dtype=wp.int32),
    mass: wp.array(dtype=wp.float32),
    internal: wp.array(dtype=wp.vec3),
    position: wp.array(dtype=wp.vec3),
    velocity: wp.array(dtype=wp.vec3),
):
    """Take from a free body what its inner forces did to its momentum: they sum to nothing, as do their moments.

    Nodes move one after the other, each by the forces of its moment; until the iterations have converged these do not
    cancel. The rest of a body's motion, its contacts with others included, stays as it is.
    """
    body = wp.tid()
    total = float(0.0)
    center, force = wp.vec3(), wp.vec3()
    for node in range(first[body], last[body]):
        if mass[node] == 0.0:  # held: what holds it takes part
            return
        total += mass[node]
        center += mass[node] * position[node]
        force += internal[node]
    center = center / total
    torque, inertia = wp.vec3(), wp.mat33()
    for node in range(first[body], last[body]):
        arm = position[node] - center
        torque += wp.cross(arm, internal[node])
        inertia += mass[node] * (wp.dot(arm, arm) * wp.identity(n=3, dtype=float) - wp.outer(arm, arm))
    spin = wp.inverse(inertia) * torque
    for node in range(first[body], last[body]):
        velocity[node] = velocity[node] - dt * (force / total + wp.cross(spin, position[node] - center))


@wp.func
def owed(
    contact: int,
    dt: float,
    force_before: wp.array(dtype=wp.spatial_vector),
    force: wp.array(dtype=wp.spatial_vector),
    total: float,
):
    """Return the velocity that brings both sides of a contact to equal and opposite impulses.

    The rigid side has moved by the force before the nodes' last move, the nodes by the force after it.
    """
    return (dt / total) * (wp.spatial_top(force[contact]) - wp.spatial_top(force_before[contact]))


@wp.kernel
def repay_bodies(
    dt: float,
    count: wp.array(dtype=wp.int32),
    contact_nodes: wp.array(dtype=wp.vec3i),
    contact_shape: wp.array(dtype=wp.int32),
    shape_body: wp.array(dtype=wp.int32),
    node_solid: wp.array(dtype=wp.int32),
    solid_mass: wp.array(dtype=wp.float32),
    inv_mass: wp.array(dtype=wp.float32),
    force_before: wp.array(dtype=wp.spatial_vector),
    force: wp.array(dtype=wp.spatial_vector),
    velocity: wp.array(dtype=wp.spatial_vector),
):
    """Give a rigid body the momentum that its contacts with soft ones left open, shared by mass."""
    body = wp.tid()
    if inv_mass[body] == 0.0:
        return
    change = wp.vec3()
    for contact in range(wp.min(count[0], force.shape[0])):
        if shape_body[contact_shape[contact]] == body:
            total = 1.0 / inv_mass[body] + solid_mass[node_solid[contact_nodes[contact][0]]]
            change += owed(contact, dt, force_before, force, total)
    velocity[body] = velocity[body] + wp.spatial_vector(change, wp.vec3())


@wp.kernel
def repay_nodes(
    dt: float,
    first: wp.array(dtype=wp.int32),
    last: wp.array(dtype=wp.int32),
    solid_mass: wp.array(dtype=wp.float32),
    count: wp.array(dtype=wp.int32),
    contact_nodes: wp.array(dtype=wp.vec3i),
    contact_shape: wp.array(dtype=wp.int32),
    shape_body: wp.array(dtype=wp.int32),
    inv_mass: wp.array(dtype=wp.float32),
    force_before: wp.array(dtype=wp.spatial_vector),
    force: wp.array(dtype=wp.spatial_vector),
    velocity: wp.array(dtype=wp.vec3),
):
    """Give a soft body its part of the same."""
    solid = wp.tid()
    change = wp.vec3()
    for contact in range(wp.min(count[0], force.shape[0])):
        node = contact_nodes[contact][0]
        body = shape_body[contact_shape[contact]]
        if node >= first[solid] and node < last[solid] and body >= 0:
            if inv_mass[body] > 0.0:
                change += owed(contact, dt, force_before, force, solid_mass[solid] + 1.0 / inv_mass[body])
    for node in range(first[solid], last[solid]):
        velocity[node] = velocity[node] + change
