"""Convex polygons in the plane."""

import numpy as np
import numpy.typing as npt

__all__ = ["convex_hull", "polygon_area"]

Points = npt.NDArray[np.float64]

STRAIGHT = 1e-6  # sine of a turn that is none


def convex_hull(points: Points) -> Points:
    """Return the corners `(corner, 2)` of the convex hull of points `(point, 2)`, counter-clockwise.

    Points along an edge are no corners.

    Source: A. Andrew, "Another efficient algorithm for convex hulls in two dimensions", IPL 9 (1979).
    """
    ordered = sorted(map(tuple, points.tolist()))
    chains = []
    for sequence in (ordered, ordered[::-1]):
        chain: list[tuple[float, ...]] = []
        for point in sequence:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0.0:
                chain.pop()
            chain.append(point)
        chains.append(chain[:-1])
    corners = np.array(chains[0] + chains[1])
    into, out = corners - np.roll(corners, 1, axis=0), np.roll(corners, -1, axis=0) - corners
    turn = into[:, 0] * out[:, 1] - into[:, 1] * out[:, 0]
    bent = turn > STRAIGHT * np.linalg.norm(into, axis=1) * np.linalg.norm(out, axis=1)
    return np.asarray(corners[bent])


def polygon_area(corners: Points) -> float:
    """Return the area of a polygon `(corner, 2)`, positive if its corners run counter-clockwise."""
    x, y = corners.T
    return 0.5 * float(x @ np.roll(y, -1) - y @ np.roll(x, -1))


def _turn(a: tuple[float, ...], b: tuple[float, ...], c: tuple[float, ...]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
