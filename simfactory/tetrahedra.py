"""Tetrahedral meshes of closed surfaces, with the surface embedded in them: what soft bodies are simulated on."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simfactory.assets import keep_arrays, kept_arrays
from simfactory.embedding import Embedding, boundary_faces, embed
from simfactory.errors import AssetError
from simfactory.extrusion import extruded_tetrahedra
from simfactory.lattice import stuff_lattice
from simfactory.meshes import TriangleMesh, geometry_mesh
from simfactory.spec import Geometry, MeshAsset

__all__ = ["TetMesh", "box_tetrahedra", "geometry_tetrahedra", "refined", "tetrahedralize"]

VOLUME_TOLERANCE = 0.02  # relative difference allowed between the tetrahedra and the surface they fill
RESOLUTION_MAX = 64
VERSION = 3  # of the tetrahedra kept beside user meshes
MIDPOINTS_MAX = 8  # halvings of edges

Points = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]


@dataclass(frozen=True, kw_only=True, slots=True)
class TetMesh:
    """A tetrahedral mesh and the surface it carries.

    Attributes:
        vertices: `(node, 3)` float64 nodes, the frame of the surface [m].
        tets: `(tet, 4)` int32; every one has a positive volume det(b−a, c−a, d−a)/6.
        embedding: The vertices of the surface tied to the nodes, in the surface's order.
    """

    vertices: Points
    tets: Indices
    embedding: Embedding

    def volumes(self) -> Points:
        """Return the volume of each tetrahedron `(tet,)` [m³]."""
        return _volumes(self.vertices, self.tets)

    def boundary(self) -> Indices:
        """Return the outer faces `(triangle, 3)` as node indices, winding counter-clockwise seen from outside."""
        return boundary_faces(self.tets)

    def surface(self, nodes: Points) -> Points:
        """Return the surface's vertices `(vertex, 3)` [m] for moved nodes `(node, 3)` [m]."""
        return self.embedding.points(nodes)


def tetrahedralize(mesh: TriangleMesh, *, resolution: int) -> TetMesh:
    """Fill a closed surface with tetrahedra and embed its vertices in them.

    A box in its own axes becomes a regular grid that fills it exactly, an upright prism or cylinder layers of
    triangles (see `simfactory.extrusion`); any other surface is stuffed with a body-centred cubic lattice (see
    `simfactory.lattice`), whose outer nodes lie close to the surface. Either way the surface keeps its own vertices:
    `tet_mesh.surface(tet_mesh.vertices)` returns them to 1e-6 of its size, and `tet_mesh.surface(moved)` those of the
    deformed body. A surface coarser than the tetrahedra does not bend where it has no vertices: pass it through
    `refined` first.

    Args:
        mesh: A closed surface with outward faces, local frame [m].
        resolution: Cells along the longest extent, 1–64 (other surfaces than boxes, prisms and cylinders: 4–64).

    Raises:
        AssetError: The surface encloses no volume, or parts of it are thinner than the cells can follow: the
            tetrahedra's volume would differ by more than 2 %.
    """
    if not 1 <= resolution <= RESOLUTION_MAX:
        raise AssetError(f"resolution is {resolution}; give 1 to {RESOLUTION_MAX} cells along the longest extent")
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    wanted = mesh.volume()
    if not wanted > 1e-9 * float(np.prod(high - low)):
        raise AssetError(f"a surface of volume {wanted:.3g} m³ cannot be filled: it must be closed, with outward faces")
    cell = float((high - low).max()) / resolution
    if _is_box(mesh, low, high, wanted):
        counts = np.maximum(1, np.rint((high - low) / cell)).astype(int)
        nodes, tets = box_tetrahedra(high - low, cells=(int(counts[0]), int(counts[1]), int(counts[2])))
        nodes = nodes + 0.5 * (low + high)
    elif (upright := extruded_tetrahedra(mesh.vertices, volume=wanted, cell=cell)) is not None:
        nodes, tets = upright[0], _positive(*upright)
    else:
        if resolution < 4:
            raise AssetError(f"resolution is {resolution}; a surface that is neither box nor prism needs at least 4")
        nodes, tets = stuff_lattice(mesh.vertices, mesh.triangles, cell=cell)
        nodes = _with_volume(nodes, tets, wanted, cell=cell)
    filled = float(_volumes(nodes, tets).sum()) if len(tets) else 0.0
    if abs(filled - wanted) > VOLUME_TOLERANCE * wanted:
        raise AssetError(
            f"tetrahedra of {cell:.3g} m fill {filled:.3g} m³ of {wanted:.3g} m³: parts of the surface are thinner "
            f"than two cells; raise resolution above {resolution} (at most {RESOLUTION_MAX}) or thicken them"
        )
    return TetMesh(vertices=nodes, tets=tets, embedding=embed(mesh.vertices, nodes, tets))


