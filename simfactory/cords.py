"""Cords: the line through their middle, and the tube of triangles that it carries."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError
from simfactory.spec import BodyRope, Cord

__all__ = ["centre_line", "first_director", "tube_line", "tube_triangles", "tube_vertices"]

Array = npt.NDArray[np.float64]

SIDES = 12  # of a section
CAP = (np.pi / 3, np.pi / 6)  # latitudes of the rings on an end's half ball
SAMPLES = 24  # of the smooth line between two points, before it is cut evenly


@lru_cache(maxsize=256)
def centre_line(body: BodyRope) -> Array:
    """Return the nodes `(segment + 1, 3)` [m] of a rope's line at t = 0, local frame, evenly spaced along it.

    Raises:
        SpecError: The line turns more sharply than a cord of this thickness can, or the cord runs into itself.
    """
    cord = body.geometry
    smooth = _catenary(cord) if cord.slack > 0.0 else _spline(np.asarray(cord.points, np.float64))
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(smooth, axis=0), axis=-1))])
    even = np.linspace(0.0, lengths[-1], body.segment_count + 1)
    nodes = np.stack([np.interp(even, lengths, smooth[:, axis]) for axis in range(3)], axis=-1)
    _check_line(body.name, nodes, cord.radius)
    nodes.setflags(write=False)
    return nodes


def first_director(nodes: Array) -> Array:
    """Return a unit vector `(3,)` across the first segment of a line: where the first side of its tube begins."""
    along = nodes[1] - nodes[0]
    aside = np.eye(3)[int(np.argmin(np.abs(along)))]
    across = np.cross(along, aside)
    return np.asarray(across / np.linalg.norm(across))


def tube_vertices(nodes: Array, director: Array, radius: float) -> Array:
    """Return the vertices `(vertex, 3)` [m] of the tube about a line: a ring a node, and half balls at the ends.

    A ring lies in the plane that halves the angle at its node. From node to node its first side is turned by the
    smallest rotation that takes one tangent to the next, so that a cord without twist carries its surface along.

    Source: R. L. Bishop, "There is more than one way to frame a curve" (1975).

    Args:
        nodes: `(node, 3)` [m].
        director: `(3,)` from the first node to the first side there; its part along the line is left out.
        radius: [m].
    """
    way = np.diff(nodes, axis=0)
    unit = way / np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), 1e-12)
    tangents = np.concatenate([unit[:1], unit[:-1] + unit[1:], unit[-1:]])
    size = np.linalg.norm(tangents, axis=-1, keepdims=True)
    tangents = np.where(size > 1e-6, tangents / np.maximum(size, 1e-6), np.concatenate([unit[:1], unit]))
    first = director - (director @ tangents[0]) * tangents[0]
    across = np.empty_like(nodes)
    across[0] = first / np.linalg.norm(first)
    for index, turn in enumerate(_turns(tangents[:-1], tangents[1:])):
        across[index + 1] = turn @ across[index]
    other = np.cross(tangents, across)
    angles = np.arange(SIDES) * (2.0 * np.pi / SIDES)
    circles = np.cos(angles)[:, None] * across[:, None] + np.sin(angles)[:, None] * other[:, None]
    rings = nodes[:, None] + radius * circles
    ends = []
    for end, outward in ((0, -tangents[0]), (-1, tangents[-1])):
        latitudes = CAP if end == 0 else CAP[::-1]
        balls = [nodes[end] + radius * (np.sin(a) * outward + np.cos(a) * circles[end]) for a in latitudes]
        ends.append((np.concatenate(balls), nodes[end] + radius * outward))
    (head, head_pole), (tail, tail_pole) = ends
    return np.concatenate([head_pole[None], head, rings.reshape(-1, 3), tail, tail_pole[None]])


def tube_triangles(node_count: int) -> npt.NDArray[np.int32]:
    """Return the triangles `(triangle, 3)` of the tube about a line of so many nodes, outward faces."""
    ring_count = node_count + 2 * len(CAP)
    ring = 1 + np.arange(ring_count * SIDES).reshape(ring_count, SIDES)
    after = np.roll(ring, -1, axis=1)
    a, b, c, d = ring[:-1], after[:-1], after[1:], ring[1:]
    quads = np.stack([a, b, c, a, c, d], axis=-1).reshape(-1, 3)
    pole = ring[-1, -1] + 1
    head = np.stack([np.zeros_like(ring[0]), after[0], ring[0]], axis=-1)
    tail = np.stack([np.full_like(ring[0], pole), ring[-1], after[-1]], axis=-1)
    return np.concatenate([head, quads, tail]).astype(np.int32)


def tube_line(vertices: npt.NDArray[np.floating]) -> Array:
    """Return the nodes `(…, node, 3)` [m] whose tube has these vertices `(…, vertex, 3)`: the middles of its rings."""
    rings = vertices[..., 1 + len(CAP) * SIDES : -1 - len(CAP) * SIDES, :].astype(np.float64)
    return np.asarray(rings.reshape(*vertices.shape[:-2], -1, SIDES, 3).mean(axis=-2))


def _turns(source: Array, target: Array) -> Array:
    """Return the smallest rotations `(pair, 3, 3)` that take unit vectors to others."""
    axis = np.cross(source, target)
    cosine = np.einsum("pi,pi->p", source, target)
    cross = np.zeros((len(axis), 3, 3))
    for row, column, sign, part in ((0, 1, -1, 2), (0, 2, 1, 1), (1, 2, -1, 0)):
        cross[:, row, column], cross[:, column, row] = sign * axis[:, part], -sign * axis[:, part]
    spread = np.einsum("pi,pj->pij", axis, axis) / np.maximum(1.0 + cosine, 1e-6)[:, None, None]
    return np.asarray(cosine[:, None, None] * np.eye(3) + cross + spread)


def _spline(points: Array) -> Array:
    """Return a smooth line `(sample, 3)` through points: a Catmull-Rom spline, centripetal so that it does not loop.

    Source: P. J. Barry, R. N. Goldman, "A recursive evaluation algorithm for a class of Catmull-Rom splines" (1988).
    """
    if len(points) == 2:
        return points
    padded = np.concatenate([[2.0 * points[0] - points[1]], points, [2.0 * points[-1] - points[-2]]])
    knots = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(padded, axis=0), axis=-1) ** 0.5)])
    pieces = []
    for k in range(1, len(points)):
        t0, t1, t2, t3 = knots[k - 1 : k + 3]
        p0, p1, p2, p3 = padded[k - 1 : k + 3]
        t = np.linspace(t1, t2, SAMPLES, endpoint=False)[:, None]
        a1 = ((t1 - t) * p0 + (t - t0) * p1) / (t1 - t0)
        a2 = ((t2 - t) * p1 + (t - t1) * p2) / (t2 - t1)
        a3 = ((t3 - t) * p2 + (t - t2) * p3) / (t3 - t2)
        b1 = ((t2 - t) * a1 + (t - t0) * a2) / (t2 - t0)
        b2 = ((t3 - t) * a2 + (t - t1) * a3) / (t3 - t1)
        pieces.append(((t2 - t) * b1 + (t - t1) * b2) / (t2 - t1))
    return np.concatenate([*pieces, points[-1:]])


def _catenary(cord: Cord) -> Array:
    """Return the line `(sample, 3)` of a cord that hangs from its two points towards local -z.

    z = a cosh((s - c)/a) + const along the level way s; a solves √(L² - H²) = 2a sinh(D/2a) for the level distance D
    and the height H between the ends. That has one root; it is searched in x = D/2a by halving.

    Source: E. H. Lockwood, "A Book of Curves" (1961), ch. 13.
    """
    start, end = (np.asarray(point, np.float64) for point in cord.points)
    level, height = float(np.hypot(*(end - start)[:2])), float(end[2] - start[2])
    length = float(np.linalg.norm(end - start)) * (1.0 + cord.slack)
    wanted = float(np.sqrt(length**2 - height**2)) / level
    low, high = 1e-6, 50.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if np.sinh(middle) / middle < wanted else (low, middle)
    a = level / (2.0 * low)
    lowest = 0.5 * level - a * np.arctanh(height / length)
    place = np.linspace(0.0, level, 64 * SAMPLES)
    drop = a * (np.cosh((place - lowest) / a) - np.cosh(lowest / a))
    share = place / level
    return np.stack(
        [start[0] + share * (end - start)[0], start[1] + share * (end - start)[1], start[2] + drop], axis=-1
    )


def _check_line(name: str, nodes: Array, radius: float) -> None:
    """Refuse lines that a cord of this radius cannot follow."""
    way = np.diff(nodes, axis=0)
    length = np.linalg.norm(way, axis=-1)
    spacing = float(length.mean())
    bend = np.arccos(np.clip(np.einsum("si,si->s", way[:-1], way[1:]) / (length[:-1] * length[1:]), -1.0, 1.0))
    tightest = spacing / max(float(bend.max()), 1e-9)
    if tightest < radius:
        raise SpecError(
            f"rope {name!r} bends with a radius of {tightest:.3g} m, less than its own {radius:g} m: take corners "
            "out of its points, or thin it"
        )
    apart = int(np.ceil(np.pi * radius / spacing)) + 1
    if len(nodes) <= apart:
        return
    middles = np.concatenate([nodes, 0.5 * (nodes[:-1] + nodes[1:])])
    place = np.concatenate([np.arange(len(nodes)), np.arange(len(nodes) - 1) + 0.5])
    gap = np.linalg.norm(middles[:, None] - middles[None], axis=-1)
    gap[np.abs(place[:, None] - place[None]) < apart] = np.inf
    closest = float(gap.min())
    if closest < 2.0 * radius:
        raise SpecError(
            f"rope {name!r} runs into itself: its line comes as close as {closest:.3g} m to itself, allowed are two "
            f"radii, {2.0 * radius:.3g} m: spread its points, or thin it"
        )
