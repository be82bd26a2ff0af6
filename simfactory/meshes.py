"""Triangle meshes of every shape: one description shared by physics, rendering and annotations."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from simfactory.assets import load_mesh, load_texture_coordinates
from simfactory.cords import centre_line, first_director, tube_triangles, tube_vertices
from simfactory.errors import SpecError
from simfactory.grains import drawn_grains
from simfactory.refinement import refined
from simfactory.robots import robot_model
from simfactory.shells import shell
from simfactory.spec import (
    BodyCloth,
    BodyGranular,
    BodyInflatable,
    BodyRope,
    BodySheet,
    BodySoft,
    BodySolid,
    Box,
    Cape,
    Capsule,
    Cone,
    Cord,
    Cylinder,
    Disc,
    Geometry,
    Ground,
    MeshAsset,
    Prism,
    Rectangle,
    RobotPart,
    Skirt,
    Sphere,
    Superellipsoid,
    Torus,
    Tunic,
    Vessel,
)
from simfactory.tailoring import Cut, cut

__all__ = [
    "TriangleMesh",
    "body_mesh",
    "geometry_mesh",
    "ground_mesh",
    "room_cells",
    "room_mesh",
    "sheet_heights",
    "soft_surface",
    "torus_sections",
    "vessel_rings",
]

Points = npt.NDArray[np.float64]
Triangles = npt.NDArray[np.int32]

SEGMENTS = 64  # around a circle: sagitta 0.12 % of the radius
RINGS = 32  # from pole to pole
SECTIONS, SIDES = 36, 16  # of a torus: around its axis, and around its tube
GRAIN_ANGLE = 1.0  # [rad]; grains have no edges
SOFT_ANGLE = np.pi / 6  # bent faces of a soft box are smooth, its edges are not
VESSEL_ANGLE = 0.5  # [rad]
VESSEL_SEGMENTS = 48
ROBOT_ANGLE = 0.6  # [rad]
ROPE_ANGLE = 1.4  # [rad]; a rope has no edges, however it bends
CLOTH_ANGLE = 1.4  # [rad]; cloth has no edges but sharp folds
PATTERN_EDGES = 32  # along a pattern whose cloth is not known
GROUND_CELL = 1.0  # [m]; float32 barycentrics of larger triangles would cost 1e-3 px of flow


@dataclass(frozen=True, kw_only=True, slots=True)
class TriangleMesh:
    """A triangle mesh; outward faces wind counter-clockwise.

    Attributes:
        vertices: `(vertex, 3)` float64, local frame [m].
        triangles: `(triangle, 3)` int32.
        smooth_angle: Edges flatter than this are shaded smoothly [rad]; 0 = faceted.
        corner_uv: `(triangle, 3, 2)` texture coordinates of each triangle's corners, from the lower left of an image;
            None without.
    """

    vertices: Points
    triangles: Triangles
    smooth_angle: float = 0.0
    corner_uv: Points | None = None

    def volume(self) -> float:
        """Return the enclosed volume [m³] (closed meshes only)."""
        a, b, c = (self.vertices[self.triangles[:, k]] for k in range(3))
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)

    def centroid(self) -> Points:
        """Return the centre of the enclosed volume `(3,)` [m] (closed meshes only)."""
        a, b, c = (self.vertices[self.triangles[:, k]] for k in range(3))
        weight = np.einsum("ij,ij->i", a, np.cross(b, c))
        return np.asarray((weight[:, None] * (a + b + c)).sum(axis=0) / (4.0 * weight.sum()))

    def scaled(self, factors: tuple[float, float, float]) -> "TriangleMesh":
        """Return the mesh with its axes multiplied by positive factors."""
        return replace(self, vertices=self.vertices * np.asarray(factors))


def body_mesh(body: BodySolid | BodySheet) -> TriangleMesh:
    """Return a body's mesh in its local frame [m], scale and aspect applied (a sheet or a soft body at rest).

    The surface of a soft body has no edge longer than a cell of its simulation mesh, so that it bends as that does.

    Raises:
        AssetError: A user mesh is missing, unreadable or too large.
        SpecError: The region of a granular body is too thin for its grains; a rope turns too sharply or runs into
            itself.
    """
    if isinstance(body, BodySheet):
        width, depth = body.size
        return _grid(
            np.linspace(-width / 2, width / 2, body.cells + 1), np.linspace(-depth / 2, depth / 2, body.cells + 1)
        )
    if isinstance(body, BodyGranular):
        vertices, triangles = drawn_grains(body)
        return TriangleMesh(vertices=vertices, triangles=triangles, smooth_angle=GRAIN_ANGLE)
    if isinstance(body, BodyRope):
        nodes = centre_line(body)
        return TriangleMesh(
            vertices=tube_vertices(nodes, first_director(nodes), body.geometry.radius),
            triangles=tube_triangles(len(nodes)),
            smooth_angle=ROPE_ANGLE,
        )
    if isinstance(body, BodyCloth):
        return _cloth(cut(body.geometry, body.resolution))
    if isinstance(body, BodyInflatable):
        return _cloth(shell(body.geometry, body.factors, body.resolution))
    if isinstance(body, BodySoft):
        return soft_surface(body.geometry, factors=body.factors, resolution=body.resolution)
    return geometry_mesh(body.geometry).scaled(body.factors)


def soft_surface(geometry: Geometry, *, factors: tuple[float, float, float], resolution: int) -> TriangleMesh:
    """Return the surface of a soft body: that of the shape, without edges longer than a cell of the simulation mesh.

    Args:
        geometry: The shape.
        factors: Scale × aspect along local x, y, z [1].
        resolution: Cells along the longest extent.
    """
    mesh = geometry_mesh(geometry).scaled(factors)
    cell = float(np.ptp(mesh.vertices, axis=0).max()) / resolution
    given = np.zeros((len(mesh.triangles), 3, 0)) if mesh.corner_uv is None else mesh.corner_uv
    vertices, triangles, corners = refined(mesh.vertices, mesh.triangles, longest=cell, corners=given)
    return TriangleMesh(
        vertices=vertices,
        triangles=triangles,
        smooth_angle=max(mesh.smooth_angle, SOFT_ANGLE),
        corner_uv=None if mesh.corner_uv is None else corners,
    )


def geometry_mesh(geometry: Geometry) -> TriangleMesh:
    """Return the mesh of a shape in its local frame [m], before scale and aspect."""
    match geometry:
        case Box(size=size):
            return _box(size)
        case Sphere(radius=radius):
            return _superellipsoid((radius, radius, radius), (1.0, 1.0))
        case Superellipsoid(radii=radii, exponents=exponents):
            return _superellipsoid(radii, exponents)
        case Torus(radius=radius, tube=tube):
            return _torus(radius, tube)
        case Cord():
            raise SpecError("a cord alone has no mesh, since its rope says into how many segments it is cut: mesh that")
        case Cylinder(radius=radius, height=height):
            return _revolve([(radius, -height / 2), (radius, height / 2)], SEGMENTS)
        case Cone(radius=radius, height=height):
            return _recentred(_revolve([(radius, 0.0), (0.0, height)], SEGMENTS))
        case Capsule(radius=radius, height=height):
            return _capsule(radius, height)
        case Prism(sides=sides, radius=radius, height=height, taper=taper):
            mesh = _revolve([(radius, 0.0), (radius * taper, height)], sides)
            return _recentred(TriangleMesh(vertices=mesh.vertices, triangles=mesh.triangles))
        case MeshAsset(digest=digest, scale=scale):
            vertices, triangles = load_mesh(digest)
            uv = load_texture_coordinates(digest)
            mesh = TriangleMesh(
                vertices=vertices * scale,
                triangles=triangles,
                smooth_angle=0.7,
                corner_uv=None if uv is None else uv.astype(np.float64),
            )
            return _recentred(mesh)
        case Vessel():
            return _recentred(replace(_revolve(_vessel_profile(geometry), VESSEL_SEGMENTS), smooth_angle=VESSEL_ANGLE))
        case RobotPart(robot=robot, part=name):
            made = robot_model(robot).part(name)
            return TriangleMesh(vertices=made.vertices, triangles=made.triangles, smooth_angle=ROBOT_ANGLE)
        case Rectangle() | Disc() | Skirt() | Cape() | Tunic():
            return _cloth(cut(geometry, PATTERN_EDGES))


def torus_sections(torus: Torus) -> npt.NDArray[np.float64]:
    """Return the vertices `(section, side, 3)` [m] of a torus: its mesh between two neighbouring sections is convex."""
    return geometry_mesh(torus).vertices.reshape(SECTIONS, SIDES, 3)


def vessel_rings(vessel: Vessel) -> npt.NDArray[np.float64]:
    """Return the vertices `(ring, segment, 3)` [m] of a vessel: base, outer rim, inner rim, edge of its floor."""
    return geometry_mesh(vessel).vertices[1:-1].reshape(4, VESSEL_SEGMENTS, 3)


def ground_mesh(ground: Ground) -> TriangleMesh:
    """Return the floor as a grid of cells of at most `GROUND_CELL` [m], world frame, at most 256 × 256 cells."""
    cells = int(np.clip(np.ceil(ground.size / GROUND_CELL), 2, 256))
    line = np.linspace(-ground.size / 2, ground.size / 2, cells + 1)
    return _grid(line, line)


def room_cells(size: Sequence[float]) -> tuple[int, int, int]:
    """Return into how many cells a room's walls are cut along x, y and z."""
    x, y, z = (int(np.ceil(edge / GROUND_CELL)) for edge in size)
    return x, y, z


