"""Points carried by tetrahedra: how a fine surface follows a coarse simulation mesh."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Embedding", "embed"]

SEARCH_RINGS = 2  # cells around a point in which tetrahedra are looked for, before all are
PAIRS = 400_000  # point-tetrahedron pairs weighed at a time

Points = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Embedding:
    """Points tied to tetrahedra: each follows the affine map of one of them.

    Attributes:
        tets: `(point,)` int32, index of the tetrahedron that carries the point: the one that holds it, else a nearby
            one whose affine map is continued outwards.
        weights: `(point, 4)` float64 barycentric weights; they sum to 1, some are negative outside.
    """

    tets: Indices
    weights: Points

    def points(self, nodes: Points, tets: Indices) -> Points:
        """Return the points `(point, 3)` [m] for moved nodes `(node, 3)` [m] of a mesh with `tets` `(tet, 4)`."""
        return np.asarray(np.einsum("pk,pkx->px", self.weights, nodes[tets[self.tets]]))


def embed(points: Points, nodes: Points, tets: Indices) -> Embedding:
    """Tie points `(point, 3)` [m] to tets `(tet, 4)`: to the one that holds a point, else one it is least outside of.

    How far outside is measured by the smallest barycentric weight, among the tetrahedra around the point.
    """
    corners = nodes[tets]
    inverse: Points = np.linalg.inv(np.swapaxes(corners[:, 1:] - corners[:, :1], 1, 2)).astype(np.float64)
    cell = float(np.ptp(corners, axis=1).max())
    origin = nodes.min(axis=0)
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
    return Embedding(tets=chosen.astype(np.int32), weights=_weights(points - corners[chosen, 0], inverse[chosen]))


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
