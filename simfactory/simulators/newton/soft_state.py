"""What is read of soft bodies: surfaces, best-fitting poses, velocities, and where they touch rigid ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simfactory.episode import FIRST_BODY, Contacts
from simfactory.simulators.newton.bodies.soft_body import CONTACT_RADIUS, SoftMesh
from simfactory.simulators.newton.contacts import TOUCHING
from simfactory.simulators.newton.worlds import Worlds
from simfactory.transforms import quat_rotate

__all__ = ["SoftPose", "joined", "read_meeting_contacts", "read_soft_contacts", "soft_pose"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class SoftPose:
    """The rigid motion that fits a deformed body best, and the velocities of its mass.

    Attributes:
        position: `(3,)` of the body's origin, world frame [m].
        quat_xyzw: `(4,)` body-to-world rotation.
        linear_velocity: `(3,)` of the centre of mass [m/s].
        angular_velocity: `(3,)` of the rigid body with the same angular momentum [rad/s].
    """

    position: Array
    quat_xyzw: Array
    linear_velocity: Array
    angular_velocity: Array


def soft_pose(mesh: SoftMesh, nodes: Array, velocities: Array) -> SoftPose:
    """Return pose and velocities of a deformed body.

    Args:
        mesh: The body at rest.
        nodes: `(node, 3)` world frame [m].
        velocities: `(node, 3)` world frame [m/s].

    Source: K. S. Arun et al., "Least-squares fitting of two 3-D point sets" (1987).
    """
    share = mesh.node_volume / mesh.node_volume.sum()
    center = share @ nodes
    arm, rest = nodes - center, mesh.tets.vertices - mesh.center
    left, _, right = np.linalg.svd(np.einsum("n,ni,nj->ij", share, arm, rest))
    flip = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    rotation = (left * flip) @ right
    linear = share @ velocities
    momentum = share @ np.cross(arm, velocities - linear)
    inertia = np.einsum("n,ni,ni->", share, arm, arm) * np.eye(3) - np.einsum("n,ni,nj->ij", share, arm, arm)
    return SoftPose(
        position=center - rotation @ mesh.center,
        quat_xyzw=_quat(rotation),
        linear_velocity=linear,
        angular_velocity=np.linalg.solve(inertia, momentum),
    )


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
    touching = np.einsum("ij,ij->i", normal, nodes[node] - point) <= CONTACT_RADIUS + TOUCHING
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


def _quat(rotation: Array) -> Array:
    """Return the quaternion `(4,)` xyzw of a rotation matrix: the eigenvector of its largest eigenvalue.

    Source: I. Y. Bar-Itzhack, "New method for extracting the quaternion from a rotation matrix" (2000).
    """
    r = rotation
    off = np.array(
        [
            [r[0, 0] - r[1, 1] - r[2, 2], r[1, 0] + r[0, 1], r[2, 0] + r[0, 2], r[2, 1] - r[1, 2]],
            [r[1, 0] + r[0, 1], r[1, 1] - r[0, 0] - r[2, 2], r[2, 1] + r[1, 2], r[0, 2] - r[2, 0]],
            [r[2, 0] + r[0, 2], r[2, 1] + r[1, 2], r[2, 2] - r[0, 0] - r[1, 1], r[1, 0] - r[0, 1]],
            [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], r[0, 0] + r[1, 1] + r[2, 2]],
        ]
    )
    quat = np.linalg.eigh(off)[1][:, -1]
    return np.asarray(quat if quat[3] >= 0.0 else -quat)
