"""A step of heat: conduction and exchange at nodes, softening and flow at the samples of strain."""

import warp as wp
from newton._src.utils.mesh import (
    MeshAdjacencyData,
    get_vertex_adjacent_face_id_order,
    get_vertex_num_adjacent_faces,
)

__all__ = ["Touches", "flow", "soften", "warm"]

TOUCH = wp.constant(1e-3)  # [m] heat passes between surfaces this close, beyond the distance at which they touch


@wp.struct
class Touches:
    """Contacts of nodes, edges and faces with shapes: lists by node as 3 contact + corner, and what each contact is."""

    head: wp.array(dtype=wp.int32)
    following: wp.array(dtype=wp.int32)
    corners: wp.array(dtype=wp.vec3i)
    weights: wp.array(dtype=wp.vec3)
    shape: wp.array(dtype=wp.int32)
    place: wp.array(dtype=wp.vec3)
    normal: wp.array(dtype=wp.vec3)
    shape_body: wp.array(dtype=wp.int32)
    shape_margin: wp.array(dtype=wp.float32)
    shape_temperature: wp.array(dtype=wp.float32)  # [K], 0 where a shape takes and gives no heat


@wp.func
def closeness(
    touches: Touches,
    cursor: int,
    reach: float,
    body_q: wp.array(dtype=wp.transform),
    position: wp.array(dtype=wp.vec3),
):
    """Return which share of a node takes part in a contact [1]: its weight in it, 0 where the two do not touch."""
    contact = cursor // 3
    corner = cursor - 3 * contact
    nodes = touches.corners[contact]
    shape = touches.shape[contact]
    place = touches.place[contact]
    if touches.shape_body[shape] >= 0:
        place = wp.transform_point(body_q[touches.shape_body[shape]], place)
    point = position[nodes[0]]
    weight = float(1.0)
    if nodes[1] >= 0:
        bary = touches.weights[contact]
        weight = bary[corner]
        point = bary[0] * position[nodes[0]] + bary[1] * position[nodes[1]]
        if nodes[2] >= 0:
            point += bary[2] * position[nodes[2]]
    if wp.dot(touches.normal[contact], point - place) - reach - touches.shape_margin[shape] > TOUCH:
        weight = 0.0
    return weight


@wp.func
def air_warmth(air: wp.vec4, point: wp.vec3):
    """Return the temperature of the air [K] at a point: gradient and value at the origin."""
    return wp.max(air[3] + air[0] * point[0] + air[1] * point[1] + air[2] * point[2], 1.0)


