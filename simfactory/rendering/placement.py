"""Scenes put into place: where every instance is at one instant, ready to be met by rays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.episode import FIRST_BODY, GROUND, Surface, WorldState
from simfactory.rendering.arrays import DeviceArray, Records, WarpArray, records
from simfactory.rendering.geometry import Geometry, Shape
from simfactory.rendering.kernels.surface import resolve_roots
from simfactory.rendering.kernels.world import (
    CLOSED,
    CONVEX,
    DEFORMING,
    GROUND_PLANE,
    LIQUID,
    OCCLUDER,
    OPEN,
    Instance,
    World,
)
from simfactory.surfacing import LiquidSurface, liquid_surface
from simfactory.transforms import quat_to_matrix

__all__ = ["Placed", "Placements"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

BOX_GAIN = 1.4  # a box hides this much more than the ellipsoid inside it (measured at its foot)
BALL_FILL = 0.5236  # share of its bounding box that an ellipsoid fills


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """All environments at one instant; valid until its slot is placed again.

    Attributes:
        slot: The slot.
        world: What kernels read.
    """

    slot: int
    world: World


class Placements:
    """The slots of a renderer: each holds all environments at one instant."""

    def __init__(self, scenes: Sequence[Sequence[Surface]], geometry: Geometry, device: wp.Device) -> None:
        """Prepare the slots for the surfaces of each environment."""
        self._surfaces = [surface for surfaces in scenes for surface in surfaces]
        self._environment = np.repeat(np.arange(len(scenes)), [len(surfaces) for surfaces in scenes]).astype(np.int32)
        self._body = np.array([-1 if s.body is None else s.body for s in self._surfaces])
        self._rigid = np.array([not (s.deforming or s.liquid) for s in self._surfaces])
        self._liquids: dict[tuple[int, int], tuple[LiquidSurface, Float32]] = {}  # by surface and slot
        self._geometry = geometry
        self._device = device
        self._environment_count = len(scenes)
        self._slots = [self._slot(slot) for slot in range(geometry.slots)]

    def place(self, states: Sequence[WorldState], slot: int) -> Placed:
        """Put every environment into a state."""
        placed = self._slots[slot]
        self._pose(placed.instances.host, states)
        self._bound(placed, states, slot)
        placed.instances.upload()
        if placed.tree is None:
            placed.tree = wp.Bvh(placed.lower.array, placed.upper.array, groups=placed.groups)
            placed.world.tree = placed.tree.id
        else:
            placed.tree.rebuild()
        wp.launch(
            resolve_roots,
            dim=self._environment_count,
            inputs=[placed.tree.id],
            outputs=[placed.world.roots],
            device=self._device,
        )
        return Placed(slot=slot, world=placed.world)

    def carry(self, source: int, target: int) -> None:
        """Carry the surfaces of liquids in one slot to the instant of another, for `trace_motion`."""
        for index, slot in self._liquids:
            if slot == source:
                made, start = self._liquids[index, source]
                self._geometry.carry(index, made.carried(start, self._liquids[index, target][1]))

    def item(self, environment: int, instances: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
        """Return the items of liquids by their instance ids in an environment; -1 for all that is none."""
        result = np.full(len(instances), -1, np.int32)
        for index, surface in enumerate(self._surfaces):
            if surface.liquid and self._environment[index] == environment:
                result[instances == surface.instance] = index
        return result

    def _slot(self, slot: int) -> "_Slot":
        count = len(self._surfaces)
        rows = records(Instance, count)
        rows["rotation"] = np.eye(3)
        shapes = self._geometry.shapes
        for name, values in {
            "mesh": [shape.meshes[slot].id for shape in shapes],
            "first_vertex": [shape.first_vertex[slot] for shape in shapes],
            "first_normal": [shape.first_normal[slot] for shape in shapes],
            "first_index": [shape.first_index[slot] for shape in shapes],
            "first_rest": [shape.first_rest for shape in shapes],
            "slack": [surface.spacing for surface in self._surfaces],
            "flags": [_flags(s, shape) for s, shape in zip(self._surfaces, shapes, strict=True)],
            "instance": [surface.instance for surface in self._surfaces],
            "lattice_cells": [shape.lattice.cells for shape in shapes],
            "lattice_half": [shape.lattice.size for shape in shapes],
            "proxy_center": [0.5 * (shape.lower + shape.upper) for shape in shapes],
            "proxy_half": [np.maximum(0.5 * (shape.upper - shape.lower), 1e-4) for shape in shapes],
            "proxy_gain": [1.0 + (BOX_GAIN - 1.0) * (shape.fill - BALL_FILL) / (1.0 - BALL_FILL) for shape in shapes],
        }.items():
            rows[name] = np.asarray(values)
        world = World()
        instances = DeviceArray(rows, Instance, self._device)
        world.instances = instances.array
        world.roots = wp.zeros(self._environment_count, dtype=wp.int32, device=self._device)
        world.vertices = self._geometry.vertices
        world.indices = self._geometry.indices
        world.normals = self._geometry.normals
        return _Slot(
            instances=instances,
            lower=DeviceArray(np.zeros((count, 3), np.float32), wp.vec3, self._device),
            upper=DeviceArray(np.zeros((count, 3), np.float32), wp.vec3, self._device),
            groups=wp.array(self._environment, dtype=wp.int32, device=self._device),
            world=world,
        )

    def _pose(self, rows: Records, states: Sequence[WorldState]) -> None:
        """Write the poses of all rigid bodies; what is fixed or deforming keeps the identity."""
        for environment, state in enumerate(states):
            moving = (self._environment == environment) & (self._body >= 0) & self._rigid
            bodies = self._body[moving]
            if len(bodies):
                rows["rotation"][moving] = quat_to_matrix(state.quat_xyzw[bodies])
                rows["position"][moving] = state.position[bodies]

    def _bound(self, placed: "_Slot", states: Sequence[WorldState], slot: int) -> None:
        """Write world bounds: of a rigid body, what its turned box and its ball share."""
        shapes = self._geometry.shapes
        rows = placed.instances.host
        rotation, position = rows["rotation"], rows["position"]
        center = rows["proxy_center"].astype(np.float64)
        half = np.array([0.5 * (shape.upper - shape.lower) for shape in shapes])
        middle = np.einsum("nij,nj->ni", rotation, center) + position
        reach = np.minimum(
            np.einsum("nij,nj->ni", np.abs(rotation), half), np.array([[shape.radius] for shape in shapes])
        )
        lower, upper = middle - reach, middle + reach
        for index in np.flatnonzero(~self._rigid):
            state, body = states[self._environment[index]], int(self._body[index])
            if self._surfaces[index].liquid:
                particles = state.particles[body]
                made = liquid_surface(particles, spacing=self._surfaces[index].spacing)
                rows["mesh"][index] = self._geometry.renew(int(index), slot, made)
                self._liquids[int(index), slot] = made, particles
                vertices = made.vertices
            else:
                vertices = state.vertices[body]
                self._geometry.deform(int(index), slot, vertices)
            lower[index], upper[index] = vertices.min(axis=0), vertices.max(axis=0)
        # Rays and bounds are float32: a margin beyond their rounding keeps the tree from hiding a hit.
        margin = 1e-6 * (1.0 + np.abs(lower) + np.abs(upper))
        placed.lower.host[:] = lower - margin
        placed.upper.host[:] = upper + margin
        placed.lower.upload()
        placed.upper.upload()


@dataclass(kw_only=True, slots=True)
class _Slot:
    """The memory of one slot."""

    instances: DeviceArray
    lower: DeviceArray
    upper: DeviceArray
    groups: WarpArray
    world: World
    tree: wp.Bvh | None = None


def _flags(surface: Surface, shape: Shape) -> int:
    flags = 0
    if shape.convex or shape.lattice.cells[0] > 0:
        flags |= int(CONVEX)
    if shape.lattice.open:
        flags |= int(OPEN)
    if shape.closed:
        flags |= int(CLOSED)
    if surface.liquid:
        flags |= int(LIQUID)
    elif surface.deforming:
        flags |= int(DEFORMING)
    elif surface.instance >= FIRST_BODY:
        flags |= int(OCCLUDER)
    if surface.instance == GROUND:
        flags |= int(GROUND_PLANE)
    return flags
