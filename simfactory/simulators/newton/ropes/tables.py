"""The tables of all ropes of a model, as the kernels read them."""

from typing import Any

import newton
import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.cords import centre_line
from simfactory.simulators.newton.bodies.rope import fixed_nodes, node_masses
from simfactory.simulators.newton.ropes.kernels.records import (
    ROPE_SLOTS,
    SHAPE_SLOTS,
    Bodies,
    Ropes,
    RopeTouches,
    Shapes,
    ShapeTouches,
)
from simfactory.simulators.newton.worlds import Worlds
from simfactory.spec import BodyRope

__all__ = ["free_inverse_mass", "rigid_bodies", "rope_tables", "rope_touches", "shape_table", "shape_touches"]

APART = 0.55  # radii between samples at most: an edge between two balls gets 4 % of a radius into the rope
TURN = np.pi  # radii along a rope within which it cannot touch itself: half a turn about its own thickness


def rope_tables(worlds: Worlds) -> Any:  # Any: a warp struct
    """Return the ropes of all environments; rows of nodes are the model's."""
    count, device = worlds.model.particle_count, worlds.model.device
    owner, fixed = np.full(count, -1, np.int32), np.ones(count, np.int32)
    mass, length = np.zeros(count), np.ones(count)
    rows: dict[str, list[float]] = {name: [] for name in ("first", "last", "world", "skipped")}
    made: dict[str, list[float]] = {name: [] for name in ("radius", "stretch", "bend", "relaxation", "friction")}
    sample_node: list[npt.NDArray[np.int64]] = []
    sample_weight: list[npt.NDArray[np.float64]] = []
    samples, world_samples = [0], [0]
    for world, (spec, nodes) in enumerate(zip(worlds.specs, worlds.node_rows, strict=True)):
        for index, (begin, end) in nodes.items():
            body = spec.bodies[index]
            assert isinstance(body, BodyRope)
            last = end - 1  # the tip of its director
            line = centre_line(body)
            parts = np.linalg.norm(np.diff(line, axis=0), axis=-1)
            owner[begin:last] = len(rows["first"])
            fixed[begin:last], mass[begin:last] = fixed_nodes(body), node_masses(body)
            length[begin:last] = np.append(parts, parts[-1])
            radius = body.geometry.radius
            mean = float(parts.mean())
            skipped = int(np.ceil(TURN * radius / mean)) + 1
            for name, value in (("first", begin), ("last", last), ("world", world), ("skipped", skipped)):
                rows[name].append(value)
            for name, number in (
                ("radius", radius),
                ("stretch", body.stretch),
                ("bend", body.bend),
                ("relaxation", body.relaxation),
                ("friction", body.physical.dynamic_friction),
            ):
                made[name].append(number)
            each = max(1, int(np.ceil(mean / (APART * radius) - 1e-6)))
            sample_node.append(np.append(np.repeat(np.arange(begin, last - 1), each), last - 1))
            sample_weight.append(np.append(np.tile(np.arange(each) / each, last - 1 - begin), 0.0))
            samples.append(samples[-1] + len(sample_node[-1]))
        world_samples.append(samples[-1])
    ropes = Ropes()

    def put(name: str, values: Any, kind: Any) -> None:  # Any: arrays and warp types
        setattr(ropes, name, wp.array(np.asarray(values), dtype=kind, device=device))

    for name, integers in rows.items():
        put(name, np.array(integers, np.int32), wp.int32)
    for name, numbers in made.items():
        put(name, np.array(numbers, np.float64), wp.float64)
    put("sample_first", np.array(samples[:-1], np.int32), wp.int32)
    put("sample_last", np.array(samples[1:], np.int32), wp.int32)
    put("mass", mass, wp.float64)
    put("fixed", fixed, wp.int32)
    put("length", length, wp.float64)
    put("owner", owner, wp.int32)
    put("sample_node", np.concatenate(sample_node).astype(np.int32), wp.int32)
    put("sample_weight", np.concatenate(sample_weight), wp.float64)
    put("world_first", np.array([begin for begin, _ in worlds.node_ranges], np.int32), wp.int32)
    put("world_last", np.array([end for _, end in worlds.node_ranges], np.int32), wp.int32)
    put("world_sample_first", np.array(world_samples[:-1], np.int32), wp.int32)
    put("world_sample_last", np.array(world_samples[1:], np.int32), wp.int32)
    return ropes


