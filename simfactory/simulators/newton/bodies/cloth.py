"""Cloth: nodes, membrane triangles and bending edges; inflatables are made of the same."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.shells import shell
from simfactory.simulators.kinematics import start_orientation
from simfactory.simulators.newton.fitting import NodeBody
from simfactory.spec import BodyCloth, BodyInflatable, Pattern, Shell
from simfactory.tailoring import Cut, cut, held_nodes
from simfactory.transforms import quat_rotate

__all__ = ["ClothMesh", "Membrane", "add", "add_membrane", "cloth_mesh", "lame", "made_of", "node_body", "wave_speed"]

SHELL_RADIUS = 5e-4  # [m] of inflatables: what rests on the floor begins so far above it
LEAST_RADIUS = 2e-3  # [m] that cloth keeps from rigid bodies: thinner layers would be crossed within a step

Membrane = BodyCloth | BodyInflatable
Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClothMesh:
    """A pattern's simulation mesh at rest.

    Attributes:
        vertices: `(node, 3)` body frame [m].
        triangles: `(triangle, 3)`.
        node_area: `(node,)` a third of the triangles around each node [m²].
        edges: `(edge, 4)` the nodes opposite to an edge, -1 beyond the border, then its ends.
        bend: `(edge,)` length over the area of the two triangles at an edge [1/m]; 0 at the border.
        colors: Nodes by colour; two of one colour share neither a triangle nor a pair of neighbouring ones.
    """

    vertices: Array
    triangles: npt.NDArray[np.int32]
    node_area: Array
    edges: Index
    bend: Array
    colors: tuple[Index, ...]


def made_of(body: Membrane) -> Cut:
    """Return the triangles of a cloth or an inflatable."""
    if isinstance(body, BodyInflatable):
        return shell(body.geometry, body.factors, body.resolution)
    return cut(body.geometry, body.resolution)


def cloth_mesh(body: Membrane) -> ClothMesh:
    """Return the simulation mesh of a cloth or an inflatable."""
    return _cloth_mesh(body.geometry, body.factors if isinstance(body, BodyInflatable) else None, body.resolution)


@lru_cache(maxsize=128)
def _cloth_mesh(form: Pattern | Shell, factors: tuple[float, float, float] | None, resolution: int) -> ClothMesh:
    made = cut(form, resolution) if factors is None else shell(form, factors, resolution)
    corners = made.vertices[made.triangles]
    areas = 0.5 * np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=-1)
    node_area = np.zeros(len(made.vertices))
    np.add.at(node_area, made.triangles.ravel(), np.repeat(areas / 3.0, 3))
    edges, area = _edges(made.triangles, areas)
    length = np.linalg.norm(made.vertices[edges[:, 3]] - made.vertices[edges[:, 2]], axis=-1)
    return ClothMesh(
        vertices=made.vertices,
        triangles=made.triangles,
        node_area=node_area,
        edges=edges,
        bend=np.where((edges[:, :2] >= 0).all(axis=1), length / area, 0.0),
        colors=_colors(edges, len(made.vertices)),
    )


def _edges(triangles: npt.NDArray[np.int32], areas: Array) -> tuple[Index, Array]:
    """Return the edges as `ClothMesh.edges` has them, and the area of the triangles at each `(edge,)` [m²]."""
    around: dict[tuple[int, int], list[int]] = {}
    rows = triangles.tolist()
    for number, (a, b, c) in enumerate(rows):
        for head, tail in ((a, b), (b, c), (c, a)):
            around.setdefault((min(head, tail), max(head, tail)), []).append(number)
    edges, area = [], []
    for (low, high), owners in around.items():
        first = rows[owners[0]]
        head, tail = (low, high) if first[(first.index(low) + 1) % 3] == high else (high, low)
        opposite = [next(node for node in rows[owner] if node not in (low, high)) for owner in owners]
        edges.append((opposite[0], opposite[1] if len(owners) == 2 else -1, head, tail))
        area.append(float(areas[owners].sum()))
    return np.array(edges, np.int64), np.array(area)


def _colors(edges: Index, count: int) -> tuple[Index, ...]:
    """Colour nodes greedily, those with most neighbours first, each with the lowest free colour."""
    near: list[set[int]] = [set() for _ in range(count)]
    for edge in edges.tolist():
        together = [node for node in edge if node >= 0]
        for node in together:
            near[node].update(together)
    color = np.full(count, -1)
    for node in sorted(range(count), key=lambda index: -len(near[index])):
        used = {int(color[other]) for other in near[node]}
        color[node] = next(number for number in range(count) if number not in used)
    return tuple(np.flatnonzero(color == number) for number in range(int(color.max()) + 1))


def _contact_radius(body: Membrane) -> float:
    """Return the distance [m] that a membrane keeps from rigid bodies: of cloth half its thickness or the least."""
    if isinstance(body, BodyInflatable):
        return SHELL_RADIUS
    return max(0.5 * body.thickness, LEAST_RADIUS)


def node_body(body: BodyCloth) -> NodeBody:
    """Return what a body is made of."""
    mesh = cloth_mesh(body)
    return NodeBody(
        rest=mesh.vertices,
        mass=body.area_density * mesh.node_area,
        held=held_nodes(body),
        surface=lambda nodes: nodes,
    )


def lame(body: Membrane) -> tuple[float, float]:
    """Return the membrane's Lamé parameters (μ, λ) [N/m] in plane stress.

    Source: L. D. Landau, E. M. Lifshitz, "Theory of Elasticity" (1986), §13.
    """
    stiffness, poisson = body.membrane_stiffness, body.physical.poisson_ratio
    return stiffness / (2.0 * (1.0 + poisson)), stiffness * poisson / (1.0 - poisson**2)


def wave_speed(body: Membrane) -> float:
    """Return the speed [m/s] of pressure waves in the membrane: √(K/(1 - ν²)ρ).

    Source: L. D. Landau, E. M. Lifshitz, "Theory of Elasticity" (1986), §22, problem 2.
    """
    return float(np.sqrt(body.membrane_stiffness / ((1.0 - body.physical.poisson_ratio**2) * body.area_density)))


def add(builder: Any, body: BodyCloth) -> int:  # Any: newton.ModelBuilder has no type information
    """Add a cloth; return -1, as it is none of Newton's rigid bodies."""
    add_membrane(builder, body, node_body(body))
    return -1


