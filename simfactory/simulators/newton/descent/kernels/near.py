"""What is near what in cloth: found anew only when it has moved far, for each environment by itself."""

import warp as wp
from newton._src.geometry.kernels import triangle_closest_point
from newton._src.solvers.vbd.particle_vbd_kernels import (
    create_edge_edge_division_plane_closest_pt,
    create_vertex_triangle_division_plane_closest_pt,
    evaluate_edge_edge_contact_2_vertices,
    evaluate_vertex_triangle_collision_force_hessian_4_vertices,
)
from newton._src.solvers.vbd.rigid_vbd_kernels import planar_truncation_t
from newton._src.utils.mesh import (
    MeshAdjacencyData,
    get_vertex_adjacent_edge_id_order,
    get_vertex_adjacent_face_id_order,
    get_vertex_num_adjacent_edges,
    get_vertex_num_adjacent_faces,
)

from simfactory.launches import scatters

__all__ = [
    "EDGE_ROOM",
    "NODE_ROOM",
    "TRIANGLE_ROOM",
    "Meeting",
    "Near",
    "apply_bounds",
    "bound_moves",
    "find_edges",
    "find_triangles",
    "judge",
    "mark_busy",
    "meeting_force",
]

scatters(__name__, records=64)  # NODE_ROOM

NODE_ROOM = wp.constant(64)  # triangles near a node; what is missed may cross
EDGE_ROOM = wp.constant(192)  # edges near an edge
TRIANGLE_ROOM = wp.constant(64)  # nodes near a triangle
REBOUND = wp.constant(2.0)  # times a heavy body's speed at which a node leaves it
SPIN_ARM = wp.constant(0.2)  # [m] of bodies' surfaces from their axes, about


@wp.struct
class Near:
    """Pairs that were near when they were looked for, by row of `*_ROOM` places, and how far apart they were then [m].

    A node is `busy` if any pair is about it, or about what it is a corner of.

    By environment: `radius` within which pairs were looked for, `moved` by how much two nodes may have come closer
    since then, `bound` on the move of a node in the present step beyond `common`, which all share [m].
    """

    node_world: wp.array(dtype=wp.int32)
    node_count: wp.array(dtype=wp.int32)
    node_list: wp.array(dtype=wp.int32)
    node_gap: wp.array(dtype=wp.float32)
    triangle_count: wp.array(dtype=wp.int32)
    triangle_list: wp.array(dtype=wp.int32)
    triangle_gap: wp.array(dtype=wp.float32)
    edge_count: wp.array(dtype=wp.int32)
    edge_list: wp.array(dtype=wp.int32)
    edge_gap: wp.array(dtype=wp.float32)
    busy: wp.array(dtype=wp.int32)
    radius: wp.array(dtype=wp.float32)
    moved: wp.array(dtype=wp.float32)
    bound: wp.array(dtype=wp.float32)
    common: wp.array(dtype=wp.vec3)


@wp.struct
class Meeting:
    """What contacts among cloth are made of."""

    distance: float  # that layers keep [m]
    stiffness: float  # [N/m]
    damping: float
    friction_speed: float  # [m/s]
    parallel: float  # sine below which edges are


@wp.kernel
def judge(
    dt: float,
    distance: float,
    farthest: float,
    slack: float,
    relaxation: float,
    least_speed: float,
    first: wp.array(dtype=wp.int32),
    last: wp.array(dtype=wp.int32),
    first_body: wp.array(dtype=wp.int32),
    last_body: wp.array(dtype=wp.int32),
    body_velocity: wp.array(dtype=wp.spatial_vector),
    velocity: wp.array(dtype=wp.vec3),
    position: wp.array(dtype=wp.vec3),
    found: wp.array(dtype=wp.vec3),
    fresh: wp.array(dtype=wp.int32),
    due: wp.array(dtype=wp.int32),
    near: Near,
):
    """Decide whether pairs of an environment must be looked for anew: whether an unknown one could touch in this step.

    A pair that was not found is at least `radius - moved` apart; a way that all have in common brings none closer. That
    must be more than layers keep, and what nodes may go in a step (`relaxation` of half of it) more than half again of
    what the fastest one goes, beside what all go in common.
    """
    world = wp.tid()
    farthest_move, fastest, parting = float(0.0), least_speed / 1.5, least_speed / 1.5
    common, mean = wp.vec3(0.0), wp.vec3(0.0)
    for node in range(first[world], last[world]):
        common += position[node] - found[node]
        mean += velocity[node]
    count = float(wp.max(last[world] - first[world], 1))
    common, mean = common / count, mean / count
    for node in range(first[world], last[world]):
        farthest_move = wp.max(farthest_move, wp.length_sq(position[node] - found[node] - common))
        fastest = wp.max(fastest, wp.length(velocity[node]))
        parting = wp.max(parting, wp.length(velocity[node] - mean))
    for body in range(first_body[world], last_body[world]):
        speed = wp.length(wp.spatial_top(body_velocity[body]))
        speed += SPIN_ARM * wp.length(wp.spatial_bottom(body_velocity[body]))
        fastest = wp.max(fastest, REBOUND * speed)
        parting = wp.max(parting, REBOUND * speed + wp.length(mean))
    near.common[world] = wp.vec3(0.0)
    if parting < fastest and 3.0 * parting * dt / relaxation < farthest:
        near.common[world] = mean * dt
        fastest = parting
    apart = wp.max(3.0 * fastest * dt / relaxation, distance + 2.0 * fastest * dt)
    apart = wp.min(apart, farthest)
    moved = 2.0 * wp.sqrt(farthest_move)
    due[world] = 0
    if fresh[world] == 1 or near.radius[world] - moved < apart:
        due[world] = 1
        fresh[world] = 0
        moved = 0.0
        near.radius[world] = wp.min(apart + 2.0 * slack, wp.max(farthest, apart))
    near.moved[world] = moved
    near.bound[world] = 0.5 * relaxation * (near.radius[world] - moved)