def shape_table(worlds: Worlds) -> Any:  # Any: a warp struct
    """Return the collision shapes of all environments."""
    model, numbers = worlds.model, np.arange(len(worlds.specs))
    device, table = model.device, Shapes()
    first = np.searchsorted(worlds.shape_environment, numbers)
    last = np.searchsorted(worlds.shape_environment, numbers, side="right")
    table.first = wp.array(first.astype(np.int32), dtype=wp.int32, device=device)
    table.last = wp.array(last.astype(np.int32), dtype=wp.int32, device=device)
    if not model.shape_count:
        return table
    table.body, table.kind, table.scale = model.shape_body, model.shape_type, model.shape_scale
    table.source, table.properties = model.shape_source_ptr, model._shape_mesh_properties
    table.frame, table.flags, table.friction = model.shape_transform, model.shape_flags, model.shape_material_mu
    table.radius = wp.array(_shape_radii(model), dtype=wp.float32, device=device)
    return table


def free_inverse_mass(model: Any) -> Any:  # Any: a newton Model, a warp array
    """Return the inverse mass `(body,)` [1/kg] by which bodies give way: 0 of those that are moved as prescribed."""
    if not model.body_count:
        return None
    led = (model.body_flags.numpy() & int(newton.BodyFlags.KINEMATIC)) != 0
    mass = np.where(led, 0.0, model.body_inv_mass.numpy()).astype(np.float32)
    return wp.array(mass, dtype=wp.float32, device=model.device)


def rigid_bodies(model: Any, state: Any, inv_mass: Any) -> Any:  # Any: a newton Model and State, a warp array, a struct
    """Return the rigid bodies of a model at a state."""
    table = Bodies()
    if model.body_count:
        table.pose, table.velocity, table.center = state.body_q, state.body_qd, model.body_com
        table.flags = model.body_flags
        table.inv_mass, table.inv_inertia = inv_mass, model.body_inv_inertia
    return table


def _shape_radii(model: Any) -> npt.NDArray[np.float32]:  # Any: a newton Model
    """Return the radius `(shape,)` [m] of the ball about each shape's own origin that holds it; planes do not count.

    Newton's radii are about the middle of a mesh, which for a part of a body is not its origin.
    """
    radii = np.array(model.shape_collision_radius.numpy(), np.float32)
    scales = model.shape_scale.numpy()
    for shape, source in enumerate(model.shape_source):
        if hasattr(source, "vertices"):
            radii[shape] = np.linalg.norm(np.asarray(source.vertices) * scales[shape], axis=-1).max()
    return radii


def shape_touches(samples: int, device: Any) -> Any:  # Any: warp
    """Return room for where samples touch shapes."""
    touches, size = ShapeTouches(), (samples, _number(SHAPE_SLOTS))
    touches.shape = wp.full(size, value=-1, dtype=wp.int32, device=device)
    for name in ("gap", "friction", "yield_normal", "yield_across", "ahead"):
        setattr(touches, name, wp.zeros(size, dtype=wp.float64, device=device))
    for name in ("normal", "velocity", "point"):
        setattr(touches, name, wp.zeros(size, dtype=wp.vec3d, device=device))
    return touches


def rope_touches(nodes: int, device: Any) -> Any:  # Any: warp
    """Return room for where segments touch each other."""
    touches, size = RopeTouches(), (nodes, _number(ROPE_SLOTS))
    touches.other = wp.full(size, value=-1, dtype=wp.int32, device=device)
    for name in ("gap", "own_place", "other_place"):
        setattr(touches, name, wp.zeros(size, dtype=wp.float64, device=device))
    touches.normal = wp.zeros(size, dtype=wp.vec3d, device=device)
    return touches


def _number(constant: Any) -> int:  # Any: a warp constant is its number, or holds it
    return int(constant.val if hasattr(constant, "val") else constant)