def add_membrane(builder: Any, body: Membrane, made: NodeBody) -> None:  # Any: as above
    """Add a body's nodes, triangles and edges.

    An edge resists bending with B L²/A per angle², A the area of its two triangles: on equilateral triangles a plate
    of flexural rigidity B when bent about any axis, and of Poisson's ratio -1/3 when twisted.

    Source: E. Grinspun et al., "Discrete Shells", Symposium on Computer Animation (2003); constant by comparison with
    cylinders on our meshes.
    """
    mesh = cloth_mesh(body)
    first = builder.particle_count
    turn = start_orientation(body)
    turned = quat_rotate(turn, mesh.vertices)
    arm = turned - quat_rotate(turn, made.mass @ mesh.vertices / made.mass.sum())
    velocity = np.asarray(body.linear_velocity) + np.cross(np.asarray(body.angular_velocity), arm)
    velocity[made.held] = 0.0
    builder.add_particles(
        pos=[wp.vec3(*point) for point in turned + np.asarray(body.position)],
        vel=[wp.vec3(*row) for row in velocity],
        mass=np.where(made.held, 0.0, made.mass).tolist(),
        radius=[_contact_radius(body)] * len(velocity),
        flags=np.where(made.held, 0, 1).tolist(),
    )
    shear, bulk = lame(body)
    for a, b, c in (mesh.triangles + first).tolist():
        builder.add_triangle(
            a, b, c, tri_ke=shear, tri_ka=bulk, tri_kd=0.5 * body.viscosity * shear, tri_drag=0.0, tri_lift=0.0
        )
    bend = body.bending_stiffness * mesh.bend
    rows = np.where(mesh.edges >= 0, mesh.edges + first, -1).T.tolist()
    builder.add_edges(*rows, edge_ke=bend.tolist(), edge_kd=(body.viscosity * bend).tolist())
