"""A solver step of cloth: the descent of one colour's nodes, and what blows leave open."""

import warp as wp
from newton._src.geometry.soft_contacts_mesh import _SoftContactFilterData
from newton._src.utils.mesh import MeshAdjacencyData

from simfactory.simulators.newton.descent.kernels.gas import outward
from simfactory.simulators.newton.descent.kernels.near import Meeting, Near, meeting_force
from simfactory.simulators.newton.descent.kernels.press import Pressing, pressing_force
from simfactory.simulators.newton.descent.kernels.shell import shell_force

__all__ = ["descend_cloth", "meet", "prop", "settle"]


@wp.kernel
def descend_cloth(
    dt: float,
    chosen: wp.array(dtype=wp.int32),
    reference: wp.array(dtype=wp.vec3),
    position_before: wp.array(dtype=wp.vec3),
    mass: wp.array(dtype=wp.float32),
    inertia: wp.array(dtype=wp.vec3),
    tri_indices: wp.array2d(dtype=wp.int32),
    tri_poses: wp.array(dtype=wp.mat22),
    tri_materials: wp.array2d(dtype=wp.float32),
    tri_areas: wp.array(dtype=wp.float32),
    metrics: wp.array(dtype=wp.vec3),
    edge_indices: wp.array2d(dtype=wp.int32),
    edge_rest_angle: wp.array(dtype=wp.float32),
    edge_rest_length: wp.array(dtype=wp.float32),
    edge_bending: wp.array2d(dtype=wp.float32),
    angles: wp.array(dtype=wp.float32),
    around: MeshAdjacencyData,
    near: Near,
    meeting: Meeting,
    pressing: Pressing,
    filtered: _SoftContactFilterData,
    pose: wp.array(dtype=wp.transform),
    pose_before: wp.array(dtype=wp.transform),
    body_velocity: wp.array(dtype=wp.spatial_vector),
    friction: wp.array(dtype=wp.float32),
    solid: wp.array(dtype=wp.int32),
    gauge: wp.array(dtype=wp.float32),
    contact_force: wp.array(dtype=wp.vec3),
    contact_hessian: wp.array(dtype=wp.mat33),
    displacement: wp.array(dtype=wp.vec3),
    internal: wp.array(dtype=wp.vec3),
    compliance: wp.array(dtype=wp.mat33),
    position: wp.array(dtype=wp.vec3),
):
    """Move a node by one Newton step of its own energy: inertia, membrane, bending, contacts, gas of a given pressure.

    What the inner forces are after the move is kept, see `balance`; how far the node gives way to a force, for `gas`.
    """
    node = chosen[wp.tid()]
    if mass[node] == 0.0:
        displacement[node] = wp.vec3()
        return
    force, hessian = shell_force(
        node, dt, position, tri_indices, tri_poses, tri_materials, tri_areas, metrics, edge_indices, edge_rest_angle,
        edge_rest_length, edge_bending, angles, around,
    )  # fmt: skip
    weight = mass[node] / (dt * dt)
    outer = weight * (inertia[node] - position[node]) + contact_force[node]
    firm = weight * wp.identity(n=3, dtype=float) + contact_hessian[node]
    if near.busy[node] == 1:
        touch, stiff = meeting_force(
            node, dt, near, meeting, friction, position_before, position, displacement, tri_indices, edge_indices,
            around,
        )  # fmt: skip
        outer += touch
        firm += stiff
    if pressing.head[node] >= 0:
        push, hard = pressing_force(
            node, dt, pressing, filtered, position_before, position, pose, pose_before, body_velocity
        )
        outer += push
        firm += hard
    if gauge[solid[node]] != 0.0:
        force += gauge[solid[node]] * outward(node, position, tri_indices, around)
    gives = wp.inverse(firm + hessian)
    move = gives * (outer + force)
    compliance[node] = gives
    displacement[node] = displacement[node] + move
    internal[node] = force - hessian * move
    position[node] = reference[node] + displacement[node]


