"""Many scenes in one Newton model: one world a scene, and which rows belong to whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import newton
import numpy as np
import numpy.typing as npt

from simfactory.arms import acting_bodies, is_guided
from simfactory.episode import FIRST_BODY, GROUND, ROOM
from simfactory.simulators.kinematics import motion_of, prescribed_motion
from simfactory.simulators.newton.air import build_air
from simfactory.simulators.newton.bodies import add_body
from simfactory.simulators.newton.shapes import (
    add_boxes,
    add_ground,
    add_room,
    separate_ghost,
    separate_joined,
    separate_planes,
)
from simfactory.spec import BodyCloth, BodyRigid, RobotPart, SceneSpec

__all__ = ["Worlds", "build_worlds"]

CONTACTS_PER_PAIR = 6
CONTACTS_PER_SHAPE = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Worlds:
    """A finalized model that holds one world per environment.

    Attributes:
        specs: The scenes, one per environment.
        model: The newton Model.
        body_rows: Per environment `(body,)` int: row of each body in the model's arrays, -1 for static bodies.
        row_ranges: Per environment (begin, end): the rows of its bodies, which are contiguous.
        shape_instance: `(shape,)` uint16: instance id of each collision shape.
        shape_environment: `(shape,)` int: environment of each collision shape.
        contact_capacity: Room for contacts, all environments together.
        node_rows: Per environment, body index → (begin, end): the rows of the nodes of bodies made of such.
        node_ranges: Per environment (begin, end): the rows of all its nodes.
        air: The air of all environments, with their clock: an `air.Air`.
    """

    specs: tuple[SceneSpec, ...]
    model: Any  # newton has no type information
    body_rows: tuple[npt.NDArray[np.int64], ...]
    row_ranges: tuple[tuple[int, int], ...]
    shape_instance: npt.NDArray[np.uint16]
    shape_environment: npt.NDArray[np.int64]
    contact_capacity: int
    node_rows: tuple[dict[int, tuple[int, int]], ...]
    node_ranges: tuple[tuple[int, int], ...]
    air: Any  # warp has no type information


def build_worlds(specs: Sequence[SceneSpec], *, device: str) -> Worlds:
    """Build a model of several scenes.

    Raises:
        AssetError: A user mesh is missing or unreadable.
    """
    builder = newton.ModelBuilder()
    instances: list[int] = []
    environments: list[int] = []
    body_rows, row_ranges, node_rows, node_ranges = [], [], [], []
    capacity = 0
    for environment, spec in enumerate(specs):
        builder.begin_world(gravity=spec.environment.gravity)
        begin, shapes_before, first_node = builder.body_count, len(instances), builder.particle_count
        planes: list[int] = []
        shapes: list[range] = []
        if spec.ground is not None:
            planes.append(add_ground(builder, spec.ground.physical))
            instances.append(GROUND)
        if spec.room is not None:
            walls = add_room(builder, spec.room.physical, size=spec.room.size, ceiling=spec.room.ceiling)
            instances.extend([ROOM] * len(walls))
            planes.extend(walls)
        rows: list[int] = []
        boxed = is_guided(spec) and any(isinstance(body, BodyCloth) for body in spec.bodies)
        nodes: dict[int, tuple[int, int]] = {}
        for index, body in enumerate(acting_bodies(spec)):
            node, first = builder.particle_count, builder.shape_count
            rows.append(add_body(builder, body))
            if boxed and isinstance(body, BodyRigid) and isinstance(body.geometry, RobotPart):
                add_boxes(builder, rows[-1], body, range(first, builder.shape_count))
            shapes.append(range(first, builder.shape_count))
            if builder.particle_count > node:
                nodes[index] = node, builder.particle_count
                continue
            motion = motion_of(spec, body.name)
            if motion is not None:
                start = prescribed_motion(body, motion, [0.0])
                builder.body_qd[rows[-1]] = (*start.linear_velocity[0], *start.angular_velocity[0])
            instances.extend([FIRST_BODY + index] * len(shapes[-1]))
        separate_planes(builder, shapes, planes, spec)
        separate_joined(builder, shapes, spec)
        separate_ghost(builder, shapes, spec)
        builder.end_world()
        shape_count = len(instances) - shapes_before
        environments.extend([environment] * shape_count)
        capacity += min(CONTACTS_PER_PAIR * shape_count * (shape_count - 1) // 2, CONTACTS_PER_SHAPE * shape_count)
        body_rows.append(np.array(rows, np.int64))
        row_ranges.append((begin, builder.body_count))
        node_rows.append(nodes)
        node_ranges.append((first_node, builder.particle_count))
    if any(node_rows):
        builder.color()  # of rigid bodies; the solver orders nodes itself
    return Worlds(
        specs=tuple(specs),
        model=builder.finalize(device=device),
        body_rows=tuple(body_rows),
        row_ranges=tuple(row_ranges),
        shape_instance=np.array(instances, np.uint16),
        shape_environment=np.array(environments, np.int64),
        contact_capacity=max(capacity, 16),
        node_rows=tuple(node_rows),
        node_ranges=tuple(node_ranges),
        air=build_air(specs, device=device),
    )