def room_mesh(size: Sequence[float], *, ceiling: bool) -> TriangleMesh:
    """Return the walls (and the ceiling, if any) with faces turned inwards, world frame [m]."""
    sx, sy, sz = size
    cells = room_cells(size)
    vertices: list[Points] = []
    triangles: list[Triangles] = []
    sides = [
        ((-sx / 2, -sy / 2, 0.0), (sx, 0.0, 0.0), (0.0, 0.0, sz)),
        ((sx / 2, -sy / 2, 0.0), (0.0, sy, 0.0), (0.0, 0.0, sz)),
        ((sx / 2, sy / 2, 0.0), (-sx, 0.0, 0.0), (0.0, 0.0, sz)),
        ((-sx / 2, sy / 2, 0.0), (0.0, -sy, 0.0), (0.0, 0.0, sz)),
    ]
    if ceiling:
        sides.append(((-sx / 2, -sy / 2, sz), (sx, 0.0, 0.0), (0.0, sy, 0.0)))
    for corner, along, across in sides:
        u, v = np.asarray(along), np.asarray(across)
        columns, rows = (cells[int(np.flatnonzero(edge)[0])] for edge in (u, v))
        grid = _grid(np.linspace(0.0, 1.0, columns + 1), np.linspace(0.0, 1.0, rows + 1))
        points = np.asarray(corner) + grid.vertices[:, :1] * u + grid.vertices[:, 1:2] * v
        triangles.append((grid.triangles[:, ::-1] + sum(map(len, vertices))).astype(np.int32))
        vertices.append(points)
    return TriangleMesh(vertices=np.concatenate(vertices), triangles=np.concatenate(triangles))


