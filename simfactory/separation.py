"""Distance between two convex sets, given how far their difference reaches in a direction."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

__all__ = ["TOLERANCE", "Separation", "separation"]

Vector = npt.NDArray[np.float64]

TOLERANCE = 1e-7  # [m]; width of the interval around the true distance at which the search ends
STEPS = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Separation:
    """How far apart two convex sets A and B are.

    Attributes:
        distance: Certified lower bound of their distance [m]; 0 where they overlap.
        nearest: `(3,)` about the shortest vector from B to A [m].
    """

    distance: float
    nearest: Vector


def separation(support: Callable[[Vector], Vector], start: Vector, *, enough: float = np.inf) -> Separation:
    """Return the distance of two convex sets, within `TOLERANCE`, or a lower bound of at least `enough`.

    Args:
        support: Direction `(3,)` → the farthest point `(3,)` in it of the differences a − b, a in A, b in B [m].
        start: `(3,)` a first guess of the vector from B to A, e.g. between their centres [m].
        enough: Distance at which the search may stop [m].

    **Source**: E. Gilbert, D. Johnson, S. Keerthi, "A fast procedure for computing the distance between complex
    objects in three-dimensional space", IEEE J. Robotics and Automation 4 (1988). Each support point of the
    Minkowski difference in direction −v gives a separating plane, hence the lower bound v·w/|v|.
    """
    nearest, bound = start, 0.0
    corners: list[Vector] = []
    for _ in range(STEPS):
        length = float(np.sqrt(nearest @ nearest))
        if length <= TOLERANCE:
            return Separation(distance=0.0, nearest=nearest)
        corner = support(-nearest)
        bound = max(bound, float(nearest @ corner) / length)
        if bound >= enough or length - bound <= TOLERANCE:
            break
        begun = bool(corners)  # the start serves as a direction only
        closer, corners = _nearest_on_simplex([*corners, corner])
        if begun and closer @ closer >= nearest @ nearest:  # no progress left within rounding
            break
        nearest = closer
    return Separation(distance=bound, nearest=nearest)


def _nearest_on_simplex(corners: list[Vector]) -> tuple[Vector, list[Vector]]:
    """Return the point nearest to the origin of the hull of ≤ 4 corners, and the corners that carry it.

    The last corner is new, hence part of the answer: every subset with it is tried, the best one wins.
    """
    *old, new = corners
    best, carriers = new, [new]
    for count in range(1, len(old) + 1):
        for subset in combinations(old, count):
            edges = np.array([corner - new for corner in subset])
            gram = edges @ edges.T
            try:
                weights = np.linalg.solve(gram, -edges @ new)
            except np.linalg.LinAlgError:
                continue  # collinear or coplanar corners: a smaller subset holds the same point
            if weights.min() < 0.0 or weights.sum() > 1.0:
                continue
            point = new + weights @ edges
            if point @ point < best @ best:
                best, carriers = point, [*subset, new]
    return best, carriers
