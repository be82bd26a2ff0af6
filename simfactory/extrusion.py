"""Tetrahedra of upright solids: cylinders and prisms, tapered or not, whose sharp rims a lattice would round off."""

import itertools

import numpy as np
import numpy.typing as npt

from simfactory.polygons import convex_hull, polygon_area

__all__ = ["extruded_tetrahedra"]

Points = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]

CORNERS_MAX = 12  # cross-sections with more count as round
ROUND_SECTORS = 6
TAPER_MIN = 0.3  # ratio of the smaller to the larger end
EXACT = 1e-6


def extruded_tetrahedra(vertices: Points, *, volume: float, cell: float) -> tuple[Points, Indices] | None:
    """Return nodes `(node, 3)` [m] and tets `(tet, 4)` of an upright solid, or None for any other.

    A solid is upright if it lies between two convex, similar and parallel ends, across a coordinate axis, and fills
    their hull. Its cross-section is cut into sectors about the middle, these into triangles; layers of those become
    prisms of three tetrahedra. Rims and edges are edges of the mesh.

    Args:
        vertices: `(vertex, 3)` of its surface [m].
        volume: That it encloses [m³].
        cell: Wanted edge length [m].
    """
    for axis in (2, 0, 1):
        ends = _ends(np.roll(vertices, 2 - axis, axis=1), volume)
        if ends is not None:
            nodes, tets = _fill(*ends, cell=cell)
            return np.roll(nodes, axis - 2, axis=1), tets
    return None


def _ends(points: Points, volume: float) -> tuple[Points, Points] | None:
    """Return the corners `(corner, 3)` of lower and upper end, which correspond, if the solid stands along z."""
    low, high = points[:, 2].min(), points[:, 2].max()
    size = float(np.ptp(points, axis=0).max())
    ends = [points[np.abs(points[:, 2] - z) < EXACT * size] for z in (low, high)]
    if min(len(end) for end in ends) < 3:
        return None
    lower, upper = (convex_hull(end[:, :2]) for end in ends)
    if len(lower) != len(upper):
        return None
    extents = [np.ptp(corners, axis=0) for corners in (lower, upper)]
    ratio = float(extents[1][0] / extents[0][0])
    similar = (lower - lower.mean(axis=0)) * ratio + upper.mean(axis=0)
    first = int(np.argmin(np.linalg.norm(upper - similar[0], axis=1)))
    upper = np.roll(upper, -first, axis=0)
    if np.abs(upper - similar).max() > EXACT * size or not TAPER_MIN < ratio < 1.0 / TAPER_MIN:
        return None
    if abs(polygon_area(lower) * (1.0 + ratio + ratio * ratio) / 3.0 * (high - low) / volume - 1.0) > EXACT:
        return None
    return np.insert(lower, 2, low, axis=1), np.insert(upper, 2, high, axis=1)


def _fill(lower: Points, upper: Points, *, cell: float) -> tuple[Points, Indices]:
    """Return nodes and tets between two ends."""
    middle = lower.mean(axis=0)
    reach = max(np.linalg.norm(corners - corners.mean(axis=0), axis=1).max() for corners in (lower, upper))
    rings = max(1, int(np.rint(reach / cell)))
    round_end = len(lower) > CORNERS_MAX
    sectors = ROUND_SECTORS if round_end else len(lower)
    plane, triangles = _sectors(sectors, rings)
    if round_end:
        weights = _round_places(lower[:, :2] - middle[:2], plane, sectors)
    else:
        weights = _corner_places(lower[:, :2] - middle[:2], plane, sectors)
    layers = max(1, int(np.rint((upper[0, 2] - lower[0, 2]) / cell)))
    shares = np.linspace(0.0, 1.0, layers + 1)
    ratio = float(np.ptp(upper[:, 0]) / np.ptp(lower[:, 0]))
    centers = middle + shares[:, None] * (upper.mean(axis=0) - middle)
    nodes = centers[:, None] + np.insert(weights, 2, 0.0, axis=1) * (1.0 + shares * (ratio - 1.0))[:, None, None]
    count = len(plane)
    a, b, c = np.sort(triangles, axis=1).T  # diagonals of sides run from lower to higher numbers: neighbours agree
    prism = np.concatenate(
        [
            np.stack(corners, axis=-1)
            for corners in (
                (a, b, c, c + count),
                (a, b, b + count, c + count),
                (a, a + count, b + count, c + count),
            )
        ]
    )
    tets = (prism + count * np.arange(layers)[:, None, None]).reshape(-1, 4)
    return nodes.reshape(-1, 3), tets.astype(np.int32)


def _sectors(sectors: int, rings: int) -> tuple[Indices, Indices]:
    """Return places `(node, 2)` and triangles `(triangle, 3)` of a disc in rings; a place is (ring, number in it)."""
    places = [(0, 0), *((ring, k) for ring in range(1, rings + 1) for k in range(sectors * ring))]
    index = {place: number for number, place in enumerate(places)}

    def at(ring: int, number: int) -> int:
        return index[ring, number % (sectors * ring) if ring else 0]

    triangles = []
    for ring, sector in itertools.product(range(1, rings + 1), range(sectors)):
        outer, inner = sector * ring, sector * (ring - 1)
        for k in range(ring):
            triangles.append((at(ring - 1, inner + k), at(ring, outer + k), at(ring, outer + k + 1)))
            if k:
                triangles.append((at(ring - 1, inner + k - 1), at(ring, outer + k), at(ring - 1, inner + k)))
    return np.array(places, np.int32), np.array(triangles, np.int32)


def _corner_places(corners: Points, plane: Indices, sectors: int) -> Points:
    """Return where places are in a polygon `(corner, 2)` about the origin: a sector reaches from corner to corner."""
    ring, number = plane.T
    sector, along = np.divmod(number, np.maximum(ring, 1))
    share = (along / np.maximum(ring, 1))[:, None]
    edge = (1.0 - share) * corners[sector] + share * corners[(sector + 1) % sectors]
    return np.asarray(edge * (ring / ring.max())[:, None])


def _round_places(corners: Points, plane: Indices, sectors: int) -> Points:
    """Return where places are in a round polygon `(corner, 2)` about the origin: rings in even steps around it.

    They are widened so that the chords of the outer ring enclose the polygon's area.
    """
    ring, number = plane.T
    count = len(corners)
    step = number / np.maximum(ring * sectors, 1) * count
    whole = np.floor(step).astype(int)
    share = (step - whole)[:, None]
    edge = (1.0 - share) * corners[whole % count] + share * corners[(whole + 1) % count]
    outer = edge[ring == ring.max()]
    widened = np.sqrt(polygon_area(corners) / polygon_area(outer))
    return np.asarray(edge * (widened * ring / ring.max())[:, None])
