"""Triangles on the device: flat arrays shared by all instances, one tree per distinct mesh, smooth normals."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.episode import Surface
from simfactory.errors import ResourceError
from simfactory.meshes import TriangleMesh, room_cells, room_mesh
from simfactory.rendering.arrays import WarpArray, host_view
from simfactory.rendering.kernels.shape import find_dent, smooth_normals
from simfactory.surfacing import LiquidSurface

__all__ = ["SLOTS", "Geometry", "Shape"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]

SLOTS = 3  # instants that exist at once; a fourth, where shutters are open, goes through the frame
DROP_VERTICES = 24  # at most, of the surface of a drop of one particle
LIQUID_COSINE = 0.3  # of the largest angle over which a liquid's normals are smooth
LEAF_SIZE = 2  # triangles per leaf of a mesh's tree: measured fastest of 1, 2, 4
CONVEX_LIMIT = 20_000_000  # faces × vertices beyond which convexity is not looked for


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """One distinct mesh on the device.

    Attributes:
        meshes: One per slot; a rigid shape has the same in all.
        first_vertex: Where its vertices begin, per slot.
        first_normal: Where its corner normals begin, per slot.
        first_rest: Where its vertices at rest begin; of a liquid: those carried to another instant.
        first_index: Where its triangles' indices begin, per slot; only a liquid's differ.
        first_corner: Where its corners' texture coordinates begin; -1 if it has none.
        lower: `(3,)` corner of the bounding box at rest, local [m].
        upper: `(3,)` opposite corner.
        radius: Largest distance of a vertex from the box's centre [m].
        closed: Whether it encloses a volume, with its normals outward.
        convex: Whether it is closed and convex, and never deforms.
        lattice: How rays find it without a tree, if they can.
        fill: Enclosed share of the bounding box.
    """

    meshes: tuple[wp.Mesh, ...]
    first_vertex: tuple[int, ...]
    first_normal: tuple[int, ...]
    first_rest: int
    first_index: tuple[int, ...]
    first_corner: int
    lower: Float64
    upper: Float64
    radius: float
    closed: bool
    convex: bool
    lattice: "Lattice"
    fill: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Lattice:
    """A level square grid about the origin, or a room above it.

    Attributes:
        cells: Cells along x, y, z; the last is 0 for a level grid, all are 0 for any other mesh.
        size: Half edges along x and y, height [m].
        open: Whether it is a room without ceiling.
    """

    cells: tuple[int, int, int] = (0, 0, 0)
    size: tuple[float, float, float] = (0.0, 0.0, 0.0)
    open: bool = False


class Geometry:
    """All meshes of a renderer; identical rigid ones exist once.

    Attributes:
        vertices: `(vertex,)` vec3 on the device, all shapes and slots.
        indices: `(3 · triangle,)` int32.
        carried: `(vertex,)` vec3, the vertices of liquids as they are carried from one slot to another.
        normals: `(corner,)` vec3, smooth shading normals.
        rest: `(vertex,)` vec3, vertices at rest of the deforming shapes.
        coordinates: `(corner,)` vec2, texture coordinates of the shapes that have any.
        shapes: One per surface given, in their order.
        slots: How many instants exist at once.
    """

    def __init__(self, surfaces: Sequence[Surface], device: wp.Device, *, slots: int = SLOTS) -> None:
        """Upload the surfaces' meshes and build their trees."""
        self.slots = slots
        self._room = {index: _Room.of(surface) for index, surface in enumerate(surfaces) if surface.liquid}
        keys = [_key(surface, index) for index, surface in enumerate(surfaces)]
        distinct = dict(zip(keys, surfaces, strict=True))
        copies = {key: slots if surface.deforming else 1 for key, surface in distinct.items()}
        points = [np.tile(s.mesh.vertices.astype(np.float32), (copies[key], 1)) for key, s in distinct.items()]
        corners = [np.ascontiguousarray(s.mesh.triangles, np.int32).ravel() for s in distinct.values()]
        own = sum(map(len, points)), sum(map(len, corners))
        points += [np.zeros((slots * room.vertices, 3), np.float32) for room in self._room.values()]
        corners += [np.zeros(slots * room.corners, np.int32) for room in self._room.values()]
        rest = [s.mesh.vertices.astype(np.float32) for s in distinct.values() if s.deforming]
        self.vertices: WarpArray = wp.array(np.concatenate(points), dtype=wp.vec3, device=device)
        self.indices: WarpArray = wp.array(np.concatenate(corners), dtype=wp.int32, device=device)
        corner_count = sum(copies[key] * surface.mesh.triangles.size for key, surface in distinct.items())
        self._room_starts = self._starts(*own, corner_count)
        corner_count += sum(slots * room.corners for room in self._room.values())
        self.carried = wp.zeros(
            max(sum(room.vertices for room in self._room.values()), 1), dtype=wp.vec3, device=device
        )
        self.normals = wp.empty(corner_count, dtype=wp.vec3, device=device)
        self.rest: WarpArray = wp.array(
            np.concatenate(rest or [np.zeros((1, 3), np.float32)]), dtype=wp.vec3, device=device
        )
        placed = [s.mesh.corner_uv.reshape(-1, 2) for s in distinct.values() if s.mesh.corner_uv is not None]
        self.coordinates: WarpArray = wp.array(
            np.concatenate(placed or [np.zeros((1, 2))]).astype(np.float32), dtype=wp.vec2, device=device
        )
        self._device = device
        self._neighbors: dict[str, tuple[WarpArray, WarpArray, float]] = {}
        shapes: dict[str, Shape] = {}
        vertex = index = normal = still = laid = 0
        for key, surface in distinct.items():
            shapes[key] = self._shape(surface, copies[key], vertex, index, normal, still, laid)
            self._smooth(key, shapes[key], surface.mesh, range(copies[key]))
            vertex += copies[key] * len(surface.mesh.vertices)
            index += surface.mesh.triangles.size
            normal += copies[key] * surface.mesh.triangles.size
            still += len(surface.mesh.vertices) if surface.deforming else 0
            laid += 0 if surface.mesh.corner_uv is None else surface.mesh.triangles.size
        placed_shapes = [shapes[key] for key in keys]
        for number, (item, room) in enumerate(self._room.items()):
            placed_shapes[item] = self._liquid_shape(placed_shapes[item], number, room)
        self.shapes = tuple(placed_shapes)
        self._liquid_meshes: dict[tuple[int, int], wp.Mesh] = {}
        self._keys = keys

    def deform(self, surface: int, slot: int, vertices: Float32) -> None:
        """Move a deforming surface's vertices `(vertex, 3)` in one slot: refit its tree, renew its normals."""
        shape = self.shapes[surface]
        mesh = shape.meshes[slot]
        mesh.points.assign(np.ascontiguousarray(vertices, np.float32))
        mesh.refit()
        neighbors, faces, cosine = self._neighbors[self._keys[surface]]
        self._launch_normals(shape, slot, neighbors, faces, cosine)

    def renew(self, surface: int, slot: int, made: LiquidSurface) -> int:
        """Give a liquid its triangles in one slot; return Warp's id of the mesh.

        Raises:
            ResourceError: It has broken up into more drops than there is room for.
        """
        room, shape = self._room[surface], self.shapes[surface]
        count, corners = len(made.vertices), made.triangles.size
        if count > room.vertices or corners > room.corners:
            raise ResourceError(
                f"the surface of a liquid has {count} vertices, and there is room for {room.vertices}: use fewer "
                "particles, or a liquid that breaks up less"
            )
        first, start = shape.first_vertex[slot], shape.first_index[slot]
        points, triangles = self.vertices[first : first + count], self.indices[start : start + corners]
        points.assign(made.vertices)
        triangles.assign(made.triangles.ravel())
        mesh = wp.Mesh(points, triangles, bvh_leaf_size=LEAF_SIZE)
        self._liquid_meshes[surface, slot] = mesh
        offsets, faces = _faces_by_vertex(
            TriangleMesh(vertices=made.vertices.astype(np.float64), triangles=made.triangles)
        )
        wp.launch(
            smooth_normals,
            dim=corners,
            inputs=[
                points,
                triangles,
                wp.array(offsets, dtype=wp.int32, device=self._device),
                wp.array(faces, dtype=wp.int32, device=self._device),
                LIQUID_COSINE,
            ],
            outputs=[self.normals[shape.first_normal[slot] : shape.first_normal[slot] + corners]],
            device=self._device,
        )
        return int(mesh.id)

    def carry(self, surface: int, vertices: Float64) -> None:
        """Say where the vertices `(vertex, 3)` of a liquid in one slot are at the instant of another."""
        first = self.shapes[surface].first_rest
        self.carried[first : first + len(vertices)].assign(np.ascontiguousarray(vertices, np.float32))

    def _starts(self, vertex: int, corner: int, normal: int) -> list[tuple[int, int, int, int]]:
        """Return where the room of each liquid begins: vertices, corners, normals, carried vertices."""
        starts, carried = [], 0
        for room in self._room.values():
            starts.append((vertex, corner, normal, carried))
            vertex += self.slots * room.vertices
            corner += self.slots * room.corners
            normal += self.slots * room.corners
            carried += room.vertices
        return starts

    def _liquid_shape(self, still: Shape, number: int, room: "_Room") -> Shape:
        """Return the shape of a liquid, given that of the region which it fills at first."""
        vertex, corner, normal, carried = self._room_starts[number]
        return replace(
            still,
            first_vertex=tuple(vertex + slot * room.vertices for slot in range(self.slots)),
            first_index=tuple(corner + slot * room.corners for slot in range(self.slots)),
            first_normal=tuple(normal + slot * room.corners for slot in range(self.slots)),
            first_rest=carried,
            closed=True,
            convex=False,
            lattice=Lattice(),
        )

    def _shape(
        self, surface: Surface, copies: int, vertex: int, index: int, normal: int, still: int, laid: int
    ) -> Shape:
        mesh = surface.mesh
        count, corners = len(mesh.vertices), mesh.triangles.size
        triangles = self.indices[index : index + corners]
        meshes = [
            wp.Mesh(
                self.vertices[vertex + slot * count : vertex + (slot + 1) * count],
                triangles,
                bvh_leaf_size=LEAF_SIZE,
            )
            for slot in range(copies)
        ]
        lower, upper = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
        closed = _is_closed(mesh) and mesh.volume() > 0.0
        solid = closed and not surface.deforming and _is_convex(mesh, meshes[0])
        return Shape(
            meshes=tuple(meshes[slot % copies] for slot in range(self.slots)),
            first_vertex=tuple(vertex + slot % copies * count for slot in range(self.slots)),
            first_normal=tuple(normal + slot % copies * corners for slot in range(self.slots)),
            first_rest=still,
            first_index=(index,) * self.slots,
            first_corner=-1 if mesh.corner_uv is None else laid,
            lower=lower,
            upper=upper,
            radius=float(np.linalg.norm(mesh.vertices - 0.5 * (lower + upper), axis=-1).max()),
            closed=closed,
            convex=solid,
            lattice=Lattice() if surface.deforming else _room(mesh) or _grid(mesh) or Lattice(),
            fill=mesh.volume() / max(float(np.prod(upper - lower)), 1e-12) if solid else 0.5,
        )

    def _smooth(self, key: str, shape: Shape, mesh: TriangleMesh, slots: range) -> None:
        first, faces = _faces_by_vertex(mesh)
        cosine = math.cos(mesh.smooth_angle) if mesh.smooth_angle > 0.0 else 2.0
        neighbors: WarpArray = wp.array(first, dtype=wp.int32, device=self._device)
        around: WarpArray = wp.array(faces, dtype=wp.int32, device=self._device)
        self._neighbors[key] = neighbors, around, cosine
        for slot in slots:
            self._launch_normals(shape, slot, neighbors, around, cosine)

    def _launch_normals(self, shape: Shape, slot: int, neighbors: WarpArray, faces: WarpArray, cosine: float) -> None:
        mesh = shape.meshes[slot]
        corners = mesh.indices.size
        normals = self.normals[shape.first_normal[slot] : shape.first_normal[slot] + corners]
        wp.launch(
            smooth_normals,
            dim=corners,
            inputs=[mesh.points, mesh.indices, neighbors, faces, cosine],
            outputs=[normals],
            device=self._device,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Room:
    """How many vertices and triangle corners a liquid may have at one instant."""

    vertices: int
    corners: int

    @classmethod
    def of(cls, surface: Surface) -> "_Room":
        """Return the room of a liquid: for all its particles apart, each a drop."""
        vertices = DROP_VERTICES * surface.particle_count
        return cls(vertices=vertices, corners=6 * vertices)


def _key(surface: Surface, index: int) -> str:
    """Name a mesh by its content; a deforming one is like no other."""
    if surface.deforming:
        return f"deforming {index}"
    digest = hashlib.sha256(np.ascontiguousarray(surface.mesh.vertices, np.float32).tobytes())
    digest.update(np.ascontiguousarray(surface.mesh.triangles, np.int32).tobytes())
    digest.update(np.float64(surface.mesh.smooth_angle).tobytes())
    if surface.mesh.corner_uv is not None:
        digest.update(np.ascontiguousarray(surface.mesh.corner_uv, np.float32).tobytes())
    return digest.hexdigest()


def _faces_by_vertex(mesh: TriangleMesh) -> tuple[Int32, Int32]:
    """Return which triangles touch each vertex: offsets `(vertex + 1,)` and triangles `(corner,)`."""
    corners = mesh.triangles.ravel()
    order = np.argsort(corners, kind="stable")
    first = np.searchsorted(corners[order], np.arange(len(mesh.vertices) + 1))
    return first.astype(np.int32), (order // 3).astype(np.int32)


def _is_convex(mesh: TriangleMesh, shape: wp.Mesh) -> bool:
    """Return whether no vertex of a closed mesh lies in front of any face."""
    if len(mesh.triangles) * len(mesh.vertices) > CONVEX_LIMIT:
        return False
    margin = 1e-6 * float(np.ptp(mesh.vertices, axis=0).max())
    found = wp.zeros(1, dtype=wp.int32, device=shape.device)
    inputs = [shape.points, shape.indices, margin]
    wp.launch(find_dent, dim=len(mesh.triangles), inputs=inputs, outputs=[found], device=shape.device)
    return not host_view(found)[0]


def _is_closed(mesh: TriangleMesh) -> bool:
    """Return whether every edge is run through once in each direction."""
    edges = np.concatenate([mesh.triangles[:, [0, 1]], mesh.triangles[:, [1, 2]], mesh.triangles[:, [2, 0]]])
    count = len(mesh.vertices)
    forward = np.sort(edges[:, 0].astype(np.int64) * count + edges[:, 1])
    backward = np.sort(edges[:, 1].astype(np.int64) * count + edges[:, 0])
    return bool(np.array_equal(forward, backward) and (np.diff(forward) > 0).all())


def _grid(mesh: TriangleMesh) -> Lattice | None:
    """Return the grid that a mesh is, exactly as `lattice_triangle` assumes it."""
    cells = math.isqrt(len(mesh.triangles) // 2)
    if cells < 2 or 2 * cells * cells != len(mesh.triangles) or (cells + 1) ** 2 != len(mesh.vertices):
        return None
    half = float(mesh.vertices[-1, 0])
    line = np.linspace(-half, half, cells + 1)
    x, y = np.meshgrid(line, line, indexing="ij")
    expected = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=-1)
    index = np.arange(x.size).reshape(x.shape)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    triangles = np.stack([a, b, c, a, c, d], axis=-1).reshape(-1, 3)
    same = np.array_equal(mesh.triangles, triangles) and np.allclose(mesh.vertices, expected, rtol=0.0, atol=1e-12)
    return Lattice(cells=(cells, cells, 0), size=(half, half, 0.0)) if same else None


def _room(mesh: TriangleMesh) -> Lattice | None:
    """Return the room that a mesh is, exactly as `room_triangle` assumes it."""
    lower, upper = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    if lower[2] != 0.0 or upper[2] <= 0.0 or (lower[:2] != -upper[:2]).any():
        return None
    size = (float(2.0 * upper[0]), float(2.0 * upper[1]), float(upper[2]))
    for ceiling in (False, True):
        room = room_mesh(size, ceiling=ceiling)
        if np.array_equal(room.triangles, mesh.triangles) and np.array_equal(room.vertices, mesh.vertices):
            return Lattice(
                cells=room_cells(size), size=(float(upper[0]), float(upper[1]), float(upper[2])), open=not ceiling
            )
    return None