def geometry_tetrahedra(geometry: Geometry, *, resolution: int) -> TetMesh:
    """Return the tetrahedra of a shape in its local frame [m]; those of a user mesh are kept beside it.

    The embedding follows the vertices of `geometry_mesh(geometry)`.

    Raises:
        AssetError: As `tetrahedralize`; a user mesh is missing or unreadable.
    """
    if not isinstance(geometry, MeshAsset):
        return tetrahedralize(geometry_mesh(geometry), resolution=resolution)
    name = f"tets-{VERSION}-{resolution}"
    arrays = kept_arrays(geometry.digest, name)
    if arrays is None:
        made = tetrahedralize(geometry_mesh(MeshAsset(digest=geometry.digest)), resolution=resolution)
        arrays = {
            "vertices": made.vertices,
            "tets": made.tets,
            "starts": made.embedding.start,
            "carriers": made.embedding.nodes,
            "weights": made.embedding.weights,
        }
        keep_arrays(geometry.digest, name, arrays)
    return TetMesh(
        vertices=arrays["vertices"] * geometry.scale,
        tets=arrays["tets"].copy(),
        embedding=Embedding(
            start=arrays["starts"].copy(), nodes=arrays["carriers"].copy(), weights=arrays["weights"].copy()
        ),
    )


def box_tetrahedra(size: Points, *, cells: tuple[int, int, int]) -> tuple[Points, Indices]:
    """Return nodes `(node, 3)` [m] and tets `(tet, 4)` of a centred box: five per cell, mirrored from cell to cell.

    Args:
        size: `(3,)` edge lengths [m].
        cells: Cells along x, y, z.
    """
    lines = [np.linspace(-0.5, 0.5, count + 1) * length for count, length in zip(cells, size, strict=True)]
    nodes = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, 3)
    i, j, k = (axis.ravel() for axis in np.meshgrid(*(np.arange(count) for count in cells), indexing="ij"))
    stride = np.array([(cells[1] + 1) * (cells[2] + 1), cells[2] + 1, 1])
    bits = np.array([[b >> 2 & 1, b >> 1 & 1, b & 1] for b in range(8)])
    corner = (np.stack([i, j, k], axis=-1) @ stride)[:, None] + bits @ stride  # (cell, corner 0bxyz)
    even = np.array([(0, 4, 2, 1), (6, 2, 4, 7), (5, 4, 1, 7), (3, 1, 2, 7), (4, 2, 1, 7)])
    odd = even ^ 4  # the mirror image in x
    tets = np.where(((i + j + k) % 2 == 0)[:, None, None], corner[:, even], corner[:, odd]).reshape(-1, 4)
    return nodes, _positive(nodes, tets.astype(np.int32))


def refined(mesh: TriangleMesh, *, edge: float) -> TriangleMesh:
    """Return the same surface with every triangle split into four until no edge is longer than `edge` [m]."""
    vertices, triangles = mesh.vertices, mesh.triangles
    for _ in range(MIDPOINTS_MAX):
        ends = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        if np.linalg.norm(vertices[ends[:, 0]] - vertices[ends[:, 1]], axis=1).max() <= edge:
            break
        unique, index = np.unique(ends, axis=0, return_inverse=True)
        ab, bc, ca = (index.reshape(-1, 3)[:, k] + len(vertices) for k in range(3))
        a, b, c = triangles.T
        vertices = np.concatenate([vertices, vertices[unique].mean(axis=1)])
        corners = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        triangles = np.concatenate([np.stack(three, axis=-1) for three in corners]).astype(np.int32)
    return TriangleMesh(vertices=vertices, triangles=triangles, smooth_angle=mesh.smooth_angle)


def _volumes(nodes: Points, tets: Indices) -> Points:
    a, b, c, d = (nodes[tets[:, k]] for k in range(4))
    return np.asarray(np.einsum("tx,tx->t", b - a, np.cross(c - a, d - a)) / 6.0)


def _positive(nodes: Points, tets: Indices) -> Indices:
    return np.where((_volumes(nodes, tets) < 0.0)[:, None], tets[:, [0, 2, 1, 3]], tets)


def _is_box(mesh: TriangleMesh, low: Points, high: Points, volume: float) -> bool:
    """Whether a surface is a box in its own axes: all vertices on its faces' planes, all of the box's volume inside."""
    on_face = np.isclose(mesh.vertices, low, atol=1e-9) | np.isclose(mesh.vertices, high, atol=1e-9)
    return bool(on_face.any(axis=1).all()) and abs(volume / float(np.prod(high - low)) - 1.0) < 1e-9


def _with_volume(nodes: Points, tets: Indices, volume: float, *, cell: float) -> Points:
    """Move the outer nodes along their normals so that the volume is met: chords cut off what is convex.

    A step is at most a tenth of a cell and is halved until every tetrahedron keeps half of its volume.
    """
    if not len(tets):
        return nodes
    faces, before = boundary_faces(tets), _volumes(nodes, tets)
    for _ in range(3):
        a, b, c = (nodes[faces[:, k]] for k in range(3))
        area = 0.5 * np.cross(b - a, c - a)
        normals = np.zeros_like(nodes)
        for k in range(3):
            np.add.at(normals, faces[:, k], area / 3.0)  # d(volume)/d(node)
        length = np.linalg.norm(normals, axis=1, keepdims=True)
        unit = normals / np.where(length > 0.0, length, 1.0)
        offset = float((volume - _volumes(nodes, tets).sum()) / length.sum())
        offset = float(np.clip(offset, -0.1 * cell, 0.1 * cell))
        while abs(offset) > 1e-9 * cell and (_volumes(nodes + offset * unit, tets) < 0.5 * before).any():
            offset *= 0.5
        nodes = nodes + offset * unit
    return nodes
