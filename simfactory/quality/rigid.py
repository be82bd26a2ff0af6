"""Rigid bodies in motion, with what several measurements of it need."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simfactory.episode import FIRST_BODY, Trajectory
from simfactory.meshes import body_mesh
from simfactory.spec import BodyRigid, SceneSpec, Sphere
from simfactory.transforms import quat_rotate
from simfactory.violations import body_bounds, clearance

__all__ = ["FREE", "RigidMotions", "rigid_motions"]

FREE = 0.01  # [m] from all else: then nothing touches a body

Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class RigidMotions:
    """The motion of a scene of rigid bodies alone.

    Attributes:
        spec: The scene as declared.
        trajectory: All states.
        gravity: `(3,)` of the world that the bodies are in [m/s²].
        bounds: `(time, body, 2, 3)` bounding boxes [m].
        dynamic: Indices of the bodies that obey physics.
        touched: `(time, body)` whether a contact is listed.
        radius: `(body,)` of the ball about the origin that holds a body [m].
        position: `(time, body, 3)` [m].
        velocity: `(time, body, 3)` of the centres of mass [m/s].
    """

    spec: SceneSpec
    trajectory: Trajectory
    gravity: Float64
    bounds: Float64
    dynamic: tuple[int, ...]
    touched: Bool
    radius: Float64
    position: Float64
    velocity: Float64

    @property
    def step(self) -> float:
        """Time from one frame to the next [s]."""
        return 1.0 / self.spec.fps

    def body(self, index: int) -> BodyRigid:
        """Return a body."""
        body = self.spec.bodies[index]
        assert isinstance(body, BodyRigid)
        return body

    def ball_radius(self, index: int) -> float:
        """Return the radius [m] of a body that is a ball; 0 for others."""
        body = self.body(index)
        return float(self.radius[index]) if isinstance(body.geometry, Sphere) and len(set(body.factors)) == 1 else 0.0

    def center(self, index: int) -> Float64:
        """Return where `(time, 3)` the middle of a body's mass is [m]."""
        middle = body_mesh(self.body(index)).centroid()
        turned = quat_rotate(self.trajectory.quat_xyzw[:, index].astype(np.float64), middle)
        return np.asarray(self.position[:, index] + turned)

    def alone(self, index: int, *others: int) -> Bool:
        """Tell at which steps `(time - 1,)` nothing but the ground and the named bodies comes near a body."""
        rest = np.delete(self.bounds, others, axis=1)
        apart = clearance(self.spec, rest, index - sum(other < index for other in others), floor=False)
        speed = np.linalg.norm(self.velocity, axis=-1).max(axis=1)
        reach = 2.0 * np.maximum(speed[1:], speed[:-1]) * self.step + FREE
        return np.asarray(np.minimum(apart[1:], apart[:-1]) > reach)


def rigid_motions(
    spec: SceneSpec, trajectory: Trajectory, *, gravity: Sequence[float] | None = None
) -> RigidMotions | None:
    """Return the motion of a scene; None where not all bodies are rigid, or nothing can move.

    Args:
        spec: The scene as declared.
        trajectory: All states.
        gravity: That of the world the bodies are in [m/s²]; None = the declared one.
    """
    rigid = [body for body in spec.bodies if isinstance(body, BodyRigid)]
    if trajectory.frame_count < 2 or len(rigid) < len(spec.bodies):
        return None
    touched = np.zeros(trajectory.position.shape[:2], np.bool_)
    for frame, contacts in enumerate(trajectory.contacts):
        ids = np.concatenate([contacts.a, contacts.b]).astype(np.int64) - FIRST_BODY
        touched[frame, ids[ids >= 0]] = True
    return RigidMotions(
        spec=spec,
        trajectory=trajectory,
        gravity=np.asarray(spec.environment.gravity if gravity is None else gravity, np.float64),
        bounds=body_bounds(spec, trajectory.position, trajectory.quat_xyzw),
        dynamic=tuple(index for index, body in enumerate(rigid) if body.mobility == "dynamic"),
        touched=touched,
        radius=np.array([np.linalg.norm(body_mesh(body).vertices, axis=-1).max() for body in rigid]),
        position=trajectory.position.astype(np.float64),
        velocity=trajectory.linear_velocity.astype(np.float64),
    )
