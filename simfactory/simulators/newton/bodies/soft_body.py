"""Soft bodies: tetrahedra of a neo-Hookean solid, their outer faces for contact, and the surface they carry."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.meshes import soft_surface
from simfactory.simulators.kinematics import start_orientation
from simfactory.simulators.newton.descent import Samples, color_nodes, strain_samples
from simfactory.simulators.newton.fitting import NodeBody
from simfactory.spec import BodySoft, Geometry, PhysicalMaterial
from simfactory.tetrahedra import TetMesh, tetrahedralize
from simfactory.transforms import quat_rotate

__all__ = ["CONTACT_RADIUS", "SoftMesh", "add", "lame", "node_body", "soft_mesh", "wave_speed"]

CONTACT_RADIUS = 5e-4  # [m] nodes and faces touch at this distance: what layouts leave between resting bodies

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class SoftMesh:
    """A soft body's simulation mesh at rest.

    Attributes:
        tets: Nodes, tetrahedra and the embedded surface, body frame [m].
        node_volume: `(node,)` a quarter of the tetrahedra around each node [m³].
        center: `(3,)` centre of mass, body frame [m].
        held: `(node,)` bool, nodes that do not move.
        cell: Edge length of a cell [m].
        samples: Where its strain is sampled.
        colors: Nodes `(color, node)` of which no two share a sample; a solver may move them at once.
    """

    tets: TetMesh
    node_volume: Array
    center: Array
    held: npt.NDArray[np.bool_]
    cell: float
    samples: Samples
    colors: tuple[npt.NDArray[np.int64], ...]


def soft_mesh(body: BodySoft) -> SoftMesh:
    """Return a body's simulation mesh.

    Raises:
        AssetError: A user mesh is missing or unreadable, or a shape cannot be filled at this resolution.
    """
    return _soft_mesh(body.geometry, body.factors, body.resolution, body.held)


@lru_cache(maxsize=128)
def _soft_mesh(
    geometry: Geometry, factors: tuple[float, float, float], resolution: int, held: tuple[str, ...]
) -> SoftMesh:
    surface = soft_surface(geometry, factors=factors, resolution=resolution)
    mesh = tetrahedralize(surface, resolution=resolution)
    volume = np.zeros(len(mesh.vertices))
    np.add.at(volume, mesh.tets.ravel(), np.repeat(mesh.volumes() / 4.0, 4))
    low, high = surface.vertices.min(axis=0), surface.vertices.max(axis=0)
    cell = float((high - low).max()) / resolution
    fixed = np.zeros(len(volume), bool)
    for side in held:
        axis = "xyz".index(side[1])
        bound = low[axis] if side[0] == "-" else high[axis]
        fixed |= np.abs(mesh.vertices[:, axis] - bound) < 0.25 * cell
    samples = strain_samples(mesh)
    return SoftMesh(
        tets=mesh,
        node_volume=volume,
        center=volume @ mesh.vertices / volume.sum(),
        held=fixed,
        cell=cell,
        samples=samples,
        colors=color_nodes(samples),
    )


def node_body(body: BodySoft) -> NodeBody:
    """Return what a body is made of.

    Raises:
        AssetError: A user mesh is missing or unreadable, or a shape cannot be filled at this resolution.
    """
    mesh = soft_mesh(body)
    return NodeBody(
        rest=mesh.tets.vertices,
        mass=body.physical.density * mesh.node_volume,
        held=mesh.held,
        surface=mesh.tets.surface,
    )


def lame(material: PhysicalMaterial) -> tuple[float, float]:
    """Return the Lamé parameters (μ, λ) [Pa] of Young's modulus and Poisson's ratio.

    Source: L. D. Landau, E. M. Lifshitz, "Theory of Elasticity" (1986), §5.
    """
    young, poisson = material.young_modulus, material.poisson_ratio
    return young / (2.0 * (1.0 + poisson)), young * poisson / ((1.0 + poisson) * (1.0 - 2.0 * poisson))


def wave_speed(material: PhysicalMaterial) -> float:
    """Return the speed [m/s] of pressure waves: √((λ + 2μ)/ρ).

    Source: L. D. Landau, E. M. Lifshitz, "Theory of Elasticity" (1986), §22.
    """
    shear, first = lame(material)
    return float(np.sqrt((first + 2.0 * shear) / material.density))


def add(builder: Any, body: BodySoft) -> int:  # Any: newton.ModelBuilder has no type information
    """Add a soft body's nodes and outer faces; return -1, as it is none of Newton's rigid bodies.

    Raises:
        AssetError: A user mesh is missing or unreadable, or a shape cannot be filled at this resolution.
    """
    mesh = soft_mesh(body)
    first = builder.particle_count
    turned = quat_rotate(start_orientation(body), mesh.tets.vertices)
    arm = turned - quat_rotate(start_orientation(body), mesh.center)
    velocity = np.asarray(body.linear_velocity) + np.cross(np.asarray(body.angular_velocity), arm)
    mass = body.physical.density * np.where(mesh.held, 0.0, mesh.node_volume)
    velocity[mesh.held] = 0.0
    builder.add_particles(
        pos=[wp.vec3(*point) for point in turned + np.asarray(body.position)],
        vel=[wp.vec3(*row) for row in velocity],
        mass=mass.tolist(),
        radius=[CONTACT_RADIUS] * len(mass),
        flags=np.where(mesh.held, 0, 1).tolist(),
    )
    for a, b, c in (mesh.tets.boundary() + first).tolist():
        builder.add_triangle(a, b, c, tri_ke=0.0, tri_ka=0.0, tri_kd=0.0, tri_drag=0.0, tri_lift=0.0)
    return -1
