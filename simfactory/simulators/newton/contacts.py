"""Contacts of all environments at one instant, from the collision pipeline's buffer."""

from typing import Any

import numpy as np
import numpy.typing as npt

from simfactory.episode import Contacts
from simfactory.errors import SimulationError
from simfactory.simulators.newton.worlds import Worlds
from simfactory.transforms import quat_rotate

__all__ = ["TOUCHING", "joined", "read_contacts"]

TOUCHING = 1e-3  # [m] surfaces closer than this touch


def read_contacts(
    worlds: Worlds,
    buffer: Any,  # Any: newton has no type information
    poses: npt.NDArray[np.float32],
) -> list[Contacts]:
    """Return the touching contacts of every environment, ordered by (a, b).

    Args:
        worlds: The model's environments.
        buffer: The newton Contacts that the pipeline filled at these poses.
        poses: `(row, 7)` position and quaternion of every Newton body.

    Raises:
        SimulationError: More contacts were found than the buffer holds.
    """
    count = int(buffer.rigid_contact_count.numpy()[0])
    if count > worlds.contact_capacity:
        raise SimulationError(
            f"{count} contacts exceed the room for {worlds.contact_capacity}: bodies lie in a denser heap than the "
            "solver was prepared for; load fewer or simpler bodies per scene"
        )
    shapes = [getattr(buffer, f"rigid_contact_shape{side}").numpy()[:count] for side in (0, 1)]
    body_of_shape = worlds.model.shape_body.numpy()
    surface = []
    for side in (0, 1):
        local = (
            getattr(buffer, f"rigid_contact_point{side}").numpy()[:count]
            + getattr(buffer, f"rigid_contact_offset{side}").numpy()[:count]
        ).astype(np.float64)
        surface.append(_to_world(local, body_of_shape[shapes[side]], poses))
    normal = buffer.rigid_contact_normal.numpy()[:count]
    separation = np.einsum("ij,ij->i", normal, surface[1] - surface[0])
    a, b = (worlds.shape_instance[shape] for shape in shapes)
    environment = worlds.shape_environment[np.where(shapes[0] >= 0, shapes[0], shapes[1])]
    swap = a > b
    return [
        _select(
            np.flatnonzero((environment == index) & (separation <= TOUCHING)),
            a=np.where(swap, b, a),
            b=np.where(swap, a, b),
            point=0.5 * (surface[0] + surface[1]),
            normal=np.where(swap[:, None], -normal, normal),
        )
        for index in range(len(worlds.specs))
    ]


def joined(parts: list[Contacts]) -> Contacts:
    """Return several sets of contacts as one, ordered by (a, b)."""
    if not parts:
        return Contacts.none()
    fields = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("a", "b", "point", "normal", "impulse")
    }
    order = np.lexsort((fields["b"], fields["a"]))
    return Contacts(**{name: values[order] for name, values in fields.items()})


def _to_world(
    points: npt.NDArray[np.float64], bodies: npt.NDArray[np.int32], poses: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64]:
    """Transform points from their bodies' frames; those of body -1 are in the world already."""
    moving = bodies >= 0
    pose = poses[bodies[moving]].astype(np.float64)
    points[moving] = pose[:, :3] + quat_rotate(pose[:, 3:], points[moving])
    return points


def _select(
    rows: npt.NDArray[np.intp],
    *,
    a: npt.NDArray[np.uint16],
    b: npt.NDArray[np.uint16],
    point: npt.NDArray[np.float64],
    normal: npt.NDArray[np.float32],
) -> Contacts:
    rows = rows[np.lexsort((b[rows], a[rows]))]
    return Contacts(
        a=a[rows].astype(np.uint16),
        b=b[rows].astype(np.uint16),
        point=point[rows].astype(np.float32),
        normal=normal[rows].astype(np.float32),
        impulse=np.full(len(rows), np.nan, np.float32),
    )
