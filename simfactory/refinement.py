"""Finer triangles for surfaces that bend: long edges are halved until none is longer than a limit."""

import numpy as np
import numpy.typing as npt

from simfactory.errors import AssetError

__all__ = ["refined"]

Points = npt.NDArray[np.float64]
Triangles = npt.NDArray[np.int32]

VERTEX_LIMIT = 200_000
ROUNDS = 12  # each halves the longest edge


def refined(
    vertices: Points, triangles: Triangles, *, longest: float, corners: Points
) -> tuple[Points, Triangles, Points]:
    """Return vertices `(vertex, 3)`, triangles `(triangle, 3)` and corners' values, without edges longer than a limit.

    An edge is halved for both of its triangles, so that the surface stays closed. The first vertices are the given
    ones; no point of the surface moves.

    Args:
        vertices: `(vertex, 3)` [m].
        triangles: `(triangle, 3)`.
        longest: Longest edge allowed [m].
        corners: `(triangle, 3, value)` any values of each triangle's corners, interpolated along halved edges.

    Raises:
        AssetError: The surface would need more than 200,000 vertices.
    """
    for _ in range(ROUNDS):
        edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        unique, edge_of_side = np.unique(edges, axis=0, return_inverse=True)
        length = np.linalg.norm(vertices[unique[:, 0]] - vertices[unique[:, 1]], axis=1)
        halved = length > longest * (1.0 + 1e-9)
        if not halved.any():
            break
        middle = np.full(len(unique), -1, np.int32)
        middle[halved] = len(vertices) + np.arange(int(halved.sum()))
        triangles, corners = _split(triangles, middle[edge_of_side.reshape(-1, 3)], corners)
        vertices = np.concatenate([vertices, vertices[unique[halved]].mean(axis=1)])
        if len(vertices) > VERTEX_LIMIT:
            raise AssetError(
                f"a surface with edges of at most {longest:.3g} m needs more than {VERTEX_LIMIT} vertices: "
                "lower the body's resolution or use a mesh with fewer triangles"
            )
    return vertices, triangles, corners


def _split(triangles: Triangles, middle: Triangles, values: Points) -> tuple[Triangles, Points]:
    """Cut triangles at the middles `(triangle, 3)` of sides 01, 12, 20; -1 where a side stays whole.

    The corners' values `(triangle, 3, value)` are cut with them.
    """
    count = (middle >= 0).sum(axis=1)
    pieces, parts = [triangles[count == 0]], [values[count == 0]]
    # Turn each triangle so that its halved sides come first: one → side 0; two → sides 0 and 1.
    first = np.where(count == 1, np.argmax(middle >= 0, axis=1), (np.argmin(middle >= 0, axis=1) + 1) % 3)
    turn = (first[:, None] + np.arange(3)) % 3
    # Six points of each triangle: its corners a, b, c, then the middles of ab, bc, ca.
    index = np.concatenate([np.take_along_axis(triangles, turn, 1), np.take_along_axis(middle, turn, 1)], axis=1)
    turned = np.take_along_axis(values, turn[:, :, None], 1)
    value = np.concatenate([turned, 0.5 * (turned + np.roll(turned, -1, axis=1))], axis=1)
    for wanted, cut in (
        (1, ((0, 3, 2), (3, 1, 2))),
        (2, ((3, 1, 4), (0, 3, 4), (0, 4, 2))),
        (3, ((0, 3, 5), (3, 1, 4), (5, 4, 2), (3, 4, 5))),
    ):
        chosen = count == wanted
        pieces += [index[chosen][:, points] for points in cut]
        parts += [value[chosen][:, points] for points in cut]
    return np.concatenate(pieces).astype(np.int32), np.concatenate(parts)
