"""The surface of a liquid, made of its particles by marching cubes, and the particles that carry each vertex."""

import itertools
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp
from warp.geometry import IsoSurfaceMarchingCubes

from simfactory.spec import BodyFluid
from simfactory.surfacing import kernels

__all__ = ["LiquidSurface", "body_surface", "liquid_surface"]

STEP = 0.6  # [spacing] between nodes of the field
REACH = 2.0  # [spacing] of a particle's weight
RADIUS = 0.55  # [spacing] of a drop of one particle; a level surface is then half a spacing above the uppermost
SMOOTHINGS = 2
SMOOTHED = 0.5  # [1] of the way to the middle of its neighbours that a vertex goes
KEPT = 12  # surfaces: five cameras ask for the same ones, each for those of three frames

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True, kw_only=True, slots=True)
class LiquidSurface:
    """Triangles about particles at one instant; another instant has others.

    A vertex V is carried by particles p with weights w: at another instant it is at V + Σ w (p' − p).

    Attributes:
        vertices: `(vertex, 3)` world frame [m].
        triangles: `(triangle, 3)` normals outward.
        particles: `(vertex, 8)` rows of the nearest particles.
        weights: `(vertex, 8)` their weights [1]; they sum to 1, unused ones are 0.
    """

    vertices: Float32
    triangles: Int32
    particles: Int32
    weights: Float32

    def carried(self, start: Float32, end: Float32) -> Float64:
        """Return where the vertices `(vertex, 3)` are when particles `(particle, 3)` have gone from start to end."""
        way = end.astype(np.float64) - start.astype(np.float64)
        return np.asarray(self.vertices + np.einsum("vk,vkx->vx", self.weights.astype(np.float64), way[self.particles]))


def body_surface(body: BodyFluid, positions: Float32) -> LiquidSurface:
    """Return the surface of a liquid whose particles are at `(particle, 3)` world positions [m]."""
    return liquid_surface(positions, spacing=body.spacing)


def liquid_surface(positions: Float32, *, spacing: float) -> LiquidSurface:
    """Return the surface about particles; computed on the CPU, so that it is the same wherever it is asked for.

    Args:
        positions: `(particle, 3)` world frame [m].
        spacing: Edge of the cube that a particle stands for [m].
    """
    return _surface(np.ascontiguousarray(positions, np.float32).tobytes(), spacing)


@lru_cache(maxsize=KEPT)
def _surface(positions: bytes, spacing: float) -> LiquidSurface:
    places = np.frombuffer(positions, np.float32).reshape(-1, 3)
    step, reach = STEP * spacing, REACH * spacing
    with wp.ScopedDevice("cpu"):
        # Any: Warp and Newton have no type information
        points: Any = wp.array(places, dtype=wp.vec3)
        vertices, indices = _triangles(points, places, step, reach, RADIUS * spacing)
        grid = wp.HashGrid(64, 64, 64, device="cpu")
        grid.build(points, reach)
        count = len(vertices)
        particles = wp.zeros((count, kernels.CARRIERS), dtype=wp.int32)
        weights = wp.zeros((count, kernels.CARRIERS), dtype=wp.float32)
        wp.launch(
            kernels.find_carriers,
            dim=count,
            inputs=[grid.id, points, vertices, reach],
            outputs=[particles, weights],
        )
        return LiquidSurface(
            vertices=vertices.numpy().copy(),
            triangles=indices.numpy().reshape(-1, 3)[:, ::-1].copy(),  # Warp turns them inward
            particles=particles.numpy().copy(),
            weights=weights.numpy().copy(),
        )