def sheet_heights(sheet: BodySheet, time: float) -> npt.NDArray[np.float64]:
    """Return the local z `(vertex,)` [m] of a vibrating sheet's vertices at a time [s]."""
    rest = body_mesh(sheet).vertices
    x, y = rest[:, 0] / sheet.size[0] + 0.5, rest[:, 1] / sheet.size[1] + 0.5
    swing = sheet.amplitude * np.sin(2.0 * np.pi * sheet.frequency * time)
    return np.asarray(swing * np.sin(np.pi * sheet.modes[0] * x) * np.sin(np.pi * sheet.modes[1] * y))


def _cloth(made: Cut) -> TriangleMesh:
    return TriangleMesh(vertices=made.vertices, triangles=made.triangles, smooth_angle=CLOTH_ANGLE)


def _vessel_profile(vessel: Vessel) -> list[tuple[float, float]]:
    """(radius, z) from the middle of the base up the outside and down the inside to the floor."""
    slope = (vessel.radius - vessel.base_radius) / vessel.height
    inside = vessel.base_radius + slope * vessel.wall - vessel.wall
    return [
        (vessel.base_radius, 0.0),
        (vessel.radius, vessel.height),
        (vessel.radius - vessel.wall, vessel.height),
        (inside, vessel.wall),
    ]


def _recentred(mesh: TriangleMesh) -> TriangleMesh:
    return replace(mesh, vertices=mesh.vertices - mesh.centroid())


def _grid(xs: Points, ys: Points) -> TriangleMesh:
    """A level grid facing +z."""
    x, y = np.meshgrid(xs, ys, indexing="ij")
    vertices = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=-1)
    index = np.arange(x.size).reshape(x.shape)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    quads = np.stack([a, b, c, a, c, d], axis=-1).reshape(-1, 3)
    return TriangleMesh(vertices=vertices, triangles=quads.astype(np.int32), smooth_angle=1.0)


