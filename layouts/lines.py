"""Lines along which ropes are laid."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from layouts.stage import moved
from simfactory.rng import Stream
from simfactory.spec import BodyRope, BodySolid, Cord

__all__ = ["LINES", "as_rope", "cut", "laid", "over_edge", "sagging"]

Vector = npt.NDArray[np.float64]
Line = Callable[[float, float, Stream], Vector]

POINTS = 32  # of a laid rope
FINE = 400  # of a line before it is cut
UP = np.array([0.0, 0.0, 1.0])


def as_rope(body: BodySolid) -> BodyRope:
    """Return a body that must be a rope.

    Raises:
        TypeError: It is none; a base scene names the wrong role.
    """
    if not isinstance(body, BodyRope):
        raise TypeError(f"body {body.name!r} is of kind {body.kind if hasattr(body, 'kind') else '?'}: name a rope")
    return body


def laid(rope: BodyRope, line: Vector, **changes: object) -> BodyRope:
    """Return a rope along a line, its origin in the middle of that.

    Args:
        rope: The rope.
        line: `(point, 3)` world frame [m], as long as the rope.
        changes: Further fields of the rope.
    """
    middle = line.mean(axis=0)
    points = tuple(tuple(round(float(x), 6) for x in point) for point in line - middle)
    cord = Cord(radius=rope.geometry.radius, points=points)  # type: ignore[arg-type]  # of three numbers each
    return as_rope(moved(rope, geometry=cord, position=middle, orientation=np.array([0.0, 0.0, 0.0, 1.0]), **changes))


def cut(line: Vector, length: float, *, points: int = POINTS) -> Vector:
    """Return the first part `(point, 3)` of a line, of a length [m], evenly spaced."""
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=-1))])
    even = np.linspace(0.0, min(length, float(way[-1])), points)
    return np.stack([np.interp(even, way, line[:, axis]) for axis in range(3)], axis=-1)


def sagging(start: Vector, end: Vector, length: float, *, aside: Vector) -> Vector:
    """Return a parabola `(point, 3)` of a length [m] between two points that bulges towards a unit direction."""
    share = np.linspace(0.0, 1.0, FINE)[:, None]
    low, high = 0.0, length
    line = start + share * (end - start)
    for _ in range(60):
        bulge = 0.5 * (low + high)
        line = start + share * (end - start) + 4.0 * bulge * share * (1.0 - share) * aside
        if float(np.linalg.norm(np.diff(line, axis=0), axis=-1).sum()) < length:
            low = bulge
        else:
            high = bulge
    return cut(line, length)


def over_edge(length: float, radius: float, hanging: float, *, height: float, out: Vector) -> Vector:
    """Return a line that lies on a level top and hangs over its edge, which is above the origin.

    Args:
        length: Of the rope [m].
        radius: Of the rope [m].
        hanging: Share of the length beyond the edge [1].
        height: Of the top [m].
        out: Level unit direction `(3,)` out over the edge.
    """
    turn = 3.0 * radius
    apart = turn - (turn - radius) / math.sqrt(2.0) + 0.1 * radius  # so that the bend clears the edge
    angles = np.linspace(0.0, 0.5 * math.pi, 24)
    bend = [(apart - turn + turn * math.sin(a), height + apart - turn + turn * math.cos(a)) for a in angles]
    flat = [(-(1.0 - hanging) * length, height + apart)]
    down = [(apart, height + apart - turn - length)]
    return cut(np.array([x * out + z * UP for x, z in (*flat, *bend, *down)]), length, points=64)


def _straight(length: float, radius: float, draw: Stream) -> Vector:
    share = np.linspace(-0.5, 0.5, FINE)[:, None]
    return np.asarray(share * length * np.array([1.0, 0.0, 0.0]))


def _upright(length: float, radius: float, draw: Stream) -> Vector:
    """Nearly straight up, a little curved so that it falls aside."""
    share = np.linspace(-0.5, 0.5, FINE)
    lean = draw.uniform(0.03, 0.1) * length
    return np.stack(
        [lean * np.cos(math.pi * share), 0.3 * lean * np.sin(2.0 * math.pi * share), share * length], axis=-1
    )


def _wavy(length: float, radius: float, draw: Stream) -> Vector:
    share = np.linspace(0.0, 1.0, FINE)
    waves, height = draw.uniform(1.0, 2.2), draw.uniform(0.06, 0.14) * length
    y = height * np.sin(2.0 * math.pi * waves * share)
    return np.stack([share * length, y, 0.3 * height * np.cos(2.0 * math.pi * share)], axis=-1)


def _coiled(length: float, radius: float, draw: Stream) -> Vector:
    """A flat coil from the inside out."""
    inner, pitch = draw.uniform(4.0, 6.0) * radius, 3.2 * radius
    turns = np.linspace(0.0, length / (math.pi * inner), 4 * FINE)
    reach = inner + pitch * turns
    angle = 2.0 * math.pi * turns
    return np.stack([reach * np.cos(angle), reach * np.sin(angle), 0.0 * angle], axis=-1)


def _helix(length: float, radius: float, draw: Stream) -> Vector:
    """A standing helix, as a rope that was wound up."""
    wide, pitch = draw.uniform(5.0, 8.0) * radius, draw.uniform(3.5, 6.0) * radius
    angle = np.linspace(0.0, length / wide, 4 * FINE)
    return np.stack([wide * np.cos(angle), wide * np.sin(angle), pitch * angle / (2.0 * math.pi)], axis=-1)


LINES: dict[str, Line] = {
    "straight": _straight,
    "upright": _upright,
    "wavy": _wavy,
    "coiled": _coiled,
    "helix": _helix,
}
