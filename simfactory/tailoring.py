"""Meshes of cloth: patterns cut into nearly equilateral triangles, and which nodes are held."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from simfactory.spec import BodyCloth, Cape, Disc, Pattern, Rectangle, Skirt, Tunic

__all__ = ["Cut", "cut", "held_nodes", "zipped"]

Points = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

ROW = 0.5 * 3.0**0.5  # height of an equilateral triangle over its side
CAPE = 1.5 * np.pi  # [rad] that a cape reaches around
PUFF = 0.12  # of the chest: how far front and back of a tunic stand apart


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut:
    """A pattern cut into triangles.

    Attributes:
        vertices: `(vertex, 3)` local frame [m].
        triangles: `(triangle, 3)`; they face +z where flat, outwards in garments.
        rim: Vertices of the waist, neck or hole.
        edge: Length of an edge, about [m].
    """

    vertices: Points
    triangles: npt.NDArray[np.int32]
    rim: Index
    edge: float


@lru_cache(maxsize=128)
def cut(pattern: Pattern, resolution: int) -> Cut:
    """Return a pattern as triangles.

    Args:
        pattern: What it is cut to.
        resolution: Edges along its longest extent.
    """
    match pattern:
        case Rectangle(size=(width, depth)):
            return _rectangle(width, depth, max(width, depth) / resolution)
        case Disc(radius=radius, hole=hole):
            return _disc(radius, hole, 2.0 * radius / resolution)
        case Skirt(waist=waist, hem=hem, length=length):
            return _tube(waist, hem, length, max(2.0 * hem, length) / resolution, span=2.0 * np.pi)
        case Cape(neck=neck, hem=hem, length=length):
            return _tube(neck, hem, length, max(2.0 * hem, length) / resolution, span=CAPE)
        case Tunic(width=width, length=length, sleeve=sleeve):
            return _tunic(width, length, sleeve, max(width + 2.0 * sleeve, length) / resolution)


def held_nodes(body: BodyCloth) -> npt.NDArray[np.bool_]:
    """Return which vertices `(vertex,)` of a cloth do not move."""
    made = cut(body.geometry, body.resolution)
    fixed = np.zeros(len(made.vertices), np.bool_)
    low, high = made.vertices.min(axis=0), made.vertices.max(axis=0)
    for hold in body.held:
        if hold == "rim":
            fixed[made.rim] = True
            continue
        near = np.ones(len(fixed), np.bool_)
        for sign, axis in zip(hold[::2], hold[1::2], strict=True):
            column = "xyz".index(axis)
            bound = low[column] if sign == "-" else high[column]
            depth = 0.6 if len(hold) > 2 else 1.05 if body.clamped else 0.0
            near &= np.abs(made.vertices[:, column] - bound) < 1e-9 + depth * made.edge
        fixed |= near
    return fixed


def _rectangle(width: float, depth: float, edge: float) -> Cut:
    """Rows along x, every second one shifted by half an edge."""
    columns, rows = max(1, round(width / edge)), max(1, round(depth / (ROW * edge)))
    step = width / columns
    vertices: list[Points] = []
    chains: list[Index] = []
    count = 0
    for row in range(rows + 1):
        inner = -width / 2 + step * (np.arange(columns) + 0.5)
        whole = -width / 2 + step * np.arange(columns + 1)
        x = whole if row % 2 == 0 else np.concatenate([[-width / 2], inner, [width / 2]])
        vertices.append(np.stack([x, np.full(len(x), -depth / 2 + depth * row / rows), np.zeros(len(x))], axis=-1))
        chains.append(count + np.arange(len(x)))
        count += len(x)
    points = np.concatenate(vertices)
    triangles = zipped(chains, [points[chain, 0] for chain in chains])
    return Cut(vertices=points, triangles=triangles, rim=np.zeros(0, np.int64), edge=step)


def _disc(radius: float, hole: float, edge: float) -> Cut:
    """Rings about the centre, each of as many vertices as it needs."""
    rings = max(2, round((radius - hole) / (ROW * edge)))
    vertices: list[Points] = []
    chains: list[Index] = []
    where: list[Points] = []
    count = 0
    for ring in range(rings + 1):
        r = hole + (radius - hole) * ring / rings
        number = 1 if r == 0.0 else max(6, round(2.0 * np.pi * r / edge))
        angle = (np.arange(number) + 0.5 * (ring % 2)) * (2.0 * np.pi / number)
        vertices.append(np.stack([r * np.cos(angle), r * np.sin(angle), np.zeros(number)], axis=-1))
        closed = np.arange(number + 1) % number if number > 1 else np.zeros(1, np.int64)
        chains.append(count + closed)
        where.append(np.append(angle, angle[0] + 2.0 * np.pi) if number > 1 else np.array([np.pi]))
        count += number
    triangles = zipped(chains, where)[:, ::-1]
    rim = chains[0][:-1] if hole > 0.0 else np.zeros(0, np.int64)
    return Cut(vertices=np.concatenate(vertices), triangles=triangles.astype(np.int32), rim=rim, edge=edge)


def _tube(top: float, bottom: float, length: float, edge: float, *, span: float) -> Cut:
    """Rings from the hem up about z, each of as many vertices as it needs; open where the span is no full turn."""
    rows = max(2, round(float(np.hypot(bottom - top, length)) / (ROW * edge)))
    full = span > 2.0 * np.pi - 1e-6
    vertices: list[Points] = []
    chains: list[Index] = []
    where: list[Points] = []
    count = 0
    for row in range(rows + 1):
        share = row / rows
        radius, height = bottom + share * (top - bottom), length * (share - 0.5)
        number = max(6, round(span * radius / edge))
        place = np.arange(number + (not full)) * (span / number)
        if full:
            place += 0.5 * (row % 2) * span / number
        angle = 0.5 * (2.0 * np.pi - span) + place
        ring = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.full(len(place), height)], axis=-1)
        vertices.append(ring)
        chains.append(count + np.arange(number + 1) % len(place))
        where.append(np.asarray(np.append(place, place[0] + span) if full else place, np.float64))
        count += len(place)
    rim = np.unique(chains[-1])
    return Cut(vertices=np.concatenate(vertices), triangles=zipped(chains, where), rim=rim, edge=edge)


def zipped(chains: Sequence[Index], where: Sequence[Points]) -> npt.NDArray[np.int32]:
    """Return the triangles between neighbouring chains of vertices, each given with its places along them.

    Of two triangles that could come next, the one whose new edge crosses over the shorter way is taken.
    """
    triangles: list[tuple[int, int, int]] = []
    for k in range(len(chains) - 1):
        low, high = chains[k].tolist(), chains[k + 1].tolist()
        at, over = where[k].tolist(), where[k + 1].tolist()
        i = j = 0
        while i + 1 < len(low) or j + 1 < len(high):
            forth = abs(at[i + 1] - over[j]) if i + 1 < len(low) else np.inf
            if forth <= (abs(over[j + 1] - at[i]) if j + 1 < len(high) else np.inf):
                triangles.append((low[i], low[i + 1], high[j]))
                i += 1
            else:
                triangles.append((low[i], high[j + 1], high[j]))
                j += 1
    return np.array(triangles, np.int32)


def _tunic(width: float, length: float, sleeve: float, edge: float) -> Cut:
    """Front and back are T-shaped grids whose seams share their vertices; they are puffed up away from the seams."""
    half, out = max(2, round(0.5 * width / edge)), max(2, round(sleeve / edge))
    tall = max(4, round(length / edge))
    deep, neck = max(2, tall // 3), max(1, half // 2)  # height of a sleeve and half the neck, in edges
    column, row = np.meshgrid(np.arange(-half - out, half + out + 1), np.arange(tall + 1), indexing="ij")
    inside = (np.abs(column) <= half) | (row >= tall - deep)
    opening = (np.abs(column) == half + out) & (row > tall - deep) & (row < tall)
    opening |= (row == 0) & (np.abs(column) < half) | (row == tall) & (np.abs(column) < neck)
    shoulder = (row == tall) & (np.abs(column) >= neck)
    seam = shoulder | ((np.abs(column) == half) & (row <= tall - deep))
    seam |= (row == tall - deep) & (np.abs(column) >= half)
    seam &= inside & ~opening
    scale = np.where(np.abs(column) <= half, column * (0.5 * width / half),
                     np.sign(column) * (0.5 * width + (np.abs(column) - half) * (sleeve / out)))  # fmt: skip
    x, z = scale, (row / tall - 0.5) * length
    seams = np.stack([x[seam], z[seam]], axis=-1)
    away = np.linalg.norm(np.stack([x, z], axis=-1)[:, :, None] - seams, axis=-1).min(axis=-1)
    puff = PUFF * width * np.sqrt(np.minimum(away / (0.25 * width), 1.0))
    front = np.where(inside, np.cumsum(inside).reshape(inside.shape) - 1, -1)
    own = inside & ~seam
    back = np.where(own, inside.sum() + np.cumsum(own).reshape(own.shape) - 1, front)
    vertices = np.concatenate(
        [
            np.stack([x[inside], -puff[inside], z[inside]], axis=-1),
            np.stack([x[own], puff[own], z[own]], axis=-1),
        ]
    )
    cell = inside[:-1, :-1] & inside[1:, :-1] & inside[1:, 1:] & inside[:-1, 1:]
    cell &= (np.abs(column[:-1, :-1] + 0.5) < half) | (row[:-1, :-1] >= tall - deep)
    even = (column[:-1, :-1] + row[:-1, :-1]) % 2 == 0
    triangles = []
    for panel, flip in ((front, False), (back, True)):
        a, b, c, d = panel[:-1, :-1], panel[1:, :-1], panel[1:, 1:], panel[:-1, 1:]
        for chosen, quads in ((even, (a, b, c, a, c, d)), (~even, (a, b, d, b, c, d))):
            faces = np.stack([part[cell & chosen] for part in quads], axis=-1).reshape(-1, 3)
            triangles.append(faces[:, ::-1] if flip else faces)
    rim = np.unique(np.concatenate([panel[(row == tall) & (np.abs(column) <= neck)] for panel in (front, back)]))
    return Cut(vertices=vertices, triangles=np.concatenate(triangles).astype(np.int32), rim=rim, edge=edge)
