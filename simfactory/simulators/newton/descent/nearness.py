"""Pairs of nodes, edges and triangles of cloth that are near each other, kept until something has moved far."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.simulators.newton.descent.kernels.near import (
    EDGE_ROOM,
    NODE_ROOM,
    TRIANGLE_ROOM,
    Near,
    apply_bounds,
    bound_moves,
    find_edges,
    find_triangles,
    judge,
    mark_busy,
)

__all__ = ["Nearness"]

SLACK = 4e-3  # [m] that nodes may move before pairs are looked for anew
LEAST_SPEED = 1.0  # [m/s] that nodes can always reach within a step


class Nearness:
    """Which parts of cloth may meet, and how far nodes may go without crossing any.

    Pairs are looked for a little farther than they could meet in a step, and stay listed until nodes have moved by as
    much. Each environment is judged by itself, so that it moves as it would alone.

    Args:
        model: A newton Model.
        around: Newton's MeshAdjacencyData: what every node is a corner of.
        detector: Newton's collision detector, whose trees of triangles and edges are used.
        node_ranges: By environment: its nodes, first and one after the last.
        row_ranges: By environment: its rigid bodies, alike.
        dt: Solver step [s].
        distance: That layers keep [m].
        farthest: Within which pairs are looked for at most [m].
        relaxation: Of the way to the nearest layer that a node goes in a step [1].
    """

    def __init__(
        self,
        model: Any,  # Any: newton has no type information
        around: Any,  # Any: as above
        detector: Any,  # Any: as above
        *,
        node_ranges: Sequence[tuple[int, int]],
        row_ranges: Sequence[tuple[int, int]],
        dt: float,
        distance: float,
        farthest: float,
        relaxation: float,
    ) -> None:
        self._model, self._around, self._detector, self._device = model, around, detector, model.device
        self._dt, self._distance, self._farthest, self._relaxation = dt, distance, farthest, relaxation
        count = len(node_ranges)
        self._ranges = [self._ints(ends) for ranges in (node_ranges, row_ranges) for ends in np.array(ranges).T]
        self._fresh, self._due = self._ints(np.ones(count)), self._ints(np.zeros(count))
        self._found: Any = wp.clone(model.particle_q)  # Any: warp arrays
        self._share: Any = wp.full(model.particle_count, value=1.0, dtype=wp.float32, device=self._device)
        # Any: a warp array
        self._no_velocity: Any = wp.zeros(1, dtype=wp.spatial_vectorf, device=self._device)
        self.near: Any = Near()  # Any: a warp structure
        self.near.node_world = model.particle_world
        counts: list[tuple[str, int, Any]] = [  # Any: a warp constant is its number, or holds it
            ("node", model.particle_count, NODE_ROOM),
            ("triangle", model.tri_count, TRIANGLE_ROOM),
            ("edge", model.edge_count, EDGE_ROOM),
        ]
        for name, rows, room in counts:
            places = rows * int(room.val if hasattr(room, "val") else room)
            setattr(self.near, f"{name}_count", self._ints(np.zeros(rows)))
            setattr(self.near, f"{name}_list", self._ints(np.zeros(places)))
            setattr(self.near, f"{name}_gap", wp.zeros(places, dtype=wp.float32, device=self._device))
        self.near.busy = self._ints(np.zeros(model.particle_count))
        for name in ("radius", "moved", "bound"):
            setattr(self.near, name, wp.zeros(count, dtype=wp.float32, device=self._device))
        self.near.common = wp.zeros(count, dtype=wp.vec3, device=self._device)

    def find(self, state: Any) -> None:  # Any: a newton State
        """Look for pairs where that is due, at the beginning of a solver step."""
        model, detector, position = self._model, self._detector, state.particle_q
        first, last, first_body, last_body = self._ranges
        velocity = state.body_qd if model.body_count else self._no_velocity
        around = [self._distance, self._farthest, SLACK, self._relaxation, LEAST_SPEED]
        now = [first, last, first_body, last_body, velocity, state.particle_qd, position, self._found]
        self._launch(judge, len(self._fresh), [self._dt, *around, *now, self._fresh, self._due, self.near])
        detector.refit(position)
        edges = [detector.bvh_edges.id, detector.bvh_edges_group_roots, detector.edge_edge_parallel_epsilon]
        mesh = [model.tri_indices, model.edge_indices, position, self.near]
        self._launch(find_edges, max(model.edge_count, model.tri_count), [self._due, *edges, *mesh])
        triangles = [detector.bvh_tris.id, detector.bvh_tris_group_roots, model.tri_indices]
        self._launch(find_triangles, model.particle_count, [self._due, *triangles, position, self._found, self.near])
        self._launch(mark_busy, model.particle_count, [self._due, self._around, self.near])

    def bound(self, start: Any, displacement: Any, position: Any) -> None:  # Any: warp arrays
        """Cut the ways `(node,)` of a step short where nodes would cross something."""
        model = self._model
        ways = [model.tri_indices, model.edge_indices, start, displacement, self.near, self._share]
        self._launch(bound_moves, max(model.particle_count, model.edge_count), [self._relaxation, *ways])
        self._launch(apply_bounds, model.particle_count, [start, self.near, self._share, displacement, position])

    def forget(self, environment: int) -> None:
        """Look for the pairs of an environment anew in the next step."""
        self._fresh[environment : environment + 1].fill_(1)

    def _ints(self, values: npt.NDArray[np.generic]) -> Any:  # Any: a warp array
        return wp.array(values.astype(np.int32), dtype=wp.int32, device=self._device)

    def _launch(self, kernel: Any, count: int, inputs: list[Any]) -> None:  # Any: warp
        wp.launch(kernel, dim=count, inputs=inputs, device=self._device)
