"""Gas in closed shells: one pressure a shell, found together with how far its nodes give way."""

import warp as wp
from newton._src.utils.mesh import (
    MeshAdjacencyData,
    get_vertex_adjacent_face_id_order,
    get_vertex_num_adjacent_faces,
)

__all__ = ["find_areas", "outward", "squeeze", "swell"]


@wp.func
def outward(
    node: int,
    position: wp.array(dtype=wp.vec3),
    triangles: wp.array2d(dtype=wp.int32),
    around: MeshAdjacencyData,
):
    """Return the gradient of the enclosed volume [m²]: a third of the triangles around the node, as vectors."""
    area = wp.vec3()
    for k in range(get_vertex_num_adjacent_faces(around, node)):
        face, _order = get_vertex_adjacent_face_id_order(around, node, k)
        a, b, c = position[triangles[face, 0]], position[triangles[face, 1]], position[triangles[face, 2]]
        area += wp.cross(b - a, c - a) / 6.0
    return area


@wp.kernel
def find_areas(
    solid: wp.array(dtype=wp.int32),
    gas: wp.array(dtype=wp.float64),
    triangles: wp.array2d(dtype=wp.int32),
    around: MeshAdjacencyData,
    position: wp.array(dtype=wp.vec3),
    area: wp.array(dtype=wp.vec3),
):
    """Find how the volume of a shell grows with the place of each node."""
    node = wp.tid()
    if gas[solid[node]] > wp.float64(0.0):
        area[node] = outward(node, position, triangles, around)


@wp.kernel
def squeeze(
    first: wp.array(dtype=wp.int32),
    last: wp.array(dtype=wp.int32),
    gas: wp.array(dtype=wp.float64),
    outside: wp.float64,
    area: wp.array(dtype=wp.vec3),
    compliance: wp.array(dtype=wp.mat33),
    mass: wp.array(dtype=wp.float32),
    position: wp.array(dtype=wp.vec3),
    gauge: wp.array(dtype=wp.float32),
    rise: wp.array(dtype=wp.float32),
):
    """Find by how much the pressure of a shell must rise so that p V = n R T once its nodes have given way to it.

    They do so by S (p' - p) in volume, each as far as its own stiffness and weight let it: S p'² + (V - S p) p' = nRT.
    A gas is stiff: pushed by the pressure of the step's beginning alone, a shell would ring and burst.
    """
    body = wp.tid()
    if gas[body] <= wp.float64(0.0):
        return
    center = position[first[body]]
    volume, gives = wp.float64(0.0), wp.float64(0.0)
    for node in range(first[body], last[body]):
        volume += wp.float64(wp.dot(position[node] - center, area[node])) / wp.float64(3.0)
        if mass[node] > 0.0:
            gives += wp.float64(wp.dot(area[node], compliance[node] * area[node]))
    pressure = outside + wp.float64(gauge[body])
    slope = volume + pressure * gives
    lack = pressure * volume - gas[body]
    change = (
        -wp.float64(2.0)
        * lack
        / (slope + wp.sqrt(wp.max(slope * slope - wp.float64(4.0) * gives * lack, wp.float64(0.0))))
    )
    rise[body] = wp.float32(change)
    gauge[body] = wp.float32(pressure + change - outside)


@wp.kernel
def swell(
    solid: wp.array(dtype=wp.int32),
    rise: wp.array(dtype=wp.float32),
    mass: wp.array(dtype=wp.float32),
    area: wp.array(dtype=wp.vec3),
    compliance: wp.array(dtype=wp.mat33),
    displacement: wp.array(dtype=wp.vec3),
    position: wp.array(dtype=wp.vec3),
):
    """Let a node give way to the rise of the pressure."""
    node = wp.tid()
    if rise[solid[node]] == 0.0 or mass[node] == 0.0:
        return
    move = rise[solid[node]] * (compliance[node] * area[node])
    displacement[node] = displacement[node] + move
    position[node] = position[node] + move