def _box(size: tuple[float, float, float]) -> TriangleMesh:
    corners = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = [t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]
    return TriangleMesh(vertices=corners * np.asarray(size), triangles=np.asarray(triangles, np.int32))


def _revolve(profile: list[tuple[float, float]], segments: int) -> TriangleMesh:
    """Turn (radius, z) points, listed upwards, about z; both ends are closed on the axis."""
    angle = np.arange(segments) * (2.0 * np.pi / segments)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    rings = [(radius, z) for radius, z in profile if radius > 0.0]
    vertices = np.concatenate(
        [
            [[0.0, 0.0, profile[0][1]]],
            *(np.concatenate([radius * circle, np.full((segments, 1), z)], axis=-1) for radius, z in rings),
            [[0.0, 0.0, profile[-1][1]]],
        ]
    )
    index = 1 + np.arange(len(rings) * segments).reshape(len(rings), segments)
    after = np.roll(index, -1, axis=1)
    bottom = np.stack([np.zeros(segments, np.int64), after[0], index[0]], axis=-1)
    top = np.stack([np.full(segments, len(vertices) - 1), index[-1], after[-1]], axis=-1)
    lower = np.stack([index[:-1], after[:-1], after[1:]], axis=-1).reshape(-1, 3)
    upper = np.stack([index[:-1], after[1:], index[1:]], axis=-1).reshape(-1, 3)
    triangles = np.concatenate([bottom, lower, upper, top]).astype(np.int32)
    return TriangleMesh(vertices=vertices, triangles=triangles, smooth_angle=np.pi / 6)


def _capsule(radius: float, height: float) -> TriangleMesh:
    polar = np.linspace(0.0, np.pi / 2, RINGS // 2 + 1)
    lower = [(radius * np.sin(a), -height / 2 - radius * np.cos(a)) for a in polar]
    upper = [(radius * np.cos(a), height / 2 + radius * np.sin(a)) for a in polar]
    profile = [(0.0, lower[0][1]), *lower[1:], *upper[:-1], (0.0, upper[-1][1])]
    return _revolve(profile, SEGMENTS)


def _torus(radius: float, tube: float) -> TriangleMesh:
    """Sections `(SECTIONS, SIDES)` in order; between two of them lies a convex part, a prism cut aslant."""
    around = np.arange(SECTIONS) * (2.0 * np.pi / SECTIONS)
    across = np.arange(SIDES) * (2.0 * np.pi / SIDES)
    ring, z = radius + tube * np.cos(across), np.broadcast_to(tube * np.sin(across), (SECTIONS, SIDES))
    vertices = np.stack([np.outer(np.cos(around), ring), np.outer(np.sin(around), ring), z], axis=-1)
    index = np.arange(SECTIONS * SIDES).reshape(SECTIONS, SIDES)
    after = np.roll(index, -1, axis=0)
    a, b, c, d = index, after, np.roll(after, -1, axis=1), np.roll(index, -1, axis=1)
    triangles = np.stack([a, b, c, a, c, d], axis=-1).reshape(-1, 3).astype(np.int32)
    return TriangleMesh(vertices=vertices.reshape(-1, 3), triangles=triangles, smooth_angle=np.pi / 3)


def _superellipsoid(radii: tuple[float, float, float], exponents: tuple[float, float]) -> TriangleMesh:
    def power(value: Points, exponent: float) -> Points:
        return np.asarray(np.sign(value) * np.abs(value) ** exponent)

    profile = [
        (0.0, -1.0),
        *((np.cos(a), np.sin(a)) for a in np.linspace(-np.pi / 2, np.pi / 2, RINGS + 1)[1:-1]),
        (0.0, 1.0),
    ]
    mesh = _revolve(profile, SEGMENTS)
    ring = np.linalg.norm(mesh.vertices[:, :2], axis=-1)
    safe = np.where(ring > 0.0, ring, 1.0)
    radial = power(ring, exponents[0])
    vertices = np.stack(
        [
            radii[0] * radial * power(mesh.vertices[:, 0] / safe, exponents[1]),
            radii[1] * radial * power(mesh.vertices[:, 1] / safe, exponents[1]),
            radii[2] * power(mesh.vertices[:, 2], exponents[0]),
        ],
        axis=-1,
    )
    return TriangleMesh(vertices=vertices, triangles=mesh.triangles, smooth_angle=np.pi / 3)
