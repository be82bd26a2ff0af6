"""Forces and Hessians of membranes and hinges on one node: Newton's energies, their gradients in closed form."""

import warp as wp
from newton._src.utils.mesh import (
    MeshAdjacencyData,
    get_vertex_adjacent_edge_id_order,
    get_vertex_adjacent_face_id_order,
    get_vertex_num_adjacent_edges,
    get_vertex_num_adjacent_faces,
)

__all__ = ["measure_before", "shell_force"]

THIN = wp.constant(1.0e-12)  # [m⁴ and m²] squares of twice an area, and of a length, below which a hinge does nothing


@wp.func
def hinge_angle(first: wp.vec3, second: wp.vec3, edge: wp.vec3):
    """Return the angle between two normals, of any length, about an edge [rad]; small ones by a series."""
    sine, cosine = wp.dot(wp.cross(first, second), edge) / wp.length(edge), wp.dot(first, second)
    if wp.abs(sine) < 0.2 * cosine:
        slope = sine / cosine
        square = slope * slope
        return slope * (1.0 - square * (1.0 / 3.0 - square * (0.2 - square / 7.0)))
    return wp.atan2(sine, cosine)


@wp.func
def hinge_normals(which: int, edges: wp.array2d(dtype=wp.int32), position: wp.array(dtype=wp.vec3)):
    """Return the normals of the two triangles at an edge, twice their areas long, and the edge."""
    a, b, head = position[edges[which, 0]], position[edges[which, 1]], position[edges[which, 2]]
    edge = position[edges[which, 3]] - head
    return wp.cross(head - a, edge), wp.cross(edge, head - b), edge


@wp.func
def metric(
    which: int, triangles: wp.array2d(dtype=wp.int32), pose: wp.mat22, position: wp.array(dtype=wp.vec3)
):  # fmt: skip
    """Return the two columns of a triangle's deformation gradient."""
    corner = position[triangles[which, 0]]
    first, second = position[triangles[which, 1]] - corner, position[triangles[which, 2]] - corner
    return first * pose[0, 0] + second * pose[1, 0], first * pose[0, 1] + second * pose[1, 1]


@wp.kernel
def measure_before(
    triangles: wp.array2d(dtype=wp.int32),
    tri_poses: wp.array(dtype=wp.mat22),
    edges: wp.array2d(dtype=wp.int32),
    position: wp.array(dtype=wp.vec3),
    metrics: wp.array(dtype=wp.vec3),
    angles: wp.array(dtype=wp.float32),
):
    """Take down the metric FᵀF of every triangle (11, 12, 22) and the angle of every hinge as a step begins."""
    which = wp.tid()
    if which < triangles.shape[0]:
        one, two = metric(which, triangles, tri_poses[which], position)
        metrics[which] = wp.vec3(wp.dot(one, one), wp.dot(one, two), wp.dot(two, two))
    if which < edges.shape[0]:
        if edges[which, 0] >= 0 and edges[which, 1] >= 0:
            first, second, edge = hinge_normals(which, edges, position)
            if wp.length_sq(first) > THIN and wp.length_sq(second) > THIN and wp.length_sq(edge) > THIN:
                angles[which] = hinge_angle(first, second, edge)


@wp.func
def membrane(
    which: int,
    order: int,
    dt: float,
    triangles: wp.array2d(dtype=wp.int32),
    pose: wp.mat22,
    area: float,
    shear: float,
    bulk: float,
    viscosity: float,
    before: wp.vec3,
    position: wp.array(dtype=wp.vec3),
):
    """Return a triangle's force and Hessian on one of its corners: stable neo-Hookean, viscous in its metric.

    Source: B. Smith, F. de Goes, T. Kim, "Stable Neo-Hookean Flesh Simulation", ACM Transactions on Graphics 37 (2018).
    """
    one, two = metric(which, triangles, pose, position)
    across = wp.cross(one, two)
    spread = wp.sqrt(wp.max(wp.length_sq(across), 1.0e-20))
    normal = across / spread
    rigid = bulk + shear
    pull = rigid * (spread - 1.0) - shear
    right, left = wp.cross(two, normal), wp.cross(normal, one)
    x = -pose[0, 0] - pose[1, 0]
    y = -pose[0, 1] - pose[1, 1]
    if order == 1:
        x = pose[0, 0]
        y = pose[0, 1]
    if order == 2:
        x = pose[1, 0]
        y = pose[1, 1]
    widen = right * x + left * y
    force = -(shear * (one * x + two * y) + pull * widen)
    turn = two * x - one * y
    slack = wp.max(0.0, pull) / spread
    hessian = (
        (shear * (x * x + y * y) + slack * wp.length_sq(turn)) * wp.identity(n=3, dtype=float)
        + (rigid - slack) * wp.outer(widen, widen)
        - slack * wp.outer(turn, turn)
    )
    if viscosity > 0.0:
        c11, c12, c22 = 2.0 * x * one, x * two + y * one, 2.0 * y * two
        rate = wp.vec3(wp.dot(one, one), wp.dot(one, two), wp.dot(two, two)) - before
        thick = viscosity / dt
        force -= thick * (rate[0] * c11 + 2.0 * rate[1] * c12 + rate[2] * c22)
        hessian += thick * (wp.outer(c11, c11) + 2.0 * wp.outer(c12, c12) + wp.outer(c22, c22))
    return area * force, area * hessian


