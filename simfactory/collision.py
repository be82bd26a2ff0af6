"""What bodies collide as: the convex parts of their meshes."""

import numpy as np

from simfactory.assets import convex_parts, load_mesh
from simfactory.meshes import TriangleMesh, geometry_mesh, torus_sections, vessel_rings
from simfactory.robots import robot_model
from simfactory.spec import BodyRigid, Geometry, MeshAsset, RobotPart, Torus, Vessel

VESSEL_PARTS = 16  # of the wall

__all__ = ["body_parts", "geometry_parts", "may_split"]


def may_split(geometry: Geometry) -> bool:
    """Return whether a shape need not be convex, so that it may collide as several parts."""
    return isinstance(geometry, MeshAsset | RobotPart | Torus | Vessel)


def body_parts(body: BodyRigid) -> list[TriangleMesh]:
    """Return the convex parts of a body in its local frame [m], scale and aspect applied; one if it is convex.

    Raises:
        AssetError: A user mesh is missing, unreadable or cannot be split.
    """
    return [part.scaled(body.factors) for part in geometry_parts(body.geometry)]


def geometry_parts(geometry: Geometry) -> list[TriangleMesh]:
    """Return the convex parts of a shape in its local frame [m], before scale and aspect.

    Raises:
        AssetError: A user mesh is missing, unreadable or cannot be split.
    """
    if isinstance(geometry, RobotPart):
        hulls = robot_model(geometry.robot).part(geometry.part).hulls
        return [TriangleMesh(vertices=vertices, triangles=triangles) for vertices, triangles in hulls]
    if isinstance(geometry, Torus):
        return _torus_parts(geometry)
    if isinstance(geometry, Vessel):
        return _vessel_parts(geometry)
    whole = geometry_mesh(geometry)
    if not isinstance(geometry, MeshAsset):
        return [whole]
    vertices, triangles = load_mesh(geometry.digest)
    shift = whole.vertices[0] - geometry.scale * vertices[0]  # meshes are centred on their centroid
    return [
        TriangleMesh(vertices=np.asarray(corners, np.float64) * geometry.scale + shift, triangles=faces)
        for corners, faces in convex_parts(geometry.digest, vertices, triangles)
    ]


def _vessel_parts(vessel: Vessel) -> list[TriangleMesh]:
    """The floor, and the wall cut upright into equal parts; a part's inner face is flat."""
    base, rim, inner, floor = vessel_rings(vessel)
    count, step = len(base), len(base) // VESSEL_PARTS
    above = base + np.array([0.0, 0.0, vessel.wall])
    made = [_prism(base[::step], above[::step])]
    for first in range(0, count, step):
        outer, ends = (np.arange(first, first + step + 1)) % count, np.array([first + step, first]) % count
        made.append(_prism(np.concatenate([base[outer], floor[ends]]), np.concatenate([rim[outer], inner[ends]])))
    return made


def _prism(lower: np.ndarray, upper: np.ndarray) -> TriangleMesh:
    """The solid between two polygons `(corner, 3)` that turn counter-clockwise, seen from above."""
    sides = len(lower)
    side, after = np.arange(sides), (np.arange(sides) + 1) % sides
    walls = np.stack([side, after, after + sides, side, after + sides, side + sides], axis=-1).reshape(-1, 3)
    fan = np.stack([np.zeros(sides - 2, np.int64), side[1:-1], side[2:]], axis=-1)
    triangles = np.concatenate([walls, fan[:, ::-1], fan + sides]).astype(np.int32)
    return TriangleMesh(vertices=np.concatenate([lower, upper]), triangles=triangles)


def _torus_parts(torus: Torus) -> list[TriangleMesh]:
    """The prisms, cut aslant, between neighbouring sections: together exactly the mesh."""
    sections = torus_sections(torus)
    sides = sections.shape[1]
    side, after = np.arange(sides), (np.arange(sides) + 1) % sides
    walls = np.stack([side, side + sides, after + sides, side, after + sides, after], axis=-1).reshape(-1, 3)
    fan = np.stack([np.zeros(sides - 2, np.int64), side[1:-1], side[2:]], axis=-1)
    triangles = np.concatenate([walls, fan, fan[:, ::-1] + sides]).astype(np.int32)
    return [
        TriangleMesh(vertices=np.concatenate(pair), triangles=triangles)
        for pair in zip(sections, np.roll(sections, -1, axis=0), strict=True)
    ]
