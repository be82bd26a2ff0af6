"""What bodies collide as: the convex parts of their meshes."""

import numpy as np

from simfactory.assets import convex_parts, load_mesh
from simfactory.meshes import TriangleMesh, body_mesh, geometry_mesh
from simfactory.spec import BodyRigid, Geometry, MeshAsset

__all__ = ["body_parts", "geometry_parts"]


def body_parts(body: BodyRigid) -> list[TriangleMesh]:
    """Return the convex parts of a body in its local frame [m], scale and aspect applied; one if it is convex.

    Raises:
        AssetError: A user mesh is missing, unreadable or cannot be split.
    """
    if not isinstance(body.geometry, MeshAsset):
        return [body_mesh(body)]
    return [part.scaled(body.factors) for part in geometry_parts(body.geometry)]


def geometry_parts(geometry: Geometry) -> list[TriangleMesh]:
    """Return the convex parts of a shape in its local frame [m], before scale and aspect.

    Raises:
        AssetError: A user mesh is missing, unreadable or cannot be split.
    """
    whole = geometry_mesh(geometry)
    if not isinstance(geometry, MeshAsset):
        return [whole]
    vertices, triangles = load_mesh(geometry.digest)
    shift = whole.vertices[0] - geometry.scale * vertices[0]  # meshes are centred on their centroid
    return [
        TriangleMesh(vertices=np.asarray(corners, np.float64) * geometry.scale + shift, triangles=faces)
        for corners, faces in convex_parts(geometry.digest, vertices, triangles)
    ]
