"""A solver step of cloth: the descent of one colour's nodes, contact with itself and others, what blows leave open."""

import warp as wp
from newton._src.geometry.tri_mesh_collision import (
    TriMeshCollisionInfo,
    get_edge_colliding_edges_count,
    get_vertex_colliding_triangles_count,
)
from newton._src.solvers.vbd.particle_vbd_kernels import (
    accumulate_elasticity_force_and_hessian,
    evaluate_edge_edge_contact_2_vertices,
    evaluate_vertex_triangle_collision_force_hessian_4_vertices,
)
from newton._src.utils.mesh import MeshAdjacencyData

from simfactory.simulators.newton.descent.kernels.gas import outward

__all__ = ["add_cloth_contacts", "descend_cloth", "meet", "prop", "settle"]


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
    edge_indices: wp.array2d(dtype=wp.int32),
    edge_rest_angle: wp.array(dtype=wp.float32),
    edge_rest_length: wp.array(dtype=wp.float32),
    edge_bending: wp.array2d(dtype=wp.float32),
    tet_indices: wp.array2d(dtype=wp.int32),
    tet_poses: wp.array(dtype=wp.mat33),
    tet_materials: wp.array2d(dtype=wp.float32),
    around: MeshAdjacencyData,
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
    force, hessian = accumulate_elasticity_force_and_hessian(
        node, dt, position_before, position, tri_indices, tri_poses, tri_materials, tri_areas, edge_indices,
        edge_rest_angle, edge_rest_length, edge_bending, tet_indices, tet_poses, tet_materials, around,
        wp.vec3(0.0), wp.mat33(0.0),
    )  # fmt: skip
    weight = mass[node] / (dt * dt)
    outer = weight * (inertia[node] - position[node]) + contact_force[node]
    if gauge[solid[node]] != 0.0:
        force += gauge[solid[node]] * outward(node, position, tri_indices, around)
    gives = wp.inverse(weight * wp.identity(n=3, dtype=float) + contact_hessian[node] + hessian)
    move = gives * (outer + force)
    compliance[node] = gives
    displacement[node] = displacement[node] + move
    internal[node] = force - hessian * move
    position[node] = reference[node] + displacement[node]


@wp.kernel
def add_cloth_contacts(
    dt: float,
    color: int,
    node_color: wp.array(dtype=wp.int32),
    friction: wp.array(dtype=wp.float32),
    position_before: wp.array(dtype=wp.vec3),
    position: wp.array(dtype=wp.vec3),
    triangles: wp.array2d(dtype=wp.int32),
    edges: wp.array2d(dtype=wp.int32),
    found: TriMeshCollisionInfo,
    distance: float,
    stiffness: float,
    damping: float,
    friction_speed: float,
    parallel: float,
    force: wp.array(dtype=wp.vec3),
    hessian: wp.array(dtype=wp.mat33),
):
    """Add Newton's contact forces to the nodes of one colour; a pair's friction is the geometric mean of its two."""
    which = int(wp.tid())
    if which < found.edge_colliding_edges_buffer_sizes.shape[0]:
        head, tail = edges[which, 2], edges[which, 3]
        if node_color[head] == color or node_color[tail] == color:
            for k in range(get_edge_colliding_edges_count(found, which)):
                other = found.edge_colliding_edges[2 * (found.edge_colliding_edges_offsets[which] + k) + 1]
                slip = wp.sqrt(friction[head] * friction[edges[other, 2]])
                meets, force_head, force_tail, hessian_head, hessian_tail = evaluate_edge_edge_contact_2_vertices(
                    which, other, position, position_before, edges, distance, stiffness, damping, slip, friction_speed,
                    dt, parallel,
                )  # fmt: skip
                if meets and node_color[head] == color:
                    wp.atomic_add(force, head, force_head)
                    wp.atomic_add(hessian, head, hessian_head)
                if meets and node_color[tail] == color:
                    wp.atomic_add(force, tail, force_tail)
                    wp.atomic_add(hessian, tail, hessian_tail)
    if which < found.vertex_colliding_triangles_buffer_sizes.shape[0]:
        for k in range(get_vertex_colliding_triangles_count(found, which)):
            triangle = found.vertex_colliding_triangles[2 * (found.vertex_colliding_triangles_offsets[which] + k) + 1]
            a, b, c = triangles[triangle, 0], triangles[triangle, 1], triangles[triangle, 2]
            mine = node_color[which] == color
            if mine or node_color[a] == color or node_color[b] == color or node_color[c] == color:
                mu = wp.sqrt(friction[which] * friction[a])
                touches, force_a, force_b, force_c, force_v, hessian_a, hessian_b, hessian_c, hessian_v = (
                    evaluate_vertex_triangle_collision_force_hessian_4_vertices(
                        which, triangle, position, position_before, triangles, distance, stiffness, damping, mu,
                        friction_speed, dt,
                    )
                )  # fmt: skip
                if touches and mine:
                    wp.atomic_add(force, which, force_v)
                    wp.atomic_add(hessian, which, hessian_v)
                if touches and node_color[a] == color:
                    wp.atomic_add(force, a, force_a)
                    wp.atomic_add(hessian, a, hessian_a)
                if touches and node_color[b] == color:
                    wp.atomic_add(force, b, force_b)
                    wp.atomic_add(hessian, b, hessian_b)
                if touches and node_color[c] == color:
                    wp.atomic_add(force, c, force_c)
                    wp.atomic_add(hessian, c, hessian_c)


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