@wp.func
def hinge(
    which: int,
    order: int,
    dt: float,
    edges: wp.array2d(dtype=wp.int32),
    rest_angle: float,
    rest_length: float,
    stiffness: float,
    viscosity: float,
    before: float,
    position: wp.array(dtype=wp.vec3),
):
    """Return the moment of an edge, the gradient of its angle at one of its four nodes, and its stiffness.

    Force and Hessian there are moment · gradient and stiffness · gradient ⊗ gradient.

    Source: R. Bridson, S. Marino, R. Fedkiw, "Simulation of clothing with folds and wrinkles" (2003), gradients.
    """
    first, second, edge = hinge_normals(which, edges, position)
    one, two, length = wp.length_sq(first), wp.length_sq(second), wp.length(edge)
    gradient = wp.vec3(0.0)
    if one <= THIN or two <= THIN or length * length <= THIN:
        return 0.0, gradient, 0.0
    angle = hinge_angle(first, second, edge)
    lift, sink = first * (length / one), second * (length / two)
    if order == 0:
        gradient = -lift
    elif order == 1:
        gradient = -sink
    else:
        head = position[edges[which, 2]]
        there = wp.dot(position[edges[which, 0]] - head, edge) / (length * length)
        here = wp.dot(position[edges[which, 1]] - head, edge) / (length * length)
        if order == 2:
            gradient = (1.0 - there) * lift + (1.0 - here) * sink
        else:
            gradient = there * lift + here * sink
    turned = angle - before
    if turned > wp.pi:
        turned -= 2.0 * wp.pi
    if turned < -wp.pi:
        turned += 2.0 * wp.pi
    moment = rest_length * (stiffness * (angle - rest_angle) + viscosity / dt * turned)
    return -moment, gradient, rest_length * (stiffness + viscosity / dt)


@wp.func
def shell_force(
    node: int,
    dt: float,
    position: wp.array(dtype=wp.vec3),
    triangles: wp.array2d(dtype=wp.int32),
    tri_poses: wp.array(dtype=wp.mat22),
    tri_materials: wp.array2d(dtype=wp.float32),
    tri_areas: wp.array(dtype=wp.float32),
    metrics: wp.array(dtype=wp.vec3),
    edges: wp.array2d(dtype=wp.int32),
    rest_angles: wp.array(dtype=wp.float32),
    rest_lengths: wp.array(dtype=wp.float32),
    bending: wp.array2d(dtype=wp.float32),
    angles: wp.array(dtype=wp.float32),
    around: MeshAdjacencyData,
):
    """Return the force of a node's triangles and hinges on it, and their Hessian."""
    force, hessian = wp.vec3(0.0), wp.mat33(0.0)
    for k in range(get_vertex_num_adjacent_faces(around, node)):
        which, order = get_vertex_adjacent_face_id_order(around, node, k)
        push, stiff = membrane(
            which, order, dt, triangles, tri_poses[which], tri_areas[which], tri_materials[which, 0],
            tri_materials[which, 1], tri_materials[which, 2], metrics[which], position,
        )  # fmt: skip
        force += push
        hessian += stiff
    for k in range(get_vertex_num_adjacent_edges(around, node)):
        which, order = get_vertex_adjacent_edge_id_order(around, node, k)
        if bending[which, 0] > 0.0 and edges[which, 0] >= 0 and edges[which, 1] >= 0:
            moment, way, rigidity = hinge(
                which, order, dt, edges, rest_angles[which], rest_lengths[which], bending[which, 0],
                bending[which, 1], angles[which], position,
            )  # fmt: skip
            force += moment * way
            hessian += rigidity * wp.outer(way, way)
    return force, hessian
