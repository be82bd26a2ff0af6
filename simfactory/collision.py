"""What bodies collide as: the convex parts of their meshes."""

import numpy as np

from simfactory.assets import convex_parts, load_mesh
from simfactory.meshes import TriangleMesh, geometry_mesh, torus_sections
from simfactory.spec import BodyRigid, Geometry, MeshAsset, Torus

__all__ = ["body_parts", "geometry_parts", "may_split"]


def may_split(geometry: Geometry) -> bool:
    """Return whether a shape need not be convex, so that it may collide as several parts."""
    return isinstance(geometry, MeshAsset | Torus)


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
    whole = geometry_mesh(geometry)
    if isinstance(geometry, Torus):
        return _torus_parts(geometry)
    if not isinstance(geometry, MeshAsset):
        return [whole]
    vertices, triangles = load_mesh(geometry.digest)
    shift = whole.vertices[0] - geometry.scale * vertices[0]  # meshes are centred on their centroid
    return [
        TriangleMesh(vertices=np.asarray(corners, np.float64) * geometry.scale + shift, triangles=faces)
        for corners, faces in convex_parts(geometry.digest, vertices, triangles)
    ]


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
