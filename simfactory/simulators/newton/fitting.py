"""Bodies that are made of nodes, and the poses that fit them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.simulators.kinematics import start_orientation
from simfactory.spec import BodyFluid, BodyGranular
from simfactory.transforms import quat_rotate

__all__ = ["NodeBody", "NodePose", "add_loose", "fitted_pose", "loose_pose", "surface_values"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeBody:
    """A body that is made of nodes, at rest.

    Attributes:
        rest: `(node, 3)` body frame [m].
        mass: `(node,)` [kg].
        held: `(node,)` bool, nodes that do not move.
        surface: Nodes `(node, 3)` anywhere → vertices of the surface that they carry, in the order of `body_mesh`;
            None if they carry none.
        loose: Whether its nodes are particles on their own: they have no common rotation, and states tell of each.
        drag_as_ball: Whether air acts on it as on a ball of equal volume; else its solver family sees to that.
    """

    rest: Array
    mass: Array
    held: npt.NDArray[np.bool_]
    surface: Callable[[Array], Array] | None
    loose: bool = False
    drag_as_ball: bool = True

    def mass_and_inertia(self) -> tuple[float, Array]:
        """Return the mass [kg] and the inertia at rest about its centre `(3, 3)` [kg·m²]."""
        arm = self.rest - self.mass @ self.rest / self.mass.sum()
        spread = np.einsum("n,ni,nj->ij", self.mass, arm, arm)
        return float(self.mass.sum()), np.trace(spread) * np.eye(3) - spread


@dataclass(frozen=True, kw_only=True, slots=True)
class NodePose:
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


def fitted_pose(body: NodeBody, nodes: Array, velocities: Array) -> NodePose:
    """Return pose and velocities of a deformed body; NaN where a node is not finite any more.

    Args:
        body: The body at rest.
        nodes: `(node, 3)` world frame [m].
        velocities: `(node, 3)` world frame [m/s].

    Source: K. S. Arun et al., "Least-squares fitting of two 3-D point sets" (1987).
    """
    if not (np.isfinite(nodes).all() and np.isfinite(velocities).all()):
        return _nowhere()
    share = body.mass / body.mass.sum()
    center, rest_center = share @ nodes, share @ body.rest
    arm = nodes - center
    left, _, right = np.linalg.svd(np.einsum("n,ni,nj->ij", share, arm, body.rest - rest_center))
    flip = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    rotation = (left * flip) @ right
    linear = share @ velocities
    momentum = share @ np.cross(arm, velocities - linear)
    inertia = np.einsum("n,ni,ni->", share, arm, arm) * np.eye(3) - np.einsum("n,ni,nj->ij", share, arm, arm)
    return NodePose(
        position=center - rotation @ rest_center,
        quat_xyzw=_quat(rotation),
        linear_velocity=linear,
        angular_velocity=np.linalg.solve(inertia, momentum),
    )


def loose_pose(body: NodeBody, nodes: Array, velocities: Array, quat_xyzw: Array) -> NodePose:
    """Return the pose and velocities of particles: that of their centre of mass, with a rotation that stays.

    NaN where a particle is not finite any more.

    Args:
        body: The body at rest.
        nodes: `(node, 3)` world frame [m].
        velocities: `(node, 3)` world frame [m/s].
        quat_xyzw: `(4,)` body-to-world rotation.
    """
    if not (np.isfinite(nodes).all() and np.isfinite(velocities).all()):
        return _nowhere()
    share = body.mass / body.mass.sum()
    center, linear = share @ nodes, share @ velocities
    arm = nodes - center
    inertia = np.einsum("n,ni,ni->", share, arm, arm) * np.eye(3) - np.einsum("n,ni,nj->ij", share, arm, arm)
    momentum = share @ np.cross(arm, velocities - linear)
    return NodePose(
        position=center - quat_rotate(quat_xyzw, share @ body.rest),
        quat_xyzw=quat_xyzw,
        linear_velocity=linear,
        angular_velocity=np.linalg.lstsq(inertia, momentum, rcond=None)[0],
    )


def _nowhere() -> NodePose:
    nothing = np.full(3, np.nan)
    return NodePose(position=nothing, quat_xyzw=np.full(4, np.nan), linear_velocity=nothing, angular_velocity=nothing)


def surface_values(body: NodeBody, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the values `(vertex,)` of the surface's vertices for values `(node,)` of the nodes, never beyond these.

    Vertices outside the tetrahedra continue what is inside, so that they could leave the range of the nodes.
    """
    assert body.surface is not None  # what has temperatures has a surface that its nodes carry
    carried = body.surface(np.repeat(values.astype(np.float64)[:, None], 3, axis=1))[:, 0]
    return np.clip(carried, values.min(), values.max()).astype(np.float32)


def add_loose(
    # Any: Warp and Newton have no type information
    builder: Any,
    body: BodyFluid | BodyGranular,
    made: NodeBody,
    *,
    radius: float,
) -> None:  # Any: a newton ModelBuilder
    """Add the particles of a body, which move and turn with it at first.

    Args:
        builder: A newton ModelBuilder.
        body: The body.
        made: What it is made of.
        radius: Of a particle [m].
    """
    turned = quat_rotate(start_orientation(body), made.rest)
    arm = turned - turned.mean(axis=0)
    velocity = np.asarray(body.linear_velocity) + np.cross(np.asarray(body.angular_velocity), arm)
    builder.add_particles(
        pos=[wp.vec3(*point) for point in turned + np.asarray(body.position)],
        vel=[wp.vec3(*row) for row in velocity],
        mass=made.mass.tolist(),
        radius=[radius] * len(arm),
    )


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
