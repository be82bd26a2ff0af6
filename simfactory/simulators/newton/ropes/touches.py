"""Where ropes touch bodies and each other, at one instant."""

from typing import Any

import numpy as np
import numpy.typing as npt

from simfactory.episode import FIRST_BODY, Contacts
from simfactory.simulators.newton.contacts import TOUCHING, joined
from simfactory.simulators.newton.worlds import Worlds

__all__ = ["read_rope_contacts"]


def read_rope_contacts(
    worlds: Worlds,
    ropes: Any,  # Any: a warp struct
    shape_touches: Any,  # Any: as above
    rope_touches: Any,  # Any: as above
    positions: npt.NDArray[np.float64],
) -> list[Contacts]:
    """Return where ropes touch anything, by environment; of two ropes, each contact once.

    Args:
        worlds: The model's environments.
        ropes: The ropes.
        shape_touches: Where samples are near shapes.
        rope_touches: Where segments are near others.
        positions: `(node, 3)` of all nodes [m].
    """
    instance = np.zeros(len(positions), np.uint16)
    environment = np.zeros(len(positions), np.int64)
    for number, rows in enumerate(worlds.node_rows):
        for index, (begin, end) in rows.items():
            instance[begin:end], environment[begin:end] = FIRST_BODY + index, number
    shape, gap = shape_touches.shape.numpy(), shape_touches.gap.numpy()
    sample, slot = np.nonzero((shape >= 0) & (gap <= TOUCHING))
    node = ropes.sample_node.numpy()[sample]
    parts = [
        (
            environment[node],
            worlds.shape_instance[shape[sample, slot]],
            instance[node],
            shape_touches.point.numpy()[sample, slot],
            shape_touches.normal.numpy()[sample, slot],
        )
    ]
    other, gap = rope_touches.other.numpy(), rope_touches.gap.numpy()
    node, slot = np.nonzero((other >= 0) & (gap <= TOUCHING))
    against = other[node, slot]
    node, slot, against = (values[node < against] for values in (node, slot, against))
    normal = rope_touches.normal.numpy()[node, slot]
    share = rope_touches.own_place.numpy()[node, slot][:, None]
    radius = ropes.radius.numpy()[ropes.owner.numpy()[node]][:, None]
    point = (1.0 - share) * positions[node] + share * positions[node + 1] - radius * normal
    parts.append((environment[node], instance[against], instance[node], point, normal))
    fields = [np.concatenate(values) for values in zip(*parts, strict=True)]
    return [_contacts(*(values[fields[0] == number] for values in fields[1:])) for number in range(len(worlds.specs))]


def _contacts(
    first: npt.NDArray[np.uint16],
    second: npt.NDArray[np.uint16],
    point: npt.NDArray[np.float64],
    normal: npt.NDArray[np.float64],
) -> Contacts:
    """Return contacts whose normals point from the first to the second, the lower id first."""
    swap = first > second
    contacts = Contacts(
        a=np.minimum(first, second),
        b=np.maximum(first, second),
        point=point.astype(np.float32),
        normal=np.where(swap[:, None], -normal, normal).astype(np.float32),
        impulse=np.full(len(first), np.nan, np.float32),
    )
    return joined([contacts])
