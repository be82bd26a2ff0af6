"""Whether rigid bodies keep the laws that can be broken on purpose: measured on their motion."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
import numpy.typing as npt

from simfactory.air import top_speed
from simfactory.collision import may_split
from simfactory.episode import FIRST_BODY, Trajectory
from simfactory.meshes import body_mesh
from simfactory.quality.energy import DRAG
from simfactory.separation import separation
from simfactory.spec import BodyRigid, SceneSpec, Sphere
from simfactory.transforms import quat_from_axis_angle, quat_rotate
from simfactory.violations import body_bounds, cause_frame, clearance

__all__ = ["Measured", "caught_up", "measure_laws"]

FREE = 0.01  # [m] from all else: then nothing touches a body
STEADY = 0.1  # of gravity, by which acceleration may change from one frame to the next in flight
FLIGHT = 3  # steps at least
IMPACT_SPEED = 0.5  # [m/s] of approach at least
WEAK = 0.3  # [1] restitution that rebounds are at least planned for
THROUGH = 0.2  # of the speed of approach: what goes on as fast was not struck
HALVINGS = 12
TOUCH = 1e-3  # [m]
SINKS = 5e-3  # [m] into the ground: what goes deeper was not struck
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scene:
    """What all laws are measured on.

    Attributes:
        spec: The scene as declared.
        trajectory: All states.
        gravity: `(3,)` of the world that the bodies are in [m/s²].
        bounds: `(time, body, 2, 3)` bounding boxes [m].
        dynamic: Indices of the bodies that obey physics.
        touched: `(time, body)` whether a contact is listed.
        radius: `(body,)` of the ball about the origin that holds a body [m].
    """

    spec: SceneSpec
    trajectory: Trajectory
    gravity: Float64
    bounds: Float64
    dynamic: tuple[int, ...]
    touched: Bool
    radius: Float64

    @property
    def step(self) -> float:
        return 1.0 / self.spec.fps

    @property
    def velocity(self) -> Float64:
        return self.trajectory.linear_velocity.astype(np.float64)

    @property
    def position(self) -> Float64:
        return self.trajectory.position.astype(np.float64)


def measure_laws(
    spec: SceneSpec, trajectory: Trajectory, *, gravity: Sequence[float] | None = None
) -> dict[str, Measured]:
    """Measure on the motion of rigid bodies whether laws hold; what cannot be measured is left out.

    Figures:
        gravity: Difference between the acceleration in free flight and gravity with damping, beyond what air may do,
            over gravity [1]; the median over all steps of all flights.
        restitution: Difference between the speed of separation over that of approach and what materials say [1], at
            impacts of balls with the ground and with each other; the median, weighted by the speed of approach.
        teleport: Way in a step beyond what the velocities at its ends allow, over the body's size [1]; the largest.
        delay: Frames from a cause (a body's start velocity, a push, nothing that holds it) to its motion; the most.

    Args:
        spec: The scene as declared.
        trajectory: All states.
        gravity: That of the world the bodies are in, for laws that are not about it [m/s²]; None = the declared one.
    """
    if trajectory.frame_count < 2 or not all(isinstance(body, BodyRigid) for body in spec.bodies):
        return {}
    touched = np.zeros(trajectory.position.shape[:2], np.bool_)
    for frame, contacts in enumerate(trajectory.contacts):
        ids = np.concatenate([contacts.a, contacts.b]).astype(np.int64) - FIRST_BODY
        touched[frame, ids[ids >= 0]] = True
    scene = _Scene(
        spec=spec,
        trajectory=trajectory,
        gravity=np.asarray(spec.environment.gravity if gravity is None else gravity, np.float64),
        bounds=body_bounds(spec, trajectory.position, trajectory.quat_xyzw),
        dynamic=tuple(
            index
            for index, body in enumerate(spec.bodies)
            if isinstance(body, BodyRigid) and body.mobility == "dynamic"
        ),
        touched=touched,
        radius=np.array([_radius(spec, index) for index in range(len(spec.bodies))]),
    )
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


def _body(spec: SceneSpec, index: int) -> BodyRigid:
    body = spec.bodies[index]
    assert isinstance(body, BodyRigid)
    return body


def _radius(spec: SceneSpec, index: int) -> float:
    return float(np.linalg.norm(body_mesh(_body(spec, index)).vertices, axis=-1).max())


def _runs(marked: Bool) -> Iterator[tuple[int, int]]:
    """Yield (begin, end) of every run of marked places."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _weighted_median(values: Float64, weights: Float64) -> int:
    """Return the place of the weighted median."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return int(order[np.searchsorted(total, 0.5 * total[-1])])


def _gravity(scene: _Scene) -> Measured | None:
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
        expected = gravity - _body(scene.spec, index).physical.damping * middle
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


def _teleport(scene: _Scene) -> Measured | None:
    """Compare ways with velocities: within a step, a blow may change the velocity at any time."""
    worst: Measured | None = None
    for index in scene.dynamic:
        center = body_mesh(_body(scene.spec, index)).centroid()
        place = scene.position[:, index] + quat_rotate(scene.trajectory.quat_xyzw[:, index], center)
        velocity = scene.velocity[:, index]
        way = np.diff(place, axis=0) - 0.5 * (velocity[1:] + velocity[:-1]) * scene.step
        blow = 0.5 * np.linalg.norm(np.diff(velocity, axis=0), axis=-1) * scene.step
        excess = (np.linalg.norm(way, axis=-1) - blow) / (2.0 * scene.radius[index])
        step = int(excess.argmax())
        if worst is None or excess[step] > worst.figure:
            worst = Measured(figure=max(float(excess[step]), 0.0), body=index, frames=np.array([step, step + 1]))
    return worst


def _delay(scene: _Scene) -> Measured | None:
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


def _restitution(scene: _Scene) -> Measured | None:
    """Compare speeds at impacts with what the materials say."""
    impacts = [*_ground_impacts(scene), *_ball_impacts(scene)]
    if not impacts:
        return None
    errors = np.array([impact.error for impact in impacts])
    chosen = _weighted_median(errors, np.array([impact.speed for impact in impacts]))
    impact = impacts[chosen]
    frames = np.array([impact.frame, impact.frame + 1])
    return Measured(figure=float(errors[chosen]), body=impact.body, frames=frames)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Impact:
    """A blow between a frame and the next one.

    Attributes:
        body: Index of the body.
        frame: The frame before.
        speed: Of approach [m/s].
        error: Difference between the coefficient of restitution that was seen and the declared one [1].
    """

    body: int
    frame: int
    speed: float
    error: float


def _ball_radius(scene: _Scene, index: int) -> float:
    """Return the radius [m] of a body that is a ball; 0 for others."""
    body = _body(scene.spec, index)
    return float(scene.radius[index]) if isinstance(body.geometry, Sphere) and len(set(body.factors)) == 1 else 0.0


def _alone(scene: _Scene, index: int, *others: int) -> Bool:
    """Tell at which steps `(time - 1,)` nothing but the ground and the named bodies comes near a body."""
    rest = np.delete(scene.bounds, others, axis=1)
    apart = clearance(scene.spec, rest, index - sum(other < index for other in others), floor=False)
    speed = np.linalg.norm(scene.velocity, axis=-1).max(axis=1)
    reach = 2.0 * np.maximum(speed[1:], speed[:-1]) * scene.step + FREE
    return np.asarray(np.minimum(apart[1:], apart[:-1]) > reach)


def _ground_impacts(scene: _Scene) -> list[_Impact]:
    """Measure rebounds from the level ground, between flights; of other bodies than balls at the lowest corner."""
    found: list[_Impact] = []
    if scene.spec.ground is None:
        return found
    gravity = scene.gravity
    floor = scene.spec.ground.physical.restitution
    for index in scene.dynamic:
        declared = 0.5 * (_body(scene.spec, index).physical.restitution + floor)
        least = max(IMPACT_SPEED, scene.step * float(np.linalg.norm(gravity)) / max(declared, WEAK))
        height = scene.bounds[:, index, 0, 2]
        reach = scene.step * np.linalg.norm(scene.velocity[:-1, index], axis=-1) + FREE
        steps = _alone(scene, index) & (height[:-1] > TOUCH) & (height[:-1] < 2.0 * reach)
        steps &= height[1:] > -SINKS
        change = np.linalg.norm(np.diff(scene.velocity[:, index], axis=0) - gravity * scene.step, axis=-1)
        steps[1:] &= change[:-1] < WEAK * float(np.linalg.norm(gravity)) * scene.step  # it flew before
        for step in np.flatnonzero(steps):
            until = _bisected(partial(_height, scene, index, int(step)), scene.step)
            if until is None:
                continue
            arm = _lowest(scene, index, int(step), until)[1]
            before, after = (_speed_at(scene, index, row, arm) for row in (int(step), int(step) + 1))
            approach = -float(before[2] + gravity[2] * until)
            separation = float(after[2])
            if height[step + 1] > TOUCH:
                separation -= float(gravity[2]) * (scene.step - until)
            if approach > least:
                error = abs(max(separation, 0.0) / approach - declared)
                found.append(_Impact(body=index, frame=int(step), speed=approach, error=error))
    return found


def _ball_impacts(scene: _Scene) -> list[_Impact]:
    """Measure how balls leave each other and what stands still, where nothing else but the ground is near.

    What stands on the ground and is no ball would tip over, which the ground does not let it: that is no clean blow.
    """
    found: list[_Impact] = []
    speed = np.linalg.norm(scene.velocity, axis=-1)
    for ball, other in combinations(range(len(scene.spec.bodies)), 2):
        if not _ball_radius(scene, ball):
            ball, other = other, ball
        pair = [_body(scene.spec, index) for index in (ball, other)]
        clean = _ball_radius(scene, other) or (other not in scene.dynamic and not may_split(pair[1].geometry))
        if not _ball_radius(scene, ball) or not clean or not {ball, other} & set(scene.dynamic):
            continue
        declared = 0.5 * sum(body.physical.restitution for body in pair)
        gap = np.maximum(
            scene.bounds[:, ball, 0] - scene.bounds[:, other, 1], scene.bounds[:, other, 0] - scene.bounds[:, ball, 1]
        ).max(axis=-1)
        near = gap[:-1] < 2.0 * (speed[:-1, ball] + speed[:-1, other]) * scene.step
        for step in np.flatnonzero(near & _alone(scene, ball, other) & _alone(scene, other, ball)):
            at = int(step)
            until = _bisected(partial(_opening, scene, ball, other, at), scene.step)
            if until is None:
                continue
            normal = _gap(scene, ball, other, at, until)[1]
            point = scene.position[at, ball] + until * scene.velocity[at, ball] - scene.radius[ball] * normal
            closing = [
                float(normal @ (_speed_of(scene, ball, row, point) - _speed_of(scene, other, row, point)))
                for row in (at, at + 1)
            ]
            if -closing[0] > IMPACT_SPEED and closing[1] > THROUGH * closing[0]:
                error = abs(closing[1] / -closing[0] - declared)
                found.append(_Impact(body=ball, frame=at, speed=-closing[0], error=error))
    return found


def _bisected(gap: Callable[[float], float], step: float) -> float | None:
    """Return when within a step [s] a gap [m] closes; None = it is closed before, or open after it."""
    low, high = 0.0, step
    if gap(low) <= 0.0 or gap(high) > 0.0:
        return None
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if gap(middle) > 0.0 else (low, middle)
    return high


def _corners(scene: _Scene, index: int, frame: int, time: float) -> tuple[Float64, Float64]:
    """Return a body's centre `(3,)` and corners from it `(vertex, 3)` [m], some time [s] after a frame.

    It goes on as it does at the frame, without forces.
    """
    mesh = body_mesh(_body(scene.spec, index))
    center = mesh.centroid()
    quat = scene.trajectory.quat_xyzw[frame, index].astype(np.float64)
    rate = scene.trajectory.angular_velocity[frame, index].astype(np.float64)
    turn = quat_from_axis_angle(rate, float(np.linalg.norm(rate)) * time)
    place = scene.position[frame, index] + quat_rotate(quat, center) + scene.velocity[frame, index] * time
    return place, quat_rotate(turn, quat_rotate(quat, mesh.vertices - center))


def _height(scene: _Scene, index: int, frame: int, time: float) -> float:
    """Return the height [m] of a falling body's lowest corner."""
    return _lowest(scene, index, frame, time)[0]


def _opening(scene: _Scene, ball: int, other: int, frame: int, time: float) -> float:
    """Return the gap [m] between a ball and a body."""
    return _gap(scene, ball, other, frame, time)[0]


def _lowest(scene: _Scene, index: int, frame: int, time: float) -> tuple[float, Float64]:
    """Return the height [m] of a falling body's lowest corners and their mean `(3,)` from its centre [m]."""
    place, arms = _corners(scene, index, frame, time)
    radius = _ball_radius(scene, index)
    if radius:
        arms = np.array([[0.0, 0.0, -radius]])
    low = float(arms[:, 2].min())
    fallen = place[2] + 0.5 * scene.gravity[2] * time**2
    return float(fallen) + low, np.asarray(arms[arms[:, 2] < low + TOUCH].mean(axis=0))


def _gap(scene: _Scene, ball: int, other: int, frame: int, time: float) -> tuple[float, Float64]:
    """Return the gap [m] between a ball and a body, and the normal `(3,)` from that to the ball."""
    center, _ = _corners(scene, ball, frame, time)
    place, arms = _corners(scene, other, frame, time)
    reach = scene.radius[ball] + _ball_radius(scene, other)
    if _ball_radius(scene, other):
        arms = np.zeros((1, 3))

    def support(direction: Float64) -> Float64:
        return np.asarray(center - place - arms[(arms @ direction).argmin()])

    nearest = separation(support, center - place).nearest
    length = float(np.linalg.norm(nearest))
    return length - float(reach), nearest / max(length, 1e-12)


def _speed_at(scene: _Scene, index: int, frame: int, arm: Float64) -> Float64:
    """Return the velocity `(3,)` [m/s] of a point at an arm [m] from a body's centre."""
    rate = scene.trajectory.angular_velocity[frame, index].astype(np.float64)
    return np.asarray(scene.velocity[frame, index] + np.cross(rate, arm))


def _speed_of(scene: _Scene, index: int, frame: int, point: Float64) -> Float64:
    """Return the velocity `(3,)` [m/s] that a body has at a point [m]."""
    center = scene.position[frame, index] + quat_rotate(
        scene.trajectory.quat_xyzw[frame, index].astype(np.float64), body_mesh(_body(scene.spec, index)).centroid()
    )
    return _speed_at(scene, index, frame, point - center)
