"""Exact support functions of bodies: how far each one reaches in a direction."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from simfactory.collision import geometry_parts, may_split
from simfactory.cords import centre_line
from simfactory.meshes import body_mesh, geometry_mesh
from simfactory.spec import (
    BodyRigid,
    BodyRope,
    BodySheet,
    BodySolid,
    Box,
    Capsule,
    Cone,
    Cylinder,
    Geometry,
    RobotPart,
    Sphere,
)
from simfactory.transforms import quat_to_matrix

__all__ = ["Solid", "horizontal_faces", "lowest", "parts", "solid", "volume"]

Vector = npt.NDArray[np.float64]
Support = Callable[[Vector], Vector]


@dataclass(frozen=True, kw_only=True, slots=True)
class Solid:
    """A body's convex hull in the world frame at t = 0.

    Attributes:
        name: Name of the body.
        center: `(3,)` the body's origin [m]; always inside the hull.
        rotation: `(3, 3)` body-to-world.
        factors: `(3,)` scale × aspect [1].
        radius: Distance of the farthest point from the centre [m].
        local: Support function of the shape before the factors.
    """

    name: str
    center: Vector
    rotation: Vector
    factors: Vector
    radius: float
    local: Support

    def support(self, direction: Vector) -> Vector:
        """Return the world point `(3,)` [m] of the hull that lies farthest in a direction `(3,)`."""
        inner = (direction @ self.rotation) * self.factors
        return self.center + self.rotation @ (self.factors * self.local(inner))

    def reach(self, direction: Vector) -> float:
        """Return the largest coordinate of the hull along a unit direction `(3,)`, measured from the origin [m]."""
        return float(self.support(direction) @ direction)

    def extent(self, direction: Vector) -> float:
        """Return how far the hull reaches along a unit direction `(3,)`, measured from its centre [m]."""
        return float((self.support(direction) - self.center) @ direction)


def solid(body: BodySolid | BodySheet) -> Solid:
    """Return the convex hull of a body; curved primitives are exact, not their meshes."""
    factors = np.asarray(body.factors) if isinstance(body, BodySolid) else np.ones(3)
    if isinstance(body, BodyRope):
        local = _ball_support(centre_line(body), body.geometry.radius)
    else:
        local = _support(body.geometry) if isinstance(body, BodySolid) else _sheet_support(body)
    return Solid(
        name=body.name,
        center=np.asarray(body.position, np.float64),
        rotation=quat_to_matrix(body.orientation),
        factors=factors,
        radius=_radius(body),
        local=local,
    )


def parts(body: BodySolid | BodySheet) -> list[Solid]:
    """Return the convex parts of a body that is not convex, else nothing: its hull says it all.

    Raises:
        AssetError: A user mesh is missing, unreadable or cannot be split.
    """
    if isinstance(body, BodyRope):
        return _segments(body)
    if not isinstance(body, BodyRigid) or not may_split(body.geometry):
        return []
    corners = _part_vertices(body.geometry)
    if len(corners) == 1:
        return []
    rotation, factors = quat_to_matrix(body.orientation), np.asarray(body.factors)
    return [
        Solid(
            name=body.name,
            center=np.asarray(body.position, np.float64) + rotation @ (factors * middle),
            rotation=rotation,
            factors=factors,
            radius=float(np.linalg.norm((vertices - middle) * factors, axis=-1).max()),
            local=_vertex_support(vertices - middle),
        )
        for vertices in corners
        for middle in (vertices.mean(axis=0),)
    ]


def lowest(body: BodySolid | BodySheet) -> float:
    """Return the height of a body's lowest point [m], world frame."""
    return -solid(body).reach(np.array([0.0, 0.0, -1.0]))


def volume(body: BodySolid) -> float:
    """Return a body's volume [m³]."""
    if isinstance(body, BodyRope):
        length = float(np.linalg.norm(np.diff(centre_line(body), axis=0), axis=-1).sum())
        return math.pi * body.geometry.radius**2 * length
    return _unit_volume(body.geometry) * float(np.prod(body.factors))


