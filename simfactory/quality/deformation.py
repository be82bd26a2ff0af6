"""Whether deforming bodies keep their triangles and volumes, and ropes their length."""

import numpy as np
import numpy.typing as npt

from simfactory.cords import tube_line
from simfactory.meshes import TriangleMesh

__all__ = ["area_ratio", "folded_share", "rope_strain", "volume_change"]

SPARED = 0.005  # of a surface: about one face of the coarsest simulation meshes
FOLDED = -0.7  # cosine between neighbours' normals: bent by more than 135°

Float = npt.NDArray[np.floating]
Float64 = npt.NDArray[np.float64]


def area_ratio(mesh: TriangleMesh, vertices: Float) -> float:
    """Return the factor [1] by which a surface's triangles grew or shrank at most; inf where they collapsed.

    At any time the triangles that changed most are spared, up to a two-hundredth of the surface at rest: a fine one
    has slivers, far smaller than what is simulated, that a crease of its material flattens with no element inverted.

    Args:
        mesh: The body at rest.
        vertices: Its vertices `(time, vertex, 3)` [m].
    """
    rest = np.linalg.norm(_area_vectors(mesh.vertices[None], mesh.triangles), axis=-1)[0]
    now = np.linalg.norm(_area_vectors(vertices, mesh.triangles), axis=-1)
    with np.errstate(divide="ignore"):
        factor = np.maximum(now / rest, rest / now)
    order = np.argsort(-factor, axis=1)
    spared = np.cumsum(rest[order], axis=1) <= SPARED * rest.sum()
    return float(np.take_along_axis(factor, order, axis=1)[~spared].max())


def folded_share(mesh: TriangleMesh, vertices: Float) -> float:
    """Return the largest share [1] over time of neighbouring triangles that are folded onto each other.

    Args:
        mesh: The body at rest.
        vertices: Its vertices `(time, vertex, 3)` [m].
    """
    left, right = _neighbours(mesh.triangles)
    if len(left) == 0:
        return 0.0
    normals = _area_vectors(vertices, mesh.triangles)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-30)
    cosine = np.einsum("tpx,tpx->tp", normals[:, left], normals[:, right])
    return float((cosine < FOLDED).mean(axis=1).max())


def volume_change(mesh: TriangleMesh, vertices: Float) -> float:
    """Return the largest relative change [1] of the enclosed volume; a body turned inside out changes by 2.

    Args:
        mesh: The body at rest, closed.
        vertices: Its vertices `(time, vertex, 3)` [m].
    """
    a, b, c = (vertices[:, mesh.triangles[:, k]].astype(np.float64) for k in range(3))
    volume = np.einsum("tij,tij->t", a - a[:, :1], np.cross(b - a[:, :1], c - a[:, :1])) / 6.0
    return float(np.abs(volume / mesh.volume() - 1.0).max())


def rope_strain(mesh: TriangleMesh, vertices: Float) -> float:
    """Return the largest relative change of length [1] of a rope's segments.

    Args:
        mesh: The rope's tube at rest.
        vertices: Its vertices `(time, vertex, 3)` [m].
    """
    rest, now = (np.linalg.norm(np.diff(tube_line(each), axis=-2), axis=-1) for each in (mesh.vertices, vertices))
    return float(np.abs(now / rest - 1.0).max())


def _area_vectors(vertices: Float, triangles: npt.NDArray[np.int32]) -> Float64:
    a, b, c = (vertices[:, triangles[:, k]].astype(np.float64) for k in range(3))
    return np.asarray(np.cross(b - a, c - a))


def _neighbours(triangles: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the two triangles `(pair,)` of every edge that two triangles share."""
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    owner = np.tile(np.arange(len(triangles)), 3)
    order = np.lexsort(edges.T)
    edges, owner = edges[order], owner[order]
    shared = np.flatnonzero((edges[1:] == edges[:-1]).all(axis=1))
    return owner[shared], owner[shared + 1]