@wp.kernel
def prop(
    count: wp.array(dtype=wp.int32),
    shape0: wp.array(dtype=wp.int32),
    shape1: wp.array(dtype=wp.int32),
    point0: wp.array(dtype=wp.vec3),
    point1: wp.array(dtype=wp.vec3),
    offset0: wp.array(dtype=wp.vec3),
    offset1: wp.array(dtype=wp.vec3),
    normal: wp.array(dtype=wp.vec3),
    shape_body: wp.array(dtype=wp.int32),
    pose: wp.array(dtype=wp.transform),
    touching: float,
    inv_mass: wp.array(dtype=wp.float32),
):
    """Set the inverse mass of rigid bodies that touch another one, or the floor, to 0: these take a part of blows."""
    contact = wp.tid()
    if contact >= count[0]:
        return
    a, b = shape_body[shape0[contact]], shape_body[shape1[contact]]
    start, end = point0[contact] + offset0[contact], point1[contact] + offset1[contact]
    if a >= 0:
        start = wp.transform_point(pose[a], start)
    if b >= 0:
        end = wp.transform_point(pose[b], end)
    if wp.dot(normal[contact], end - start) <= touching:
        if a >= 0:
            inv_mass[a] = 0.0
        if b >= 0:
            inv_mass[b] = 0.0


@wp.kernel
def meet(
    count: wp.array(dtype=wp.int32),
    contact_nodes: wp.array(dtype=wp.vec3i),
    contact_shape: wp.array(dtype=wp.int32),
    shape_body: wp.array(dtype=wp.int32),
    node_solid: wp.array(dtype=wp.int32),
    inv_mass: wp.array(dtype=wp.float32),
    force: wp.array(dtype=wp.spatial_vector),
    partner: wp.array(dtype=wp.int32),
    propped: wp.array(dtype=wp.int32),
):
    """Note which cloth presses against each body (one, if several do), and which cloths are held up by anything."""
    contact = wp.tid()
    if contact >= wp.min(count[0], force.shape[0]):
        return
    if wp.length_sq(wp.spatial_top(force[contact])) == 0.0:
        return
    solid, body = node_solid[contact_nodes[contact][0]], shape_body[contact_shape[contact]]
    if body < 0:
        propped[solid] = 1
    elif inv_mass[body] == 0.0:
        propped[solid] = 1
    else:
        partner[body] = solid


@wp.kernel
def settle(
    dt: float,
    first: wp.array(dtype=wp.int32),
    last: wp.array(dtype=wp.int32),
    alone: wp.array(dtype=wp.int32),
    weight: wp.array(dtype=wp.float32),
    mass: wp.array(dtype=wp.float32),
    node_world: wp.array(dtype=wp.int32),
    gravity: wp.array(dtype=wp.vec3),
    inv_mass: wp.array(dtype=wp.float32),
    partner: wp.array(dtype=wp.int32),
    propped: wp.array(dtype=wp.int32),
    velocity_before: wp.array(dtype=wp.vec3),
    body_velocity_before: wp.array(dtype=wp.spatial_vector),
    velocity: wp.array(dtype=wp.vec3),
    body_velocity: wp.array(dtype=wp.spatial_vector),
):
    """Give a free cloth and the free bodies that it presses against the momentum they had, and what gravity added.

    Each side moves in its own part of an iteration; what that leaves open is shared out by mass.
    """
    solid = wp.tid()
    if alone[solid] == 0 or propped[solid] != 0:
        return
    gained = gravity[node_world[first[solid]]] * dt
    open = wp.vec3()
    total = weight[solid]
    for body in range(partner.shape[0]):
        if partner[body] == solid:
            change = wp.spatial_top(body_velocity[body]) - wp.spatial_top(body_velocity_before[body])
            open += (change - gained) / inv_mass[body]
            total += 1.0 / inv_mass[body]
    if total == weight[solid]:
        return
    for node in range(first[solid], last[solid]):
        open += mass[node] * (velocity[node] - velocity_before[node] - gained)
    share = open / total
    for node in range(first[solid], last[solid]):
        velocity[node] = velocity[node] - share
    for body in range(partner.shape[0]):
        if partner[body] == solid:
            body_velocity[body] = body_velocity[body] - wp.spatial_vector(share, wp.vec3())