def horizontal_faces(body: BodySolid) -> tuple[Vector, Vector]:
    """Return the vertices `(vertex, 2)` [m] of the lowest and the highest level of a body, world xy."""
    vertices = body_mesh(body).vertices @ quat_to_matrix(body.orientation).T + np.asarray(body.position)
    z = vertices[:, 2]
    return vertices[z < z.min() + 1e-6, :2], vertices[z > z.max() - 1e-6, :2]


def _support(geometry: Geometry) -> Support:
    """Return the support function of a shape in its local frame."""
    match geometry:
        case Box(size=size):
            half = 0.5 * np.asarray(size)
            return lambda d: np.where(d < 0.0, -half, half)
        case Sphere(radius=radius):
            return lambda d: radius * _unit(d)
        case Capsule(radius=radius, height=height):
            return lambda d: radius * _unit(d) + _upright(d, 0.5 * height, 0.5 * height)
        case Cylinder(radius=radius, height=height):
            return lambda d: radius * _level(d) + _upright(d, 0.5 * height, 0.5 * height)
        case Cone(radius=radius, height=height):
            apex = np.array([0.0, 0.0, 0.75 * height])

            def cone(d: Vector) -> Vector:
                rim = radius * _level(d) - np.array([0.0, 0.0, 0.25 * height])
                return apex if apex @ d > rim @ d else rim

            return cone
        case _:
            return _vertex_support(_vertices(geometry))


def _vertex_support(vertices: Vector) -> Support:
    return lambda d: np.asarray(vertices[int(np.argmax(vertices @ d))])


def _ball_support(points: Vector, radius: float) -> Support:
    """Return the support function of the hull of balls about points."""
    return lambda d: points[int(np.argmax(points @ d))] + radius * _unit(d)


def _segments(rope: BodyRope) -> list[Solid]:
    """Return the segments of a rope, each a cylinder with round ends."""
    nodes = np.asarray(rope.position) + centre_line(rope) @ quat_to_matrix(rope.orientation).T
    return [
        Solid(
            name=rope.name,
            center=0.5 * (first + second),
            rotation=np.eye(3),
            factors=np.ones(3),
            radius=0.5 * float(np.linalg.norm(second - first)) + rope.geometry.radius,
            local=_ball_support(np.stack([0.5 * (first - second), 0.5 * (second - first)]), rope.geometry.radius),
        )
        for first, second in pairwise(nodes)
    ]


def _sheet_support(sheet: BodySheet) -> Support:
    half = np.array([sheet.size[0] / 2, sheet.size[1] / 2, sheet.amplitude])
    return lambda d: np.where(d < 0.0, -half, half)


def _unit(direction: Vector) -> Vector:
    length = float(np.sqrt(direction @ direction))
    return direction / length if length > 0.0 else np.array([1.0, 0.0, 0.0])


def _level(direction: Vector) -> Vector:
    length = float(np.hypot(direction[0], direction[1]))
    return np.array([direction[0] / length, direction[1] / length, 0.0]) if length > 0.0 else np.zeros(3)


def _upright(direction: Vector, above: float, below: float) -> Vector:
    return np.array([0.0, 0.0, above if direction[2] >= 0.0 else -below])


@lru_cache(maxsize=512)
def _vertices(geometry: Geometry) -> Vector:
    return geometry_mesh(geometry).vertices


@lru_cache(maxsize=64)
def _part_vertices(geometry: Geometry) -> tuple[Vector, ...]:
    return tuple(part.vertices for part in geometry_parts(geometry))


@lru_cache(maxsize=512)
def _unit_volume(geometry: Geometry) -> float:
    if isinstance(geometry, RobotPart):
        return sum(part.volume() for part in geometry_parts(geometry))
    return geometry_mesh(geometry).volume()


def _radius(body: BodySolid | BodySheet) -> float:
    if isinstance(body, BodySheet):
        return float(np.hypot(np.hypot(*body.size) / 2, body.amplitude))
    if isinstance(body, BodyRope):
        return float(np.linalg.norm(centre_line(body), axis=-1).max()) + body.geometry.radius
    # Every primitive's mesh has vertices on its farthest points, so no curved part reaches beyond them.
    return float(np.linalg.norm(_vertices(body.geometry) * np.asarray(body.factors), axis=-1).max())
