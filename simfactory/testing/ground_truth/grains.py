"""Compares grain ids and places with the oracle's geometry, and plants errors in them."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from simfactory.episode import FIRST_BODY
from simfactory.spec import BodyGranular
from simfactory.testing.ground_truth.oracle import Oracle, View

__all__ = ["PLANTED_GRAINS", "compare_grain_ids", "compare_grains"]

Array = npt.NDArray[np.generic]
Arrays = Mapping[str, Array]


def compare_grain_ids(oracle: Oracle, arrays: Arrays, frame: int, view: View) -> tuple[int, int]:
    """Return how many pixels show another grain, of those on which clip and oracle see the same body, and their number.

    Which grain a triangle belongs to follows from its vertices, not from its place in the list of triangles. Pixels on
    the outline of a grain may show either side: one in two hundred is allowed by the limit.
    """
    shown, ids = arrays["instance"][frame].astype(np.int64), arrays["particle"][frame].astype(np.int64)
    wrong, total, first = int((ids[~_granular(oracle, shown)] != -1).sum()), 0, 0
    for index, body in enumerate(oracle.spec.bodies):
        if not isinstance(body, BodyGranular):
            continue
        count, corners = _vertex_grains(oracle, index)
        both = (shown == FIRST_BODY + index) & (view.instance == FIRST_BODY + index)
        rows = view.triangle[both] - oracle.first_triangle[FIRST_BODY + index]
        wrong += int((ids[both] != first + corners[rows]).sum())
        total += int(both.sum())
        first += count
    return wrong, max(total, 1)


def compare_grains(oracle: Oracle, arrays: Arrays) -> dict[str, float]:
    """Return how far recorded centres are from where the vertices of their grains say they are.

    `particle_error_m`: largest difference of a grain's way since the first frame to that of its first vertex.
    `particle_size_error`: largest distance of a vertex from its grain's recorded centre over the grain's
    radius, less 1.
    """
    position = arrays["particles/position"].astype(np.float64)
    instance = arrays["particles/instance"].astype(np.int64)
    way, size = 0.0, 0.0
    for index, body in enumerate(oracle.spec.bodies):
        if not isinstance(body, BodyGranular):
            continue
        count, _ = _vertex_grains(oracle, index)
        centers = position[:, instance == FIRST_BODY + index]
        if centers.shape[1] != count:
            return {"particle_error_m": np.inf, "particle_size_error": np.inf}
        vertices = oracle.motion.vertices[index].reshape(len(centers), count, -1, 3)
        moved = (vertices[:, :, 0] - vertices[0, :, 0]) - (centers - centers[0])
        way = max(way, float(np.abs(moved).max()))
        reach = np.linalg.norm(vertices - centers[:, :, None], axis=-1).max() / body.grain_radius
        size = max(size, float(reach) - 1.0)
    return {"particle_error_m": way, "particle_size_error": size}


def _granular(oracle: Oracle, shown: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    grains = [FIRST_BODY + k for k, body in enumerate(oracle.spec.bodies) if isinstance(body, BodyGranular)]
    return np.isin(shown, grains)


def _vertex_grains(oracle: Oracle, index: int) -> tuple[int, npt.NDArray[np.int64]]:
    """Return how many grains a body has, and the grain of each of its triangles: vertices that share triangles."""
    mesh = next(surface.mesh for surface in oracle.surfaces if surface.body == index)
    label = np.arange(len(mesh.vertices))
    while True:  # the lowest label spreads over each grain
        lowest = label[mesh.triangles].min(axis=1)
        spread = label.copy()
        np.minimum.at(spread, mesh.triangles.ravel(), np.repeat(lowest, 3))
        if np.array_equal(spread, label):
            break
        label = spread
    roots, grain = np.unique(label, return_inverse=True)
    return len(roots), grain[mesh.triangles[:, 0]]


def _next_grain(arrays: Arrays) -> dict[str, Array]:
    """Number grains from 1 instead of 0."""
    ids = arrays["particle"].astype(np.int32)
    return {**arrays, "particle": np.where(ids >= 0, ids + 1, ids).astype(np.int32)}


def _late_grains(arrays: Arrays) -> dict[str, Array]:
    """Deliver the places of grains one frame late."""
    late = arrays["particles/position"]
    return {**arrays, "particles/position": np.concatenate([late[:1], late[:-1]])}


def _shuffled_grains(arrays: Arrays) -> dict[str, Array]:
    """Deliver the places of grains in another order at every frame."""
    places = np.array(arrays["particles/position"])
    places[1::2] = places[1::2, ::-1]
    return {**arrays, "particles/position": places}


PLANTED_GRAINS: Mapping[str, Callable[[Arrays], dict[str, Array]]] = {
    "next_grain": _next_grain,
    "late_grains": _late_grains,
    "shuffled_grains": _shuffled_grains,
}