@wp.func
def least_gap(first: wp.vec3, first_way: wp.vec3, second: wp.vec3, second_way: wp.vec3):
    """Return a lower bound of the distance of two segments: along the line between their middles.

    Args:
        first: Middle of one.
        first_way: From its one end to the other.
        second: Middle of the other.
        second_way: Alike.
    """
    line = second - first
    far = wp.length(line)
    if far < 1.0e-6:
        return 0.0
    return far - 0.5 * (wp.abs(wp.dot(first_way, line)) + wp.abs(wp.dot(second_way, line))) / far


@wp.kernel
def find_triangles(
    due: wp.array(dtype=wp.int32),
    tree: wp.uint64,
    roots: wp.array(dtype=wp.int32),
    triangles: wp.array2d(dtype=wp.int32),
    position: wp.array(dtype=wp.vec3),
    found: wp.array(dtype=wp.vec3),
    near: Near,
):
    """List the triangles near a node, and that node with these, where it is due; their counts must be 0 then."""
    node = wp.tid()
    world = near.node_world[node]
    if due[world] == 0:
        return
    place = position[node]
    found[node] = place
    reach = near.radius[world]
    around = wp.vec3(reach, reach, reach)
    total, triangle = int(0), int(0)
    query = wp.bvh_query_aabb(tree, place - around, place + around, roots[world])
    while wp.bvh_query_next(query, triangle):
        a, b, c = triangles[triangle, 0], triangles[triangle, 1], triangles[triangle, 2]
        if a != node and b != node and c != node:
            nearest, _weights, _feature = triangle_closest_point(position[a], position[b], position[c], place)
            gap = wp.length(nearest - place)
            if gap < reach and total < NODE_ROOM:
                near.node_list[node * NODE_ROOM + total] = triangle
                near.node_gap[node * NODE_ROOM + total] = gap
                total += 1
                slot = wp.atomic_add(near.triangle_count, triangle, 1)
                if slot < TRIANGLE_ROOM:
                    near.triangle_list[triangle * TRIANGLE_ROOM + slot] = node
                    near.triangle_gap[triangle * TRIANGLE_ROOM + slot] = gap
    near.node_count[node] = total


@wp.kernel
def find_edges(
    due: wp.array(dtype=wp.int32),
    tree: wp.uint64,
    roots: wp.array(dtype=wp.int32),
    parallel: float,
    triangles: wp.array2d(dtype=wp.int32),
    edges: wp.array2d(dtype=wp.int32),
    position: wp.array(dtype=wp.vec3),
    near: Near,
):
    """List the edges near an edge where it is due, and empty the rows of triangles for `find_triangles`."""
    which = wp.tid()
    if which < triangles.shape[0]:
        if due[near.node_world[triangles[which, 0]]] == 1:
            near.triangle_count[which] = 0
    if which >= edges.shape[0]:
        return
    head, tail = edges[which, 2], edges[which, 3]
    world = near.node_world[head]
    if due[world] == 0:
        return
    p, q = position[head], position[tail]
    reach = near.radius[world]
    around = wp.vec3(reach, reach, reach)
    total, other = int(0), int(0)
    query = wp.bvh_query_aabb(tree, wp.min(p, q) - around, wp.max(p, q) + around, roots[world])
    while wp.bvh_query_next(query, other):
        a, b = edges[other, 2], edges[other, 3]
        if a != head and a != tail and b != head and b != tail:
            r, s = position[a], position[b]
            if least_gap(0.5 * (p + q), q - p, 0.5 * (r + s), s - r) < reach:
                gap = wp.closest_point_edge_edge(p, q, r, s, parallel)[2]
                if gap < reach and total < EDGE_ROOM:
                    near.edge_list[which * EDGE_ROOM + total] = other
                    near.edge_gap[which * EDGE_ROOM + total] = gap
                    total += 1
    near.edge_count[which] = total


