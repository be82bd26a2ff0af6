"""Where a liquid is solved: the grid, and the solids that stand in it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.liquids import liquid_particles
from simfactory.meshes import body_mesh
from simfactory.simulators.kinematics import start_orientation
from simfactory.simulators.newton.liquid.kernels.records import Grid, Solid
from simfactory.simulators.newton.shapes import solid_inertia
from simfactory.spec import BodyFluid, BodyRigid, SceneSpec
from simfactory.transforms import quat_rotate

__all__ = ["CELL", "Domain", "Inertia", "bounds", "liquid_domain"]

CELL = 2.0  # [spacing] edge of a grid cell: eight particles in a full one
AROUND = 0.7  # [m] how far beyond where it begins a liquid is solved; further on its drops fly and slide freely
ABOVE = 0.25  # [m] how far above
CELL_LIMIT = 250_000
REACH = 20.0  # [m] from the origin, where particles end that nothing stops

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Inertia:
    """Mass properties of the rigid bodies that can move.

    Attributes:
        mass: `(body,)` [kg]; 0 where they do not react.
        inverse_inertia: `(body, 3, 3)` body frame; 0 where they do not react.
        center: `(body, 3)` centre of mass, body frame [m].
    """

    mass: Array
    inverse_inertia: Array
    center: Array


@dataclass(frozen=True, kw_only=True, slots=True)
class Domain:
    """The grid and the solids of one environment.

    Attributes:
        grid: The grid record.
        size: Cells along x, y, z.
        solids: Records of the rigid bodies on the device.
        meshes: Their meshes, kept alive.
        inertia: Of those that can move.
    """

    grid: Any  # a Warp struct has no type information
    size: tuple[int, int, int]
    solids: Any  # Any: a warp array
    meshes: tuple[Any, ...]  # Any: warp meshes
    inertia: Inertia


def bounds(spec: SceneSpec, inset: float) -> tuple[Array, Array]:
    """Return the box in which particles stay: floor, walls and ceiling less an inset, and far away without them."""
    lower, upper = np.full(3, -REACH), np.full(3, REACH)
    if spec.ground is not None:
        lower[2] = inset
    if spec.room is not None:
        half = 0.5 * np.array(spec.room.size[:2]) - inset
        lower[:2], upper[:2] = -half, half
        if spec.room.ceiling:
            upper[2] = spec.room.size[2] - inset
    return lower, upper


def liquid_domain(spec: SceneSpec, *, device: str) -> Domain:
    """Lay a grid about a scene's liquids and upload its rigid bodies.

    Raises:
        AssetError: A user mesh is missing or unreadable.
    """
    liquids = [body for body in spec.bodies if isinstance(body, BodyFluid)]
    places = [
        quat_rotate(start_orientation(body), liquid_particles(body).centers) + np.asarray(body.position)
        for body in liquids
    ]
    cell = CELL * min(body.spacing for body in liquids)
    wall_lower, wall_upper = bounds(spec, 0.0)
    first, last = np.concatenate(places).min(axis=0), np.concatenate(places).max(axis=0)
    lower = np.maximum(first - AROUND, wall_lower)
    upper = np.minimum(last + np.array([AROUND, AROUND, ABOVE]), wall_upper)
    while True:
        # Two more cells on each side: their faces are read, and solids there are known.
        size = np.ceil((upper - lower) / cell).astype(int) + 4
        if size.prod() <= CELL_LIMIT:
            break
        shrink = 0.05 * (upper - lower)
        lower, upper = np.minimum(lower + shrink, first), np.maximum(upper - shrink, last)
        cell *= 1.0 if (lower < first).any() or (upper > last).any() else 1.05
    grid: Any = Grid()  # a Warp struct: its fields take plain numbers
    grid.origin, grid.cell = wp.vec3(*(lower - 2.0 * cell)), cell
    grid.size = wp.vec3i(*size.tolist())
    solids, meshes, inertia = _solids(spec, device)
    return Domain(
        grid=grid, size=(int(size[0]), int(size[1]), int(size[2])), solids=solids, meshes=meshes, inertia=inertia
    )


def _solids(spec: SceneSpec, device: str) -> tuple[Any, tuple[Any, ...], Inertia]:  # Any: Warp objects
    """Return records and meshes of a scene's rigid bodies, and the mass properties of those that can move."""
    records, meshes = [], []
    masses: list[float] = []
    inverse, centers = [], []
    for body in spec.bodies:
        if not isinstance(body, BodyRigid):
            continue
        mesh = body_mesh(body)
        shape = wp.Mesh(
            wp.array(mesh.vertices.astype(np.float32), dtype=wp.vec3, device=device),
            wp.array(mesh.triangles.ravel().astype(np.int32), dtype=wp.int32, device=device),
        )
        record: Any = Solid()  # as above
        record.mesh = shape.id
        record.lower, record.upper = wp.vec3(*mesh.vertices.min(axis=0)), wp.vec3(*mesh.vertices.max(axis=0))
        record.radius = float(np.linalg.norm(mesh.vertices, axis=1).max())
        record.pose = wp.transform(wp.vec3(*body.position), wp.quat(*start_orientation(body)))
        record.row = -1
        if body.mobility != "static":
            solid, reacts = solid_inertia(body), body.mobility == "dynamic"
            record.row = len(masses)
            masses.append(solid.mass if reacts else 0.0)
            inverse.append(np.linalg.inv(solid.inertia) if reacts else np.zeros((3, 3)))
            centers.append(solid.center)
        records.append(record)
        meshes.append(shape)
    inertia = Inertia(
        mass=np.array(masses),
        inverse_inertia=np.array(inverse).reshape(-1, 3, 3),
        center=np.array(centers).reshape(-1, 3),
    )
    return wp.array(records, dtype=Solid, device=device), tuple(meshes), inertia