@wp.kernel
def warm(
    dt: float,
    start: wp.array(dtype=wp.int32),
    other: wp.array(dtype=wp.int32),
    conductance: wp.array(dtype=wp.float32),
    capacity: wp.array(dtype=wp.float32),
    touching: wp.array(dtype=wp.float32),  # [W/(m²·K)]
    cooling: wp.array(dtype=wp.float32),  # [W/(m²·K)]
    node_world: wp.array(dtype=wp.int32),
    air: wp.array(dtype=wp.vec4),
    radius: wp.array(dtype=wp.float32),
    touches: Touches,
    body_q: wp.array(dtype=wp.transform),
    triangles: wp.array2d(dtype=wp.int32),
    around: MeshAdjacencyData,
    position: wp.array(dtype=wp.vec3),
    temperature: wp.array(dtype=wp.float32),
    warmed: wp.array(dtype=wp.float32),
):
    """Write a node's temperature after a step.

    Conduction is explicit, so that what one node gives another one gets. Exchange with what has a temperature of its
    own is implicit. Heat passes where the node, or an edge or face by its share, touches a shape, through a third of
    the faces around it, as far as they face the shape; the rest of them meets the air.
    """
    node = wp.tid()
    now = temperature[node]
    if capacity[node] == 0.0:
        warmed[node] = now
        return
    gained = float(0.0)
    for entry in range(start[node], start[node + 1]):
        gained += conductance[entry] * (temperature[other[entry]] - now)
    covered, share, warmth = float(0.0), float(0.0), float(0.0)
    towards = wp.vec3()
    cursor = touches.head[node]
    while cursor >= 0:
        weight = closeness(touches, cursor, radius[node], body_q, position)
        kept = touches.shape_temperature[touches.shape[cursor // 3]]
        covered += weight
        towards -= weight * touches.normal[cursor // 3]
        if kept > 0.0:
            share += weight
            warmth += weight * kept
        cursor = touches.following[cursor]
    towards = wp.normalize(towards)
    whole = wp.max(covered, 1.0)
    area, bare = float(0.0), float(0.0)
    for k in range(get_vertex_num_adjacent_faces(around, node)):
        face, _order = get_vertex_adjacent_face_id_order(around, node, k)
        a, b, c = triangles[face, 0], triangles[face, 1], triangles[face, 2]
        vector = wp.cross(position[b] - position[a], position[c] - position[a]) / 6.0
        facing = wp.max(wp.dot(vector, towards), 0.0)
        area += facing
        bare += wp.length(vector) - facing * wp.min(covered, 1.0)
    touched, aired = touching[node] * area / whole, cooling[node] * bare
    rate = touched * share + aired
    drive = touched * warmth + aired * air_warmth(air[node_world[node]], position[node])
    pace = dt / capacity[node]
    warmed[node] = (now + pace * (gained + drive)) / (1.0 + pace * rate)


@wp.func
def melted(
    first: int,
    last: int,
    nodes: wp.array(dtype=wp.int32),
    temperature: wp.array(dtype=wp.float32),
    softening: wp.vec2,
):
    """Return how far a sample has melted [1]: 0 below the softening range, 1 above it."""
    total = float(0.0)
    for entry in range(first, last):
        total += temperature[nodes[entry]]
    mean = total / float(last - first)
    return wp.clamp((mean - softening[0]) / (softening[1] - softening[0]), 0.0, 1.0)


@wp.kernel
def soften(
    start: wp.array(dtype=wp.int32),
    nodes: wp.array(dtype=wp.int32),
    softening: wp.array(dtype=wp.vec2),
    molten_shear: wp.array(dtype=wp.float32),
    cold: wp.array(dtype=wp.vec4),
    temperature: wp.array(dtype=wp.float32),
    stiffness: wp.array(dtype=wp.vec4),
):
    """Set the shear modulus of a sample to that of its temperature; samples without a range keep theirs."""
    sample = wp.tid()
    if softening[sample][1] <= 0.0:
        return
    share = melted(start[sample], start[sample + 1], nodes, temperature, softening[sample])
    factor = wp.pow(molten_shear[sample], share)
    rest = cold[sample]
    stiffness[sample] = wp.vec4(rest[0] * factor, rest[1] * factor, rest[2], rest[3])


@wp.kernel
def flow(
    dt: float,
    start: wp.array(dtype=wp.int32),
    nodes: wp.array(dtype=wp.int32),
    place: wp.array(dtype=wp.int32),
    softening: wp.array(dtype=wp.vec2),
    flow_rate: wp.array(dtype=wp.float32),
    temperature: wp.array(dtype=wp.float32),
    position: wp.array(dtype=wp.vec3),
    gradients: wp.array(dtype=wp.vec3),
    node_gradients: wp.array(dtype=wp.vec3),
):
    """Let the shear of a molten sample fade: its rest shape follows its shape, at constant volume.

    With F = U Σ Vᵀ, logarithms of Σ decay towards their mean as in a Maxwell fluid. F is Σ xᵢ ⊗ gᵢ, so the new rest
    shape is in the gradients: gᵢ ← V diag(Σ'/Σ) Vᵀ gᵢ.

    Source: J. C. Simo, T. J. R. Hughes, "Computational Inelasticity" (1998), ch. 9: multiplicative flow in
    logarithmic strains.
    """
    sample = wp.tid()
    if flow_rate[sample] == 0.0:
        return
    first, last = start[sample], start[sample + 1]
    share = melted(first, last, nodes, temperature, softening[sample])
    if share == 0.0:
        return
    origin = position[nodes[first]]
    deformation = wp.mat33()
    for entry in range(first + 1, last):
        deformation += wp.outer(position[nodes[entry]] - origin, gradients[entry])
    growth = wp.determinant(deformation)
    if growth < 0.1:  # crushed: only its guards can help
        return
    _u, stretch, v = wp.svd3(deformation)
    mean = wp.pow(growth, 1.0 / 3.0)
    faded = 1.0 - wp.exp(-share * flow_rate[sample] * dt)
    scale = wp.vec3()
    for k in range(3):
        scale[k] = wp.pow(mean / wp.max(wp.abs(stretch[k]), 1e-3), faded)
    turn = v * wp.diag(scale) * wp.transpose(v)
    for entry in range(first, last):
        changed = turn * gradients[entry]
        gradients[entry] = changed
        node_gradients[place[entry]] = changed
