"""Repair of triangle meshes: one vertex a corner, no double faces, one winding, small holes closed."""

from collections import deque

import numpy as np
import numpy.typing as npt

__all__ = ["is_closed", "repaired", "signed_volume"]

MERGE = 1e-7  # of the diagonal: closer vertices are one
HOLE = 0.15  # of the diagonal: a hole's largest extent up to which it is closed
HOLE_EDGES = 64
COMPONENTS_MAX = 256  # for which insides are looked for

Points = npt.NDArray[np.float64]
Triangles = npt.NDArray[np.int64]


def repaired(vertices: Points, triangles: Triangles) -> tuple[Points, Triangles, npt.NDArray[np.int64], dict[str, int]]:
    """Return a mesh that is closed and turned outwards where that could be had without guessing.

    Args:
        vertices: `(vertex, 3)`.
        triangles: `(triangle, 3)`.

    Returns:
        Vertices; triangles; per triangle the index of the given one it comes from, -1 if it closes a hole; and how
        much was changed: merged_vertices, dropped_faces, turned_faces, closed_holes.
    """
    count = len(vertices)
    vertices, triangles = _merged(vertices, triangles)
    changes = {"merged_vertices": count - len(vertices)}
    kept = _distinct(triangles)
    changes["dropped_faces"] = len(triangles) - len(kept)
    triangles = triangles[kept]
    triangles, changes["turned_faces"] = _outward(vertices, triangles)
    vertices, patches, changes["closed_holes"] = _patches(vertices, triangles)
    source = np.concatenate([kept, np.full(len(patches), -1)])
    triangles = np.concatenate([triangles, patches])
    if len(patches):
        triangles, turned = _outward(vertices, triangles)
        changes["turned_faces"] += turned
    used, index = np.unique(triangles, return_inverse=True)
    return vertices[used], index.reshape(-1, 3), source, changes


def is_closed(triangles: Triangles) -> bool:
    """Return whether every edge is passed as often in one direction as in the other."""
    edges = _edges(triangles)
    unique, index = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True)
    return bool((np.bincount(index.ravel(), np.where(edges[:, 0] < edges[:, 1], 1, -1), len(unique)) == 0).all())


def signed_volume(vertices: Points, triangles: Triangles) -> float:
    """Return the volume enclosed by a closed mesh; negative if its faces look inwards."""
    a, b, c = (vertices[triangles[:, k]] - vertices[0] for k in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)


def _edges(triangles: Triangles) -> Triangles:
    return triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)


def _merged(vertices: Points, triangles: Triangles) -> tuple[Points, Triangles]:
    used, index = np.unique(triangles, return_inverse=True)
    vertices, triangles = vertices[used], index.reshape(-1, 3)
    cell = MERGE * float(np.linalg.norm(np.ptp(vertices, axis=0)))
    keys = np.rint((vertices - vertices.min(axis=0)) / cell).astype(np.int64)
    _, first, index = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))  # keep the file's order
    return vertices[np.sort(first)], order[index.ravel()][triangles]


def _distinct(triangles: Triangles) -> npt.NDArray[np.int64]:
    """Return the faces to keep: without those that name a vertex twice, doubles, and pairs back to back."""
    a, b, c = triangles.T
    whole = np.flatnonzero((a != b) & (b != c) & (c != a))
    faces = triangles[whole]
    turned = np.take_along_axis(faces, (faces.argmin(axis=1)[:, None] + np.arange(3)) % 3, axis=1)
    sign = np.where(turned[:, 1] < turned[:, 2], 1, -1)
    _, index, counts = np.unique(np.sort(faces, axis=1), axis=0, return_inverse=True, return_counts=True)
    net = np.bincount(index.ravel(), sign, len(counts))[index.ravel()]
    keep = (counts[index.ravel()] == 1) | (sign * net > 0)
    _, first = np.unique(turned[keep], axis=0, return_index=True)
    return whole[np.flatnonzero(keep)[np.sort(first)]]


