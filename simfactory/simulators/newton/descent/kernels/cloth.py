"""A solver step of cloth: the descent of one colour's nodes, and contact of cloth with itself and others."""

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

__all__ = ["add_cloth_contacts", "descend_cloth"]


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
    contact_force: wp.array(dtype=wp.vec3),
    contact_hessian: wp.array(dtype=wp.mat33),
    displacement: wp.array(dtype=wp.vec3),
    internal: wp.array(dtype=wp.vec3),
    position: wp.array(dtype=wp.vec3),
):
    """Move a node by one Newton step of its own energy: inertia, membrane, bending, contacts.

    What the inner forces are after the move is kept, see `balance`.
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
    move = wp.inverse(weight * wp.identity(n=3, dtype=float) + contact_hessian[node] + hessian) * (outer + force)
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
