"""What the air does to a node of a cloth."""

import warp as wp
from newton._src.utils.mesh import (
    MeshAdjacencyData,
    get_vertex_adjacent_face_id_order,
    get_vertex_num_adjacent_faces,
)

from simfactory.simulators.newton.air.kernels import Air, air_at

__all__ = ["blow"]


@wp.kernel
def blow(
    dt: float,
    density: wp.array(dtype=wp.float32),
    coefficient: wp.array(dtype=wp.float32),
    skin: float,
    node_world: wp.array(dtype=wp.int32),
    air: Air,
    inverse_mass: wp.array(dtype=wp.float32),
    triangles: wp.array2d(dtype=wp.int32),
    around: MeshAdjacencyData,
    position: wp.array(dtype=wp.vec3),
    before: wp.array(dtype=wp.vec3),
    velocity: wp.array(dtype=wp.vec3),
):
    """Change a node's velocity by its third of the drag of the triangles around it.

    The change is that of implicit Euler for a node on its own, so that it never overshoots the wind.
    """
    node = wp.tid()
    if density[node] == 0.0 or inverse_mass[node] == 0.0:
        return
    pressure = coefficient[node]
    breeze = air_at(air, node_world[node], position[node])
    change = wp.vec3()
    rate = float(0.0)
    for k in range(get_vertex_num_adjacent_faces(around, node)):
        face, _order = get_vertex_adjacent_face_id_order(around, node, k)
        a, b, c = triangles[face, 0], triangles[face, 1], triangles[face, 2]
        vector = 0.5 * wp.cross(position[b] - position[a], position[c] - position[a])
        area = wp.length(vector)
        if area == 0.0:
            continue
        normal = vector / area
        flow = breeze - (before[a] + before[b] + before[c]) / 3.0
        across = wp.dot(flow, normal) * normal
        share = density[node] * area * wp.length(flow) * inverse_mass[node] / 6.0
        change += share * (pressure * across + skin * (flow - across))
        rate += share * pressure
    velocity[node] = velocity[node] + dt * change / (1.0 + dt * rate)
