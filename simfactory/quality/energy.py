"""Mechanical energy of an episode's dynamic bodies, and the work that anything known may have done on them."""

import numpy as np
import numpy.typing as npt

from simfactory.air import top_speed
from simfactory.cords import tube_line
from simfactory.episode import Surface, Trajectory
from simfactory.joints import drive_of, joint_states
from simfactory.spec import BodyCloth, BodyFluid, BodyGranular, BodyInflatable, BodyRope, BodySheet, BodySoft, SceneSpec
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

    The potential is −m g·r, r measured from the world's origin. Of a body of particles, all of them are counted.
    Ropes bend too far for the energy of a rigid motion to say much: from the second frame on theirs is that of each
    node's mean velocity since the frame before, at its mean place; never more than they have. Of their elastic energy,
    that of bending counts.
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
    energy = kinetic + turning - mass * (trajectory.position.astype(np.float64) @ gravity)
    for loose, places in trajectory.particles.items():
        speed = trajectory.particle_velocities[loose].astype(np.float64)
        each = mass[loose] / places.shape[1]
        energy[:, loose] = each * (0.5 * np.einsum("tpi,tpi->t", speed, speed) - (places @ gravity).sum(axis=1))
    for index, body in enumerate(spec.bodies):
        if isinstance(body, BodyRope) and index in trajectory.vertices and trajectory.frame_count > 1:
            line, start = tube_line(trajectory.vertices[index]), kinetic[0, index] + turning[0, index]
            energy[:, index] = _rope_energy(body, line, trajectory.time, start, gravity)
    return np.asarray(energy)


def _rope_energy(rope: BodyRope, line: Float64, time: Float64, start: float, gravity: Float64) -> Float64:
    """Return the energy `(time,)` [J] of a rope: of its motion and place, and of its bending, that it may begin with.

    Args:
        rope: The rope.
        line: Its nodes `(time, node, 3)` [m].
        time: `(time,)` [s].
        start: Kinetic energy at first [J].
        gravity: `(3,)` [m/s²].
    """
    lengths = np.linalg.norm(np.diff(line[0], axis=0), axis=-1)
    half = 0.5 * rope.line_density * lengths
    mass = np.concatenate([half, [0.0]]) + np.concatenate([[0.0], half])
    velocity = np.diff(line, axis=0) / np.diff(time)[:, None, None]
    place = np.concatenate([line[:1], 0.5 * (line[1:] + line[:-1])])
    curve = place[:, :-2] - 2.0 * place[:, 1:-1] + place[:, 2:]
    bent = 0.5 * rope.bend / lengths.mean() ** 3 * np.einsum("tni,tni->t", curve, curve)
    moving = np.concatenate([[start], 0.5 * np.einsum("tni,tni,n->t", velocity, velocity, mass)])
    return np.asarray(moving + bent - (place @ gravity) @ mass)


def energy_growth(spec: SceneSpec, trajectory: Trajectory, radii: Float64) -> float:
    """Return the largest gain of total mechanical energy beyond all known work, over the energy scale [1].

    Contacts, friction and damping only take energy. Pushes, drives of joints, moving kinematic bodies and wind may give
    some: their work is bounded from above and granted. Soft bodies and cloth store elastic energy, which is not counted
    here, and give it back: with them the gain is that over the beginning, when all have their rest shape and store
    none; so do ropes that are stretched. The scale is the largest kinetic energy plus what lifting each body by its own
    radius would take, so that bodies at rest have one too.

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
    kinds = BodySoft | BodyCloth | BodyInflatable | BodyRope
    stores = any(isinstance(body, kinds) for body in spec.bodies)
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
    if any(drive_of(joint) is not None for joint in spec.joints):
        rate = np.nan_to_num(np.abs(joint_states(spec, **trajectory.motion()).rate))
        for index, joint in enumerate(spec.joints):
            drive = drive_of(joint)
            if drive is not None:
                work += drive.strength * np.maximum(rate[1:, index], rate[:-1, index]) * step
    wind = top_speed(spec.environment) if spec.environment.air_density > 0.0 else 0.0
    if wind > 0.0:
        area = np.where(mass > 0.0, np.pi * radii**2, 0.0)
        area[list(trajectory.particles)] = 0.0
        force = 0.5 * spec.environment.air_density * DRAG * area * (wind + speed) ** 2
        work += (force * speed).sum(axis=1) * step
        work += _work_on_particles(spec, trajectory, wind) * step
    return work


def _work_on_particles(spec: SceneSpec, trajectory: Trajectory, wind: float) -> Float64:
    """Return an upper bound `(time - 1,)` [W] of what a wind [m/s] does to loose particles, each on its own."""
    power = np.zeros(trajectory.frame_count - 1)
    for index, velocities in trajectory.particle_velocities.items():
        body = spec.bodies[index]
        if isinstance(body, BodyFluid | BodyGranular):
            speed = np.linalg.norm(velocities.astype(np.float64), axis=-1)
            speed = np.maximum(speed[1:], speed[:-1])
            section = 0.5 * np.pi * body.spacing**2  # more than that of a drop or a grain
            force = 0.5 * spec.environment.air_density * DRAG * section * (wind + speed) ** 2
            power += (force * speed).sum(axis=1)
    return power


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
