"""Points carried by tetrahedra: how a fine surface follows a coarse simulation mesh.

A point inside follows the tetrahedron that holds it. A point outside follows the nearest point of the outer faces, and
its distance from there turns and stretches with the material around: with the average deformation gradient of the
tetrahedra about each corner of the face. So neighbouring points move alike, whichever face is theirs: the surface
neither tears nor folds where tetrahedra next to each other deform differently. Continuing single tetrahedra outwards
instead makes points a fifth of a cell outside jump by as much from one tetrahedron to the next.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Embedding", "boundary_faces", "embed"]

SEARCH_RINGS = 2  # cells around a point in which tetrahedra and faces are looked for, before all are
PAIRS = 400_000  # point-tetrahedron pairs weighed at a time
INSIDE = -1e-9  # barycentric weight from which a point counts as inside

Points = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Embedding:
    """Points tied to nodes: each is a weighted sum of a few.

    Attributes:
        start: `(point + 1,)` int64, where each point's nodes begin in the lists below.
        nodes: `(entry,)` int32, the nodes of all points, one point after the other.
        weights: `(entry,)` float64; those of a point sum to 1, some are negative outside the tetrahedra.
    """

    start: Index
    nodes: Indices
    weights: Points

    def points(self, nodes: Points) -> Points:
        """Return the points `(point, 3)` [m] for moved nodes `(node, 3)` [m]."""
        if len(self.start) == 1:
            return np.zeros((0, 3))
        return np.asarray(np.add.reduceat(self.weights[:, None] * nodes[self.nodes], self.start[:-1], axis=0))


def embed(points: Points, nodes: Points, tets: Indices) -> Embedding:
    """Tie points `(point, 3)` [m] to the nodes `(node, 3)` [m] of tets `(tet, 4)`, so that affine maps are followed.

    Source: averages about nodes: C. R. Dohrmann et al., "Node-based uniform strain elements for three-node triangular
    and four-node tetrahedral meshes", International Journal for Numerical Methods in Engineering 47 (2000).
    """
    corners = nodes[tets]
    inverse: Points = np.linalg.inv(np.swapaxes(corners[:, 1:] - corners[:, :1], 1, 2)).astype(np.float64)
    chosen, weights = _holders(points, corners, inverse, origin=nodes.min(axis=0))
    outside = np.flatnonzero(weights.min(axis=-1) < INSIDE)
    inside = np.setdiff1d(np.arange(len(points)), outside)
    faces = boundary_faces(tets).astype(np.int64)
    face, share = _nearest_faces(points[outside], nodes, faces)
    offset = points[outside] - np.einsum("pk,pkx->px", share, nodes[faces[face]])
    carried = _carried(faces[face], share, offset, _nodal_gradients(tets.astype(np.int64), inverse, len(nodes)))
    parts = [
        (np.repeat(inside, 4), tets[chosen[inside]].astype(np.int64).ravel(), weights[inside].ravel()),
        (np.repeat(outside, 3), faces[face].ravel(), share.ravel()),
        (outside[carried[0]], carried[1], carried[2]),
    ]
    point, node, weight = (np.concatenate([part[k] for part in parts]) for k in range(3))
    key, index = np.unique(point * len(nodes) + node, return_inverse=True)
    return Embedding(
        start=np.searchsorted(key, np.arange(len(points) + 1) * len(nodes)),
        nodes=(key % len(nodes)).astype(np.int32),
        weights=np.asarray(np.bincount(index.ravel(), weights=weight, minlength=len(key)), np.float64),
    )


def boundary_faces(tets: Indices) -> Indices:
    """Return the faces `(triangle, 3)` that belong to one tetrahedron only, outward for positive tetrahedra."""
    faces = tets[:, [(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)]].reshape(-1, 3)
    _, first, count = np.unique(np.sort(faces, axis=1), axis=0, return_index=True, return_counts=True)
    return np.asarray(faces[np.sort(first[count == 1])], np.int32)


def _holders(points: Points, corners: Points, inverse: Points, *, origin: Points) -> tuple[Index, Points]:
    """Return the tetrahedron `(point,)` that a point is inside, else one it is least outside of, and its weights.

    How far outside is measured by the smallest barycentric weight, among the tetrahedra around the point.
    """
    cell = float(np.ptp(corners, axis=1).max())
    middle = np.floor((corners.mean(axis=1) - origin) / cell).astype(np.int64)
    places = np.floor((points - origin) / cell).astype(np.int64)
    best, chosen = np.full(len(points), -np.inf), np.zeros(len(points), np.int64)
    left = np.arange(len(points))
    for ring in range(1, SEARCH_RINGS + 1):
        for some, tet in _around(places[left], middle, ring=ring):
            point = left[some]
            least = _weights(points[point] - corners[tet, 0], inverse[tet]).min(axis=-1)
            np.maximum.at(best, point, least)
            winner = least >= best[point]
            chosen[point[winner]] = tet[winner]
        left = left[~np.isfinite(best[left])]
    for place in left:
        chosen[place] = int(_weights(points[place] - corners[:, 0], inverse).min(axis=-1).argmax())
    return chosen, _weights(points - corners[chosen, 0], inverse[chosen])


def _nearest_faces(points: Points, nodes: Points, faces: Index) -> tuple[Index, Points]:
    """Return the nearest face `(point,)` and the weights `(point, 3)` of the nearest point on it."""
    corners = nodes[faces]
    cell = 1.001 * float(np.ptp(corners, axis=1).max())
    origin = nodes.min(axis=0)
    middle = np.floor((corners.mean(axis=1) - origin) / cell).astype(np.int64)
    places = np.floor((points - origin) / cell).astype(np.int64)
    best, chosen = np.full(len(points), np.inf), np.zeros(len(points), np.int64)
    left = np.arange(len(points))
    for ring in range(1, SEARCH_RINGS + 1):
        for some, face in _around(places[left], middle, ring=ring):
            point = left[some]
            gap = _gap(points[point], corners[face])[0]
            np.minimum.at(best, point, gap)
            winner = gap <= best[point]
            chosen[point[winner]] = face[winner]
        # The middle of a face is at most 2/3 of its extent from any of its points.
        left = left[best[left] > (ring - 2.0 / 3.0) * cell]
    for place in left:
        chosen[place] = int(_gap(np.broadcast_to(points[place], (len(corners), 3)), corners)[0].argmin())
    return chosen, _gap(points, corners[chosen])[1]


def _gap(points: Points, corners: Points) -> tuple[Points, Points]:
    """Return the distance `(pair,)` [m] of points `(pair, 3)` to triangles `(pair, 3, 3)`, and the nearest's weights.

    The nearest point lies where the triangle's plane is met at right angles or, if that is outside, on an edge.
    """
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normal = np.cross(first, second)
    square = np.maximum(np.einsum("px,px->p", normal, normal), 1e-300)
    arm = points - corners[:, 0]
    v = np.einsum("px,px->p", np.cross(arm, second), normal) / square
    w = np.einsum("px,px->p", np.cross(first, arm), normal) / square
    weights = np.stack([1.0 - v - w, v, w], axis=-1)
    beside = weights.min(axis=-1) < 0.0
    best = np.where(beside, np.inf, np.abs(np.einsum("px,px->p", arm, normal)) / np.sqrt(square))
    for k in range(3):
        a, edge = corners[:, k], corners[:, (k + 1) % 3] - corners[:, k]
        length = np.maximum(np.einsum("px,px->p", edge, edge), 1e-300)
        t = np.clip(np.einsum("px,px->p", points - a, edge) / length, 0.0, 1.0)
        gap = np.linalg.norm(points - a - t[:, None] * edge, axis=-1)
        nearer = beside & (gap < best)
        best = np.where(nearer, gap, best)
        weights[nearer] = 0.0
        weights[nearer, k], weights[nearer, (k + 1) % 3] = 1.0 - t[nearer], t[nearer]
    return best, weights


def _nodal_gradients(tets: Index, inverse: Points, node_count: int) -> tuple[Index, Index, Points]:
    """Return the average deformation gradient about each node as a sum F = Σ xⱼ ⊗ gⱼ over nodes near it.

    Returns:
        start `(node + 1,)`, the nodes j `(entry,)` and gⱼ `(entry, 3)` [1/m]; weights are the tetrahedra's volumes.
    """
    gradients = np.concatenate([-inverse.sum(axis=1, keepdims=True), inverse], axis=1)
    volume = np.abs(1.0 / np.linalg.det(inverse))
    about = np.bincount(tets.ravel(), weights=np.repeat(volume, 4), minlength=node_count)
    owner, other = np.repeat(tets, 4, axis=1), np.tile(tets, (1, 4))
    key, index = np.unique(owner * node_count + other, return_inverse=True)
    share = volume[:, None] / about[owner]
    value = np.zeros((len(key), 3))
    np.add.at(value, index.ravel(), (share[..., None] * np.tile(gradients, (1, 4, 1))).reshape(-1, 3))
    return np.searchsorted(key, np.arange(node_count + 1) * node_count), np.asarray(key % node_count), value


def _carried(
    corner: Index, share: Points, offset: Points, gradients: tuple[Index, Index, Points]
) -> tuple[Index, Index, Points]:
    """Return point, node and weight `(entry,)` of offsets `(point, 3)` [m] that follow the material at faces' corners.

    Args:
        corner: `(point, 3)` nodes of each point's face.
        share: `(point, 3)` their weights.
        offset: `(point, 3)` from the face to the point [m].
        gradients: As `_nodal_gradients` returns them.
    """
    start, other, value = gradients
    count = (start[1:] - start[:-1])[corner.ravel()]
    pair = np.repeat(np.arange(corner.size), count)
    entry = np.repeat(start[corner.ravel()] - (np.cumsum(count) - count), count) + np.arange(count.sum())
    point = pair // 3
    weight = share.ravel()[pair] * np.einsum("ex,ex->e", value[entry], offset[point])
    return point, other[entry], weight


def _weights(offset: Points, inverse: Points) -> Points:
    """Return barycentric weights `(pair, 4)` of offsets `(pair, 3)` from the first corners."""
    rest = np.einsum("pij,pj->pi", inverse, offset)
    return np.concatenate([1.0 - rest.sum(axis=-1, keepdims=True), rest], axis=-1)


def _around(places: Index, middle: Index, *, ring: int) -> Iterator[tuple[Index, Index]]:
    """Yield pairs (point, tetrahedron) of which the tetrahedron's middle lies within `ring` cells of the point's."""
    low = np.minimum(middle.min(axis=0), 0) - ring
    shape = middle.max(axis=0) + ring + 1 - low
    stride = np.array([shape[1] * shape[2], shape[2], 1])
    order = np.argsort((middle - low) @ stride, kind="stable")
    keys = ((middle - low) @ stride)[order]
    steps = np.arange(-ring, ring + 1)
    for offset in np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3):
        cell = places + offset - low
        within = np.flatnonzero(((cell >= 0) & (cell < shape)).all(axis=1))
        key = cell[within] @ stride
        first, last = np.searchsorted(keys, key, "left"), np.searchsorted(keys, key, "right")
        step = max(1, PAIRS // max(1, int((last - first).max(initial=0))))
        for start in range(0, len(within), step):
            part = np.s_[start : start + step]
            count = last[part] - first[part]
            index = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
            yield np.repeat(within[part], count), order[np.repeat(first[part], count) + index]