@wp.kernel
def mark_busy(due: wp.array(dtype=wp.int32), around: MeshAdjacencyData, near: Near):
    """Find out which nodes have something near them where that is due."""
    node = wp.tid()
    if due[near.node_world[node]] == 0:
        return
    total = near.node_count[node]
    for k in range(get_vertex_num_adjacent_faces(around, node)):
        face, _order = get_vertex_adjacent_face_id_order(around, node, k)
        total += near.triangle_count[face]
    for k in range(get_vertex_num_adjacent_edges(around, node)):
        edge, place = get_vertex_adjacent_edge_id_order(around, node, k)
        if place >= 2:
            total += near.edge_count[edge]
    near.busy[node] = wp.min(total, 1)


@wp.func
def largest(a: int, b: int, displacement: wp.array(dtype=wp.vec3)):
    """Return the larger of two nodes' ways in this step [m]."""
    return wp.sqrt(wp.max(wp.length_sq(displacement[a]), wp.length_sq(displacement[b])))


@wp.func
def meeting_force(
    node: int,
    dt: float,
    near: Near,
    meeting: Meeting,
    friction: wp.array(dtype=wp.float32),
    position_before: wp.array(dtype=wp.vec3),
    position: wp.array(dtype=wp.vec3),
    displacement: wp.array(dtype=wp.vec3),
    triangles: wp.array2d(dtype=wp.int32),
    edges: wp.array2d(dtype=wp.int32),
    around: MeshAdjacencyData,
):
    """Return the force of all that touches a node's surroundings on it, and the Hessian: Newton's contact forces.

    A pair's friction is the geometric mean of its two. Pairs that cannot have come close enough are passed over.
    """
    force, hessian = wp.vec3(0.0), wp.mat33(0.0)
    reach = meeting.distance + near.moved[near.node_world[node]]
    for k in range(near.node_count[node]):
        triangle = near.node_list[node * NODE_ROOM + k]
        a, b, c = triangles[triangle, 0], triangles[triangle, 1], triangles[triangle, 2]
        ways = wp.length(displacement[node]) + wp.max(largest(a, b, displacement), wp.length(displacement[c]))
        if near.node_gap[node * NODE_ROOM + k] - ways < reach:
            mu = wp.sqrt(friction[node] * friction[a])
            touches, _fa, _fb, _fc, push, _ha, _hb, _hc, stiff = (
                evaluate_vertex_triangle_collision_force_hessian_4_vertices(
                    node, triangle, position, position_before, triangles, meeting.distance, meeting.stiffness,
                    meeting.damping, mu, meeting.friction_speed, dt,
                )
            )  # fmt: skip
            if touches:
                force += push
                hessian += stiff
    for k in range(get_vertex_num_adjacent_faces(around, node)):
        face, place = get_vertex_adjacent_face_id_order(around, node, k)
        p, q, r = triangles[face, 0], triangles[face, 1], triangles[face, 2]
        for row in range(wp.min(near.triangle_count[face], TRIANGLE_ROOM)):
            node_there = near.triangle_list[face * TRIANGLE_ROOM + row]
            far = wp.length(displacement[node_there]) + wp.max(largest(p, q, displacement), wp.length(displacement[r]))
            if near.triangle_gap[face * TRIANGLE_ROOM + row] - far < reach:
                rub = wp.sqrt(friction[node_there] * friction[p])
                meets, fa, fb, fc, _fv, ha, hb, hc, _hv = (
                    evaluate_vertex_triangle_collision_force_hessian_4_vertices(
                        node_there, face, position, position_before, triangles, meeting.distance, meeting.stiffness,
                        meeting.damping, rub, meeting.friction_speed, dt,
                    )
                )  # fmt: skip
                if meets:
                    if place == 0:
                        force += fa
                        hessian += ha
                    elif place == 1:
                        force += fb
                        hessian += hb
                    else:
                        force += fc
                        hessian += hc
    for k in range(get_vertex_num_adjacent_edges(around, node)):
        which, order = get_vertex_adjacent_edge_id_order(around, node, k)
        if order >= 2:
            own = largest(edges[which, 2], edges[which, 3], displacement)
            for row in range(near.edge_count[which]):
                other = near.edge_list[which * EDGE_ROOM + row]
                both = own + largest(edges[other, 2], edges[other, 3], displacement)
                if near.edge_gap[which * EDGE_ROOM + row] - both < reach:
                    grip = wp.sqrt(friction[node] * friction[edges[other, 2]])
                    hits, push_head, push_tail, stiff_head, stiff_tail = evaluate_edge_edge_contact_2_vertices(
                        which, other, position, position_before, edges, meeting.distance, meeting.stiffness,
                        meeting.damping, grip, meeting.friction_speed, dt, meeting.parallel,
                    )  # fmt: skip
                    if hits:
                        if order == 2:
                            force += push_head
                            hessian += stiff_head
                        else:
                            force += push_tail
                            hessian += stiff_tail
    return force, hessian


