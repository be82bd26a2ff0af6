"""Meshes of inflatables: closed shells of nearly even triangles."""

from functools import lru_cache
from typing import assert_never

import numpy as np
import numpy.typing as npt

from simfactory.spec import Box, Capsule, Shell, Sphere, Torus
from simfactory.tailoring import Cut, zipped

__all__ = ["enclosed_volume", "shell", "shell_area"]

Points = npt.NDArray[np.float64]
Triangles = npt.NDArray[np.int32]

ROW = 0.5 * 3.0**0.5  # height of an equilateral triangle over its side


@lru_cache(maxsize=128)
def shell(geometry: Shell, factors: tuple[float, float, float], resolution: int) -> Cut:
    """Return an inflatable's surface at t = 0; its triangles face outwards.

    Args:
        geometry: Its shape.
        factors: Scale × aspect along local x, y, z [1].
        resolution: Edges along the longest extent.
    """
    stretch = np.asarray(factors)
    match geometry:
        case Box(size=size):
            sides = np.asarray(size) * stretch
            edge = float(sides.max()) / resolution
            return _cut(*_box(sides, edge), edge)
        case Sphere(radius=radius):
            edge = 2.0 * radius / resolution
            vertices, triangles = _revolved(_arc(radius, 0.0, edge), edge)
        case Capsule(radius=radius, height=height):
            edge = (2.0 * radius + height) / resolution
            vertices, triangles = _revolved(_arc(radius, height, edge), edge)
        case Torus(radius=radius, tube=tube):
            edge = 2.0 * (radius + tube) / resolution
            vertices, triangles = _torus(radius, tube, edge)
        case _:
            assert_never(geometry)
    return _cut(vertices * stretch, triangles, edge * float(stretch.max()))


def _cut(vertices: Points, triangles: Triangles, edge: float) -> Cut:
    return Cut(vertices=vertices, triangles=triangles, rim=np.zeros(0, np.int64), edge=edge)


def enclosed_volume(vertices: npt.NDArray[np.floating], triangles: Triangles) -> Points:
    """Return the volume [m³] inside closed surfaces `(..., vertex, 3)` of the same triangles."""
    a, b, c = (vertices[..., triangles[:, k], :].astype(np.float64) for k in range(3))
    start = a[..., :1, :]
    return np.asarray(np.einsum("...ij,...ij->...", a - start, np.cross(b - start, c - start)) / 6.0)


def shell_area(vertices: npt.NDArray[np.floating], triangles: Triangles) -> Points:
    """Return the area [m²] of surfaces `(..., vertex, 3)` of the same triangles."""
    a, b, c = (vertices[..., triangles[:, k], :].astype(np.float64) for k in range(3))
    return np.asarray(0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=-1).sum(axis=-1))


def _arc(radius: float, height: float, edge: float) -> Points:
    """Return (distance from the axis, height) `(row, 2)` from the lower to the upper pole of a capsule or a ball."""
    turns = max(2, round(0.5 * np.pi * radius / (ROW * edge)))
    rows = max(1, round(height / (ROW * edge))) if height > 0.0 else 0
    angle = np.linspace(-0.5 * np.pi, 0.0, turns + 1)
    low = np.stack([radius * np.cos(angle), radius * np.sin(angle) - 0.5 * height], axis=-1)
    high = low[::-1] * np.array([1.0, -1.0])
    middle = np.stack([np.full(rows + 1, radius), np.linspace(-0.5, 0.5, rows + 1) * height], axis=-1)
    return np.concatenate([low[:-1], middle, high[1:]])


def _revolved(profile: Points, edge: float) -> tuple[Points, Triangles]:
    """Turn a profile that begins and ends on the axis about z: rings of as many vertices as each needs."""
    vertices: list[Points] = []
    chains: list[npt.NDArray[np.int64]] = []
    where: list[Points] = []
    count = 0
    for row, (radius, height) in enumerate(profile):
        pole = row in {0, len(profile) - 1}
        number = 1 if pole else max(5, round(2.0 * np.pi * radius / edge))
        angle = (np.arange(number) + 0.5 * (row % 2)) * (2.0 * np.pi / number)
        reach = 0.0 if pole else radius
        vertices.append(np.stack([reach * np.cos(angle), reach * np.sin(angle), np.full(number, height)], axis=-1))
        chains.append(count + (np.zeros(1, np.int64) if pole else np.arange(number + 1) % number))
        where.append(np.array([np.pi]) if pole else np.append(angle, angle[0] + 2.0 * np.pi))
        count += number
    return np.concatenate(vertices), zipped(chains, where)


def _torus(radius: float, tube: float, edge: float) -> tuple[Points, Triangles]:
    around, across = max(8, round(2.0 * np.pi * radius / edge)), max(5, round(2.0 * np.pi * tube / (ROW * edge)))
    across += across % 2  # every second row is shifted by half an edge
    turn, roll = np.meshgrid(np.arange(around), np.arange(across), indexing="ij")
    phi, theta = (turn + 0.5 * (roll % 2)) * (2.0 * np.pi / around), roll * (2.0 * np.pi / across)
    out = radius + tube * np.cos(theta)
    vertices = np.stack([out * np.cos(phi), out * np.sin(phi), tube * np.sin(theta)], axis=-1)
    node = np.arange(around * across).reshape(around, across)
    ahead, above = np.roll(node, -1, axis=0), np.roll(node, -1, axis=1)
    both = np.roll(ahead, -1, axis=1)
    even = (np.arange(across) % 2 == 0)[None, :] & np.ones((around, 1), np.bool_)
    quads = [
        (even, node, ahead, above),
        (even, ahead, both, above),
        (~even, node, both, above),
        (~even, node, ahead, both),
    ]
    triangles = [np.stack([a[chosen], b[chosen], c[chosen]], axis=-1) for chosen, a, b, c in quads]
    return vertices.reshape(-1, 3), np.concatenate(triangles).astype(np.int32)


def _box(sides: Points, edge: float) -> tuple[Points, Triangles]:
    """Return grids on the six faces whose vertices are shared along the edges; diagonals alternate."""
    counts = np.maximum(1, np.round(sides / edge).astype(np.int64))
    index: dict[tuple[int, int, int], int] = {}
    triangles: list[tuple[int, int, int]] = []

    def vertex(place: npt.NDArray[np.int64]) -> int:
        x, y, z = (int(value) for value in place)
        return index.setdefault((x, y, z), len(index))

    for axis in range(3):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        for end in (0, int(counts[axis])):
            for i in range(int(counts[first])):
                for j in range(int(counts[second])):
                    corner = np.zeros(3, np.int64)
                    corner[[axis, first, second]] = end, i, j
                    along, over = np.zeros(3, np.int64), np.zeros(3, np.int64)
                    along[first], over[second] = 1, 1
                    a, b = vertex(corner), vertex(corner + along)
                    c, d = vertex(corner + along + over), vertex(corner + over)
                    pair = [(a, b, c), (a, c, d)] if (i + j) % 2 == 0 else [(a, b, d), (b, c, d)]
                    triangles += pair if end else [row[::-1] for row in pair]
    places = np.array(list(index), np.float64)
    return (places / counts - 0.5) * sides, np.array(triangles, np.int32)
