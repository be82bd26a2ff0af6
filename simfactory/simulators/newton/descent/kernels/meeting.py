"""Contact among soft bodies: forces for the nodes of one body, and where surfaces touch."""

import warp as wp
from newton._src.geometry.kernels import triangle_closest_point
from newton._src.geometry.tri_mesh_collision import (
    TriMeshCollisionInfo,
    get_edge_colliding_edges_count,
    get_vertex_colliding_triangles_count,
)
from newton._src.solvers.vbd.particle_vbd_kernels import (
    evaluate_edge_edge_contact_2_vertices,
    evaluate_vertex_triangle_collision_force_hessian_4_vertices,
)

from simfactory.launches import scatters

__all__ = ["add_soft_contacts", "nearest_surfaces"]

scatters(__name__, records=256)  # both nodes of 64 edges, and nodes of 32 triangles


@wp.kernel
def add_soft_contacts(
    dt: float,
    rank: int,
    node_rank: wp.array(dtype=wp.int32),
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
    """Add Newton's contact forces to the nodes of one rank; a pair's friction is the geometric mean of its two."""
    which = int(wp.tid())
    if which < found.edge_colliding_edges_buffer_sizes.shape[0]:
        head, tail = edges[which, 2], edges[which, 3]
        if node_rank[head] == rank:  # an edge belongs to one body
            for k in range(get_edge_colliding_edges_count(found, which)):
                other = found.edge_colliding_edges[2 * (found.edge_colliding_edges_offsets[which] + k) + 1]
                slip = wp.sqrt(friction[head] * friction[edges[other, 2]])
                meets, force_head, force_tail, hessian_head, hessian_tail = evaluate_edge_edge_contact_2_vertices(
                    which, other, position, position_before, edges, distance, stiffness, damping, slip, friction_speed,
                    dt, parallel,
                )  # fmt: skip
                if meets:
                    wp.atomic_add(force, head, force_head)
                    wp.atomic_add(hessian, head, hessian_head)
                    wp.atomic_add(force, tail, force_tail)
                    wp.atomic_add(hessian, tail, hessian_tail)
    if which < found.vertex_colliding_triangles_buffer_sizes.shape[0]:
        for k in range(get_vertex_colliding_triangles_count(found, which)):
            triangle = found.vertex_colliding_triangles[2 * (found.vertex_colliding_triangles_offsets[which] + k) + 1]
            a, b, c = triangles[triangle, 0], triangles[triangle, 1], triangles[triangle, 2]
            if node_rank[which] == rank or node_rank[a] == rank:
                mu = wp.sqrt(friction[which] * friction[a])
                touches, force_a, force_b, force_c, force_v, hessian_a, hessian_b, hessian_c, hessian_v = (
                    evaluate_vertex_triangle_collision_force_hessian_4_vertices(
                        which, triangle, position, position_before, triangles, distance, stiffness, damping, mu,
                        friction_speed, dt,
                    )
                )  # fmt: skip
                if touches and node_rank[which] == rank:
                    wp.atomic_add(force, which, force_v)
                    wp.atomic_add(hessian, which, hessian_v)
                if touches and node_rank[a] == rank:
                    wp.atomic_add(force, a, force_a)
                    wp.atomic_add(hessian, a, hessian_a)
                    wp.atomic_add(force, b, force_b)
                    wp.atomic_add(hessian, b, hessian_b)
                    wp.atomic_add(force, c, force_c)
                    wp.atomic_add(hessian, c, hessian_c)


@wp.kernel
def nearest_surfaces(
    node_solid: wp.array(dtype=wp.int32),
    position: wp.array(dtype=wp.vec3),
    triangles: wp.array2d(dtype=wp.int32),
    found: TriMeshCollisionInfo,
    solid: wp.array(dtype=wp.int32),
    point: wp.array(dtype=wp.vec3),
):
    """Write the nearest point on another soft body's surface that was found around a node; body -1: none."""
    node = int(wp.tid())
    best = float(1.0e10)
    solid[node] = -1
    for k in range(get_vertex_colliding_triangles_count(found, node)):
        triangle = found.vertex_colliding_triangles[2 * (found.vertex_colliding_triangles_offsets[node] + k) + 1]
        a, b, c = triangles[triangle, 0], triangles[triangle, 1], triangles[triangle, 2]
        near, _weights, _feature = triangle_closest_point(position[a], position[b], position[c], position[node])
        gap = wp.length(position[node] - near)
        if node_solid[a] != node_solid[node] and gap < best:
            best = gap
            solid[node] = node_solid[a]
            point[node] = near
