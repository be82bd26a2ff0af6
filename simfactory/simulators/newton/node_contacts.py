"""Where nodes of soft bodies touch rigid bodies and each other, at one instant."""

from typing import Any

import numpy as np
import numpy.typing as npt

from simfactory.episode import FIRST_BODY, Contacts
from simfactory.simulators.newton.contacts import TOUCHING, joined
from simfactory.simulators.newton.worlds import Worlds
from simfactory.transforms import quat_rotate

__all__ = ["read_meeting_contacts", "read_soft_contacts"]


def read_soft_contacts(
    worlds: Worlds,
    buffer: Any,  # Any: newton has no type information
    nodes: npt.NDArray[np.float32],
    poses: npt.NDArray[np.float32],
) -> list[Contacts]:
    """Return where nodes of soft bodies touch rigid bodies, ground and room, by environment.

    Args:
        worlds: The model's environments.
        buffer: The newton Contacts that the pipeline filled at these states.
        nodes: `(row, 3)` positions of all nodes [m].
        poses: `(row, 7)` position and quaternion of every Newton body.
    """
    count = int(buffer.soft_contact_count.numpy()[0])
    node = buffer.soft_contact_particle.numpy()[:count]
    kept = np.flatnonzero(node >= 0)
    kept = kept[np.argsort(node[kept], kind="stable")]
    node, shape = node[kept], buffer.soft_contact_shape.numpy()[kept]
    normal = buffer.soft_contact_normal.numpy()[kept]
    point = buffer.soft_contact_body_pos.numpy()[kept].astype(np.float64)
    body = worlds.model.shape_body.numpy()[shape]
    moving = body >= 0
    pose = poses[body[moving]].astype(np.float64)
    point[moving] = pose[:, :3] + quat_rotate(pose[:, 3:], point[moving])
    touching = (
        np.einsum("ij,ij->i", normal, nodes[node] - point) <= worlds.model.particle_radius.numpy()[node] + TOUCHING
    )
    other = worlds.shape_instance[shape]
    result = []
    for rows in worlds.node_rows:
        parts = []
        for index, (begin, end) in rows.items():
            own = np.flatnonzero(touching & (node >= begin) & (node < end))
            soft = np.full(len(own), FIRST_BODY + index, np.uint16)
            swap = other[own] > soft  # from a to b, a the lower id; the normal points from the rigid to the soft side
            parts.append(
                Contacts(
                    a=np.where(swap, soft, other[own]).astype(np.uint16),
                    b=np.where(swap, other[own], soft).astype(np.uint16),
                    point=point[own].astype(np.float32),
                    normal=np.where(swap[:, None], -normal[own], normal[own]).astype(np.float32),
                    impulse=np.full(len(own), np.nan, np.float32),
                )
            )
        result.append(joined(parts))
    return result


def read_meeting_contacts(
    worlds: Worlds,
    near: tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]],
    nodes: npt.NDArray[np.float32],
    *,
    distance: float,
) -> list[Contacts]:
    """Return where nodes of soft bodies touch other soft bodies, by environment.

    Args:
        worlds: The model's environments.
        near: Per node the first row of the nearest other soft body, -1 for none, and the nearest point on it [m].
        nodes: `(row, 3)` positions of all nodes [m].
        distance: At which soft bodies touch [m].
    """
    other, point = near
    apart = nodes - point
    gap = np.linalg.norm(apart, axis=1)
    touching = (other >= 0) & (gap <= distance + TOUCHING) & (gap > 0.0)
    result = []
    for rows in worlds.node_rows:
        instance = {begin: FIRST_BODY + index for index, (begin, _) in rows.items()}
        parts = []
        for index, (begin, end) in rows.items():
            own = begin + np.flatnonzero(touching[begin:end])
            a = np.full(len(own), FIRST_BODY + index, np.uint16)
            b = np.array([instance[row] for row in other[own].tolist()], np.uint16)
            swap = b < a  # the normal points from the other body to this one's node
            normal = (apart[own] / gap[own, None]).astype(np.float32)
            parts.append(
                Contacts(
                    a=np.minimum(a, b),
                    b=np.maximum(a, b),
                    point=(0.5 * (nodes[own] + point[own])).astype(np.float32),
                    normal=np.where(swap[:, None], normal, -normal),
                    impulse=np.full(len(own), np.nan, np.float32),
                )
            )
        result.append(joined(parts))
    return result
