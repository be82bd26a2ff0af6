"""Mechanical energy of an episode's dynamic bodies, and the work that anything known may have done on them."""

import numpy as np
import numpy.typing as npt

from simfactory.episode import Surface, Trajectory
from simfactory.spec import BodyCloth, BodySheet, BodySoft, SceneSpec
from simfactory.transforms import quat_to_matrix

__all__ = ["body_radii", "energy_growth", "mechanical_energy"]

DRAG = 2.0  # more than the drag coefficient of any convex body

Float64 = npt.NDArray[np.float64]


def body_radii(surfaces: tuple[Surface, ...], body_count: int) -> Float64:
    """Return the radius `(body,)` [m] of the ball about each body's origin that holds its mesh."""
    radii = np.zeros(body_count)
    for surface in surfaces:
        if surface.body is not None:
            radii[surface.body] = np.linalg.norm(surface.mesh.vertices, axis=-1).max()
    return radii


def mechanical_energy(spec: SceneSpec, trajectory: Trajectory) -> Float64:
    """Return kinetic plus potential energy `(time, body)` [J] of bodies with finite mass; 0 for the others.

    The potential is −m g·r, r measured from the world's origin.
    """
    dynamic = np.isfinite(trajectory.properties.mass)
    mass = np.where(dynamic, trajectory.properties.mass, 0.0)
    gravity = np.asarray(spec.environment.gravity)
    linear = trajectory.linear_velocity.astype(np.float64)
    rotation = quat_to_matrix(trajectory.quat_xyzw)
    angular = np.einsum("tbji,tbj->tbi", rotation, trajectory.angular_velocity.astype(np.float64))
    inertia = np.where(dynamic[:, None, None], trajectory.properties.inertia, 0.0)
    kinetic = 0.5 * mass * np.einsum("tbi,tbi->tb", linear, linear)
    turning = 0.5 * np.einsum("tbi,bij,tbj->tb", angular, inertia, angular)
    return np.asarray(kinetic + turning - mass * (trajectory.position.astype(np.float64) @ gravity))


def energy_growth(spec: SceneSpec, trajectory: Trajectory, radii: Float64) -> float:
    """Return the largest gain of total mechanical energy beyond all known work, over the energy scale [1].

    Contacts, friction and damping only take energy. Pushes, moving kinematic bodies and wind may give some: their
    work is bounded from above and granted. Soft bodies and cloth store elastic energy, which is not counted here, and
    give it back: with them the gain is that over the beginning, when all have their rest shape and store none. The
    scale is the largest kinetic energy plus what lifting each body by its own radius would take, so that bodies at rest
    have one too.

    Args:
        spec: The scene.
        trajectory: All states.
        radii: Radii `(body,)` of the bodies [m].
    """
    mass = trajectory.properties.mass
    dynamic = np.isfinite(mass)
    if not dynamic.any() or trajectory.frame_count < 2:
        return 0.0
    energy = mechanical_energy(spec, trajectory)
    gravity = np.asarray(spec.environment.gravity)
    kinetic = energy[:, dynamic] + mass[dynamic] * (trajectory.position[:, dynamic].astype(np.float64) @ gravity)
    lift = float((mass[dynamic] * radii[dynamic]).sum()) * float(np.linalg.norm(gravity))
    scale = float(kinetic.sum(axis=1).max()) + lift
    granted = np.concatenate([[0.0], np.cumsum(_granted_work(spec, trajectory, radii))])
    net = energy.sum(axis=1) - granted
    stores = any(isinstance(body, BodySoft | BodyCloth) for body in spec.bodies)
    gain = float((net - (net[0] if stores else np.minimum.accumulate(net))).max())
    return gain / scale if scale > 0.0 else 0.0


def _granted_work(spec: SceneSpec, trajectory: Trajectory, radii: Float64) -> Float64:
    """Return an upper bound `(time - 1,)` [J] of the work done on dynamic bodies between consecutive frames."""
    mass = np.where(np.isfinite(trajectory.properties.mass), trajectory.properties.mass, 0.0)
    speed = np.linalg.norm(trajectory.linear_velocity.astype(np.float64), axis=-1)
    speed = np.maximum(speed[1:], speed[:-1])
    step = np.diff(trajectory.time)
    work = np.zeros(len(step))
    names = [body.name for body in spec.bodies]
    for push in spec.triggers:
        body = names.index(push.body)
        until = push.time + 2.0 / (spec.fps * spec.substep_count)  # it acts at a solver step not before its time
        struck = (trajectory.time[:-1] <= until) & (push.time <= trajectory.time[1:])
        impulse = float(np.linalg.norm(push.impulse))
        work += struck * (impulse * speed[:, body] + 0.5 * impulse**2 / trajectory.properties.mass[body])
    mover = _mover_speed(spec, trajectory, radii)
    if mover.any():  # one elastic blow per frame: v → v + 2u; or a ride upwards at u
        weight = float(np.linalg.norm(spec.environment.gravity)) * step
        blow = 2.0 * mover[:, None] * (speed + mover[:, None]) + mover[:, None] * weight[:, None]
        work += (mass * blow).sum(axis=1)
    wind = float(np.linalg.norm(spec.environment.wind.velocity)) * (1.0 + spec.environment.wind.turbulence)
    if wind > 0.0 and spec.environment.air_density > 0.0:
        area = np.where(mass > 0.0, np.pi * radii**2, 0.0)
        force = 0.5 * spec.environment.air_density * DRAG * area * (wind + speed) ** 2
        work += (force * speed).sum(axis=1) * step
    return work


def _mover_speed(spec: SceneSpec, trajectory: Trajectory, radii: Float64) -> Float64:
    """Return the largest surface speed `(time - 1,)` [m/s] among prescribed bodies between consecutive frames."""
    driven = {motion.body for motion in spec.motions}
    fastest = np.zeros(trajectory.frame_count)
    for index, body in enumerate(spec.bodies):
        if isinstance(body, BodySheet):
            fastest = np.maximum(fastest, 2.0 * np.pi * body.frequency * body.amplitude)
        elif body.name in driven:
            linear = np.linalg.norm(trajectory.linear_velocity[:, index].astype(np.float64), axis=-1)
            angular = np.linalg.norm(trajectory.angular_velocity[:, index].astype(np.float64), axis=-1)
            fastest = np.maximum(fastest, linear + angular * radii[index])
    return np.asarray(np.maximum(fastest[1:], fastest[:-1]))