def _outward(vertices: Points, triangles: Triangles) -> tuple[Triangles, int]:
    """Turn faces so that neighbours agree and volumes are positive, those of cavities negative."""
    edges = _edges(triangles)
    agreed = len(np.unique(edges, axis=0)) == len(edges)
    if agreed and is_closed(triangles) and signed_volume(vertices, triangles) > 0.0:
        return triangles, 0
    flip, component = _winding(triangles)
    turned = np.where(flip[:, None], triangles[:, ::-1], triangles)
    parts = [np.flatnonzero(component == k) for k in range(component.max(initial=-1) + 1)]
    for number, part in enumerate(parts):
        depth = 0
        if 1 < len(parts) <= COMPONENTS_MAX:
            point = vertices[triangles[part[0], 0]]
            others = (other for k, other in enumerate(parts) if k != number)
            depth = sum(_winds_around(vertices, turned[other], point) for other in others)
        if (signed_volume(vertices, turned[part]) < 0.0) != bool(depth % 2):
            turned[part] = turned[part][:, ::-1]
    return turned, int((turned != triangles).any(axis=1).sum())


def _winding(triangles: Triangles) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Return which faces to turn so that neighbours agree, and each face's component, spreading over simple edges."""
    edges = _edges(triangles)
    _, index, counts = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True, return_counts=True)
    simple = np.flatnonzero(counts[index.ravel()] == 2)
    pairs = simple[np.argsort(index.ravel()[simple], kind="stable")].reshape(-1, 2)
    same = (edges[pairs[:, 0], 0] == edges[pairs[:, 1], 0]).tolist()
    neighbours: list[list[tuple[int, bool]]] = [[] for _ in triangles]
    for (a, b), disagree in zip((pairs // 3).tolist(), same, strict=True):
        neighbours[a].append((b, disagree))
        neighbours[b].append((a, disagree))
    flip, component = [False] * len(triangles), [-1] * len(triangles)
    number = 0
    for start in range(len(triangles)):
        if component[start] >= 0:
            continue
        component[start] = number
        waiting = deque([start])
        while waiting:
            face = waiting.popleft()
            for other, disagree in neighbours[face]:
                if component[other] < 0:
                    component[other], flip[other] = number, flip[face] != disagree
                    waiting.append(other)
        number += 1
    return np.array(flip, np.bool_), np.array(component, np.int64)


def _winds_around(vertices: Points, triangles: Triangles, point: Points) -> bool:
    """Whether a closed surface winds around a point, by the solid angle of its triangles.

    Source: A. Van Oosterom, J. Strackee, "The solid angle of a plane triangle", IEEE TBME (1983).
    """
    a, b, c = (vertices[triangles[:, k]] - point for k in range(3))
    la, lb, lc = (np.linalg.norm(side, axis=1) for side in (a, b, c))
    base = la * lb * lc + np.einsum("ij,ij->i", a, b) * lc
    base += np.einsum("ij,ij->i", b, c) * la + np.einsum("ij,ij->i", c, a) * lb
    return bool(abs(np.arctan2(np.einsum("ij,ij->i", a, np.cross(b, c)), base).sum()) > np.pi)


def _patches(vertices: Points, triangles: Triangles) -> tuple[Points, Triangles, int]:
    """Return the vertices with a centre for every small hole, the triangles that close them, and their number."""
    edges = _edges(triangles)
    _, index, counts = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True, return_counts=True)
    free = edges[counts[index.ravel()] == 1]
    after = {int(b): int(a) for a, b in free}  # a hole runs against the faces around it
    limit = HOLE * float(np.linalg.norm(np.ptp(vertices, axis=0)))
    points, faces = [vertices], []
    holes = 0
    while after:
        start = next(iter(after))
        loop = [start]
        while (following := after.pop(loop[-1], None)) is not None and following != start:
            loop.append(following)
        corners = vertices[loop]
        small = len(loop) <= HOLE_EDGES and np.linalg.norm(np.ptp(corners, axis=0)) <= limit
        if following is None or len(loop) < 3 or not small:
            continue
        centre = len(vertices) + holes
        points.append(corners.mean(axis=0, keepdims=True))
        faces.append([(loop[k], loop[(k + 1) % len(loop)], centre) for k in range(len(loop))])
        holes += 1
    flat = [face for fan in faces for face in fan]
    return np.concatenate(points), np.array(flat, np.int64).reshape(-1, 3), holes
