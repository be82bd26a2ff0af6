"""Whether cloth stays cloth: not overstretched, and no part of it passed through another."""

import numpy as np
import numpy.typing as npt

__all__ = ["CROSSING_FRAMES", "crossing_share", "edge_strain"]

CROSSING_FRAMES = 6  # frames looked at

Float64 = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


def edge_strain(rest: Float64, triangles: npt.NDArray[np.int32], vertices: npt.NDArray[np.float32]) -> float:
    """Return the strain [1] that 99 % of all edges at all times stay below: a few may be pulled sharply at a corner.

    Args:
        rest: `(vertex, 3)` the cloth at rest [m].
        triangles: Its triangles.
        vertices: Its vertices `(time, vertex, 3)` [m].
    """
    edges = _edges(triangles)
    length = np.linalg.norm(rest[edges[:, 1]] - rest[edges[:, 0]], axis=-1)
    now = np.linalg.norm(vertices[:, edges[:, 1]].astype(np.float64) - vertices[:, edges[:, 0]], axis=-1)
    return float(np.quantile(now / length - 1.0, 0.99, axis=1).max())


def crossing_share(triangles: npt.NDArray[np.int32], vertices: npt.NDArray[np.float32]) -> float:
    """Return the largest share [1], over some frames, of edges that pierce a triangle with which they share no vertex.

    Args:
        triangles: `(triangle, 3)` of one or several cloths.
        vertices: `(time, vertex, 3)` [m].
    """
    edges = _edges(triangles)
    frames = np.unique(np.linspace(0, len(vertices) - 1, CROSSING_FRAMES).round().astype(np.int64))
    return max(_crossings(edges, triangles.astype(np.int64), vertices[frame].astype(np.float64)) for frame in frames)


def _edges(triangles: npt.NDArray[np.int32]) -> Int:
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    return np.unique(np.sort(pairs, axis=1), axis=0).astype(np.int64)


def _crossings(edges: Int, triangles: Int, points: Float64) -> float:
    ends, corners = points[edges], points[triangles]
    low, high = ends.min(axis=1), ends.max(axis=1)
    below, above = corners.min(axis=1), corners.max(axis=1)
    near = np.ones((len(edges), len(triangles)), np.bool_)
    for axis in range(3):
        near &= low[:, None, axis] <= above[None, :, axis]
        near &= high[:, None, axis] >= below[None, :, axis]
    edge, face = np.nonzero(near)
    apart = (edges[edge][:, :, None] != triangles[face][:, None, :]).all(axis=(1, 2))
    edge, face = edge[apart], face[apart]
    pierced = _pierces(ends[edge], corners[face])
    return len(np.unique(edge[pierced])) / len(edges)


def _pierces(ends: Float64, corners: Float64) -> npt.NDArray[np.bool_]:
    """Tell which segments `(pair, 2, 3)` pass through which triangles `(pair, 3, 3)`, strictly inside both.

    Source: T. Möller, B. Trumbore, "Fast, minimum storage ray-triangle intersection" (1997).
    """
    way = ends[:, 1] - ends[:, 0]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    across = np.cross(way, second)
    volume = np.einsum("pi,pi->p", first, across)
    start = ends[:, 0] - corners[:, 0]
    turned = np.cross(start, first)
    with np.errstate(divide="ignore", invalid="ignore"):
        u = np.einsum("pi,pi->p", start, across) / volume
        v = np.einsum("pi,pi->p", way, turned) / volume
        t = np.einsum("pi,pi->p", second, turned) / volume
        inside = (u > 0.0) & (v > 0.0) & (u + v < 1.0) & (t > 0.0) & (t < 1.0)
    return np.asarray(inside & (np.abs(volume) > 0.0))