@wp.func
def cut_short(
    node: int,
    start: wp.array(dtype=wp.vec3),
    displacement: wp.array(dtype=wp.vec3),
    normal: wp.vec3,
    place: wp.vec3,
    relaxation: float,
    apart: float,
    share: wp.array(dtype=wp.float32),
):
    """Lower the share of its way that a node may go to what keeps it on its side of a plane."""
    t = planar_truncation_t(start[node], displacement[node], normal, place, relaxation, apart)
    if t < 1.0:
        wp.atomic_min(share, node, t)


@wp.kernel
def bound_moves(
    relaxation: float,
    triangles: wp.array2d(dtype=wp.int32),
    edges: wp.array2d(dtype=wp.int32),
    start: wp.array(dtype=wp.vec3),
    displacement: wp.array(dtype=wp.vec3),
    near: Near,
    share: wp.array(dtype=wp.float32),
):
    """Find which share of its way each node may go, so that nothing crosses: Newton's planes between pairs.

    Pairs are passed over that are farther apart than both could come closer.
    """
    which = wp.tid()
    if which < edges.shape[0]:
        head, tail = edges[which, 2], edges[which, 3]
        moved = near.moved[near.node_world[head]]
        own = largest(head, tail, displacement)
        for row in range(near.edge_count[which]):
            other = near.edge_list[which * EDGE_ROOM + row]
            a, b = edges[other, 2], edges[other, 3]
            ways = own + largest(a, b, displacement)
            if other > which and (near.edge_gap[which * EDGE_ROOM + row] - moved) * relaxation < ways:
                valid, normal, place, apart = create_edge_edge_division_plane_closest_pt(
                    start[head], displacement[head], start[tail], displacement[tail], start[a], displacement[a],
                    start[b], displacement[b],
                )  # fmt: skip
                if valid:
                    cut_short(head, start, displacement, normal, place, relaxation, apart, share)
                    cut_short(tail, start, displacement, normal, place, relaxation, apart, share)
                    cut_short(a, start, displacement, -normal, place, relaxation, apart, share)
                    cut_short(b, start, displacement, -normal, place, relaxation, apart, share)
    if which < near.node_count.shape[0]:
        drawn = near.moved[near.node_world[which]]
        for row in range(near.node_count[which]):
            triangle = near.node_list[which * NODE_ROOM + row]
            i, j, k = triangles[triangle, 0], triangles[triangle, 1], triangles[triangle, 2]
            far = wp.length(displacement[which]) + wp.max(largest(i, j, displacement), wp.length(displacement[k]))
            if (near.node_gap[which * NODE_ROOM + row] - drawn) * relaxation < far:
                parts, across, middle, gap = create_vertex_triangle_division_plane_closest_pt(
                    start[which], displacement[which], start[i], displacement[i], start[j], displacement[j],
                    start[k], displacement[k],
                )  # fmt: skip
                if parts:
                    cut_short(which, start, displacement, across, middle, relaxation, gap, share)
                    cut_short(i, start, displacement, -across, middle, relaxation, gap, share)
                    cut_short(j, start, displacement, -across, middle, relaxation, gap, share)
                    cut_short(k, start, displacement, -across, middle, relaxation, gap, share)


@wp.kernel
def apply_bounds(
    start: wp.array(dtype=wp.vec3),
    near: Near,
    share: wp.array(dtype=wp.float32),
    displacement: wp.array(dtype=wp.vec3),
    position: wp.array(dtype=wp.vec3),
):
    """Let each node go its share of the way, and at most its environment's bound apart; shares are 1 again."""
    node = wp.tid()
    way = displacement[node] * share[node]
    share[node] = 1.0
    world = near.node_world[node]
    apart = way - near.common[world]
    length = wp.length(apart)
    if length > near.bound[world]:
        way = near.common[world] + apart * (near.bound[world] / length)
    displacement[node] = way
    position[node] = start[node] + way