def _triangles(
    # Any: Warp and Newton have no type information
    points: Any,
    places: Float32,
    step: float,
    reach: float,
    radius: float,
) -> tuple[Any, Any]:  # Any: arrays
    """Return the vertices and the triangles' indices, on the CPU."""
    corners, keys, neighbors = _blocks(places, step, reach + step)
    count = kernels.EDGE**3 * len(keys)
    field = wp.zeros(count, dtype=wp.vec4)
    # Any: Warp and Newton have no type information
    blocks: Any = wp.array(neighbors, dtype=wp.int32)
    wp.launch(
        kernels.scatter_field, dim=len(places), inputs=[points, step, reach, wp.array(keys, dtype=wp.int64), field]
    )
    cubes = IsoSurfaceMarchingCubes
    # Any: Warp and Newton have no type information
    offsets: Any = wp.array(np.array(cubes.CUBE_CORNER_OFFSETS, np.int32), dtype=wp.int32)
    # Any: Warp and Newton have no type information
    edge_corners: Any = wp.array(np.array(cubes.EDGE_TO_CORNERS, np.int32), dtype=wp.int32)
    # Any: Warp and Newton have no type information
    ranges: Any = wp.array(np.array(cubes.CASE_TO_TRI_RANGE, np.int32), dtype=wp.int32)
    # Any: Warp and Newton have no type information
    local: Any = wp.array(np.array(cubes.TRI_LOCAL_INDICES, np.int32), dtype=wp.int32)
    vertex_counts, index_counts = (wp.zeros(count, dtype=wp.int32) for _ in range(2))
    wp.launch(
        kernels.count_pieces,
        dim=count,
        inputs=[field, blocks, radius, offsets, ranges],
        outputs=[vertex_counts, index_counts],
    )
    first_vertex, vertex_total = _starts(vertex_counts)
    first_index, index_total = _starts(index_counts)
    edges = wp.zeros((count, 3), dtype=wp.int32)
    vertices = wp.zeros(vertex_total, dtype=wp.vec3)
    indices = wp.zeros(index_total, dtype=wp.int32)
    wp.launch(
        kernels.place_vertices,
        dim=count,
        inputs=[field, blocks, wp.array(corners, dtype=wp.vec3i), step, radius, first_vertex],
        outputs=[edges, vertices],
    )
    wp.launch(
        kernels.write_triangles,
        dim=count,
        inputs=[field, blocks, radius, offsets, edge_corners, ranges, local, first_index, edges],
        outputs=[indices],
    )
    for _ in range(SMOOTHINGS):
        sums, degrees = wp.zeros(vertex_total, dtype=wp.vec3), wp.zeros(vertex_total, dtype=wp.int32)
        wp.launch(kernels.add_neighbors, dim=index_total // 3, inputs=[indices, vertices], outputs=[sums, degrees])
        wp.launch(kernels.smooth, dim=vertex_total, inputs=[sums, degrees, SMOOTHED], outputs=[vertices])
    return vertices, indices


def _starts(counts: Any) -> tuple[Any, int]:  # Any: warp arrays
    """Return where each one's pieces begin, and how many there are."""
    ends = np.cumsum(counts.numpy(), dtype=np.int64)
    return wp.array((ends - counts.numpy()).astype(np.int32), dtype=wp.int32), int(ends[-1])


def _blocks(places: Float32, step: float, reach: float) -> tuple[Int32, npt.NDArray[np.int64], Int32]:
    """Return the blocks of nodes near particles: indices `(block, 3)`, keys and the rows of the eight that follow."""
    low = np.ceil((places - reach) / step).astype(np.int64) // kernels.EDGE
    high = np.floor((places + reach) / step).astype(np.int64) // kernels.EDGE
    widest = int((high - low).max()) + 1
    found = [np.minimum(low + np.array(shift), high) for shift in itertools.product(range(widest), repeat=3)]
    corners = np.unique(np.concatenate(found), axis=0)
    keys = _packed(corners)
    order = np.argsort(keys)
    corners, keys = corners[order], keys[order]
    neighbors = np.full((len(keys), 8), -1, np.int32)
    for column, shift in enumerate(itertools.product(range(2), repeat=3)):
        wanted = _packed(corners + np.array(shift))
        row = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        neighbors[:, column] = np.where(keys[row] == wanted, row, -1)
    return corners.astype(np.int32), keys, neighbors


def _packed(corners: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the keys of blocks, as `kernels.packed`."""
    shifted = corners + (1 << 20)
    return np.asarray((shifted[:, 0] * (1 << 21) + shifted[:, 1]) * (1 << 21) + shifted[:, 2])
