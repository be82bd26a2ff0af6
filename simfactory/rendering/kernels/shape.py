"""What a mesh's triangles say about its shape: smooth shading normals, and whether it is convex."""

import warp as wp

from simfactory.rendering.kernels.options import OPTIONS

__all__ = ["find_dent", "smooth_normals"]

wp.set_module_options(OPTIONS)


@wp.func
def face_normal(vertices: wp.array(dtype=wp.vec3), indices: wp.array(dtype=wp.int32), face: int):
    """Return a triangle's unit normal; 0 for a degenerate one."""
    v0 = vertices[indices[3 * face]]
    return wp.normalize(wp.cross(vertices[indices[3 * face + 1]] - v0, vertices[indices[3 * face + 2]] - v0))


@wp.func
def corner_angle(vertices: wp.array(dtype=wp.vec3), indices: wp.array(dtype=wp.int32), face: int, vertex: int):
    """Return a triangle's angle at one of its vertices [rad]."""
    k = int(0)
    if indices[3 * face + 1] == vertex:
        k = 1
    if indices[3 * face + 2] == vertex:
        k = 2
    apex = vertices[vertex]
    along = wp.normalize(vertices[indices[3 * face + (k + 1) % 3]] - apex)
    other = wp.normalize(vertices[indices[3 * face + (k + 2) % 3]] - apex)
    return wp.acos(wp.clamp(wp.dot(along, other), -1.0, 1.0))


@wp.kernel
def smooth_normals(
    vertices: wp.array(dtype=wp.vec3),
    indices: wp.array(dtype=wp.int32),
    first_neighbor: wp.array(dtype=wp.int32),
    neighbors: wp.array(dtype=wp.int32),
    smallest_cosine: float,
    normals: wp.array(dtype=wp.vec3),
):
    """Average the normals of the triangles around every corner, weighted by their angles there.

    Source: G. Thürmer, C. Wüthrich, "Computing vertex normals from polygonal facets", J. Graphics Tools (1998).
    """
    corner = wp.tid()
    own = face_normal(vertices, indices, corner // 3)
    vertex = indices[corner]
    total = wp.vec3(0.0, 0.0, 0.0)
    for place in range(first_neighbor[vertex], first_neighbor[vertex + 1]):
        face = neighbors[place]
        normal = face_normal(vertices, indices, face)
        if wp.dot(own, normal) >= smallest_cosine:
            total += normal * corner_angle(vertices, indices, face, vertex)
    length = wp.length(total)
    if length > 1.0e-6:
        own = total / length
    normals[corner] = own


@wp.kernel
def find_dent(
    vertices: wp.array(dtype=wp.vec3), indices: wp.array(dtype=wp.int32), margin: float, found: wp.array(dtype=wp.int32)
):
    """Set `found` if any vertex lies in front of a face by more than a margin."""
    face = wp.tid()
    if found[0] == 0:
        normal = face_normal(vertices, indices, face)
        limit = wp.dot(normal, vertices[indices[3 * face]]) + margin
        top = limit
        for index in range(vertices.shape[0]):
            top = wp.max(top, wp.dot(normal, vertices[index]))
        if top > limit:
            found[0] = 1
