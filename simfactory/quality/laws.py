"""Whether rigid bodies keep the laws that can be broken on purpose: measured on their motion."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simfactory.air import top_speed
from simfactory.episode import Trajectory
from simfactory.quality.energy import DRAG
from simfactory.quality.impacts import ball_impacts, ground_impacts
from simfactory.quality.rigid import FREE, RigidMotions, rigid_motions
from simfactory.spec import SceneSpec
from simfactory.violations import cause_frame, clearance

__all__ = ["Measured", "caught_up", "measure_laws"]

STEADY = 0.1  # of gravity, by which acceleration may change from one frame to the next in flight
FLIGHT = 3  # steps at least
STIRS = 5e-4  # [m] by which a body has moved, once it does; what lies on others settles by less

Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """How far a law is broken, by which body, and when.

    Attributes:
        figure: By how much; see `measure_laws`.
        body: Index of the body that breaks it most.
        frames: `(frame,)` at which that shows.
    """

    figure: float
    body: int
    frames: Int64


def measure_laws(
    spec: SceneSpec, trajectory: Trajectory, *, gravity: Sequence[float] | None = None
) -> dict[str, Measured]:
    """Measure on the motion of rigid bodies whether laws hold; what cannot be measured is left out.

    Figures:
        gravity: Difference between the acceleration in free flight and gravity with damping, beyond what air may do,
            over gravity [1]; the median over all steps of all flights.
        restitution: Difference between the speed of separation over that of approach and what materials say [1], where
            bodies land on the ground, and balls meet each other or what stands still; the median, weighted by the
            speed of approach.
        teleport: Way in a step beyond what the velocities at its ends allow, over the body's size [1]; the largest.
        delay: Frames from a cause (a body's start velocity, a push, nothing that holds it) to its motion; the most.

    Args:
        spec: The scene as declared.
        trajectory: All states.
        gravity: That of the world the bodies are in, for laws that are not about it [m/s²]; None = the declared one.
    """
    scene = rigid_motions(spec, trajectory, gravity=gravity)
    if scene is None:
        return {}
    found = {
        "gravity": _gravity(scene),
        "teleport": _teleport(scene),
        "delay": _delay(scene),
    }
    if not trajectory.properties.rules.get("contact", "").startswith("none"):  # a backend without contact says so
        found["restitution"] = _restitution(scene)
    return {name: measured for name, measured in found.items() if measured is not None}


def caught_up(trajectory: Trajectory, measured: Measured) -> Trajectory:
    """Return the motion with a delay taken out: the body that is late has its own clock, the last frames are left out.

    Contacts stay where they are.
    """
    late, count = int(measured.figure), trajectory.frame_count - int(measured.figure)
    fields = {name: values[:count].copy() for name, values in trajectory.motion().items()}
    for name, values in trajectory.motion().items():
        fields[name][:, measured.body] = values[late:, measured.body]
    return Trajectory(
        time=trajectory.time[:count],
        vertices={},
        contacts=trajectory.contacts[:count],
        properties=trajectory.properties,
        position=fields["position"],
        quat_xyzw=fields["quat_xyzw"],
        linear_velocity=fields["linear_velocity"],
        angular_velocity=fields["angular_velocity"],
    )


def _runs(marked: Bool) -> Iterator[tuple[int, int]]:
    """Yield (begin, end) of every run of marked places."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _weighted_median(values: Float64, weights: Float64) -> int:
    """Return the place of the weighted median."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return int(order[np.searchsorted(total, 0.5 * total[-1])])


def _gravity(scene: RigidMotions) -> Measured | None:
    """Compare acceleration in flight with gravity; in flight nothing is near, and acceleration hardly changes."""
    gravity = np.asarray(scene.spec.environment.gravity)
    strength = float(np.linalg.norm(gravity))
    if strength == 0.0:
        return None
    air, wind = scene.spec.environment.air_density, top_speed(scene.spec.environment)
    errors: list[tuple[float, int, int]] = []
    for index in scene.dynamic:
        velocity = scene.velocity[:, index]
        clear = (clearance(scene.spec, scene.bounds, index) > FREE) & ~scene.touched[:, index]
        moved = np.any(np.diff(scene.position[:, index], axis=0) != 0.0, axis=-1)
        acceleration = np.diff(velocity, axis=0) / scene.step
        middle = 0.5 * (velocity[1:] + velocity[:-1])
        expected = gravity - scene.body(index).physical.damping * middle
        speed = np.linalg.norm(middle, axis=-1)
        drag = 0.5 * air * DRAG * np.pi * scene.radius[index] ** 2 * (speed + wind) ** 2
        error = np.linalg.norm(acceleration - expected, axis=-1) - drag / scene.trajectory.properties.mass[index]
        for begin, end in _runs(clear[1:] & clear[:-1] & moved):
            change = np.linalg.norm(np.diff(acceleration[begin:end], axis=0), axis=-1)
            for first, last in _runs(change < STEADY * strength):
                if last - first + 1 >= FLIGHT:
                    errors += [(float(error[begin + k]), index, begin + k) for k in range(first, last + 1)]
    if not errors:
        return None
    values = np.array([error for error, _, _ in errors])
    chosen = _weighted_median(values, np.ones(len(values)))
    body = errors[chosen][1]
    frames = np.array([frame for _, index, frame in errors if index == body])
    return Measured(figure=max(float(values[chosen]), 0.0) / strength, body=body, frames=frames)


def _teleport(scene: RigidMotions) -> Measured | None:
    """Compare ways with velocities: within a step, a blow may change the velocity at any time."""
    worst: Measured | None = None
    for index in scene.dynamic:
        velocity = scene.velocity[:, index]
        way = np.diff(scene.center(index), axis=0) - 0.5 * (velocity[1:] + velocity[:-1]) * scene.step
        blow = 0.5 * np.linalg.norm(np.diff(velocity, axis=0), axis=-1) * scene.step
        excess = (np.linalg.norm(way, axis=-1) - blow) / (2.0 * scene.radius[index])
        step = int(excess.argmax())
        if worst is None or excess[step] > worst.figure:
            worst = Measured(figure=max(float(excess[step]), 0.0), body=index, frames=np.array([step, step + 1]))
    return worst


def _delay(scene: RigidMotions) -> Measured | None:
    """Compare when bodies begin to move with when they have a reason to."""
    worst: Measured | None = None
    for index in scene.dynamic:
        cause = cause_frame(scene.spec, index)
        if cause is None or cause >= scene.trajectory.frame_count:
            continue
        quat = scene.trajectory.quat_xyzw[cause:, index].astype(np.float64)
        turn = 2.0 * np.arccos(np.clip(np.abs(quat @ quat[0]) / np.linalg.norm(quat, axis=-1), 0.0, 1.0))
        shift = np.linalg.norm(scene.position[cause:, index] - scene.position[cause, index], axis=-1)
        stirred = np.flatnonzero((shift > STIRS) | (turn * scene.radius[index] > 2.0 * STIRS))
        if not len(stirred):
            continue
        late = int(stirred[0]) - 1
        if worst is None or late > worst.figure:
            frames = cause + np.arange(stirred[0] + 1)
            worst = Measured(figure=float(max(late, 0)), body=index, frames=frames)
    return worst


def _restitution(scene: RigidMotions) -> Measured | None:
    """Compare speeds at impacts with what the materials say."""
    impacts = [*ground_impacts(scene), *ball_impacts(scene)]
    if not impacts:
        return None
    errors = np.array([impact.error for impact in impacts])
    chosen = _weighted_median(errors, np.array([impact.speed for impact in impacts]))
    impact = impacts[chosen]
    frames = np.array([impact.frame, impact.frame + 1])
    return Measured(figure=float(errors[chosen]), body=impact.body, frames=frames)
