"""Broken physics: an episode again with one law broken on purpose, all else as declared."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import get_args

import numpy as np
import numpy.typing as npt

from simfactory.cameras import NEAR_PLANE, camera_to_world, intrinsics
from simfactory.episode import FIRST_BODY, GROUND, Contacts, Trajectory
from simfactory.errors import SpecError
from simfactory.meshes import body_mesh
from simfactory.spec import BodyRigid, SceneSpec, Violation
from simfactory.transforms import invert_pose, project, quat_to_matrix, transform_points

__all__ = [
    "BREAKABLE",
    "VIOLATIONS",
    "body_bounds",
    "broken",
    "cause_frame",
    "check_breakable",
    "clearance",
    "ghost",
    "given",
    "loser",
    "parse_violations",
]

Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]

VIOLATIONS: tuple[Violation, ...] = get_args(Violation)
BREAKABLE = ("rigid",)  # categories

STRONG = 6.0  # [m/s²] gravity above which less is given, below which more
WEAKER, STRONGER = 0.35, 2.2
REBOUND = 0.4  # [1] restitution up to which more is given, above which none
LIVELY, DEAD = 0.95, 0.0
SUNK = 0.5  # of a body's smallest extent
JUMP = 1.3  # of the diameter of the ball that holds the body
DIRECTIONS = 16  # of jumps that are tried
TRAVELLED = 0.4  # share of its way after which a body jumps
DELAY = 0.25  # [s]
DELAY_FRAMES = 4  # at least
HELD = 0.02  # [m] bodies nearer than this to something may be held up by it
MOVES = 0.05  # [m/s] a body that is given as much moves by itself


def parse_violations(text: str, *, category: str) -> tuple[Violation, ...]:
    """Return the violations of a text such as "gravity,teleport".

    Raises:
        SpecError: One is unknown or there twice, or the category's physics cannot be broken.
    """
    found = tuple(name for name in VIOLATIONS if name in (names := [part.strip() for part in text.split(",")]))
    if len(found) != len(names):
        raise SpecError(f"broken {text!r}: give each of {', '.join(VIOLATIONS)} at most once, e.g. gravity,teleport")
    _check_category(category)
    return found


def check_breakable(spec: SceneSpec) -> None:
    """Refuse a scene with a violation whose physics cannot be broken.

    Raises:
        SpecError: The message names the categories that can be.
    """
    if spec.violation is not None:
        _check_category(spec.category)
        if spec.joints or not all(isinstance(body, BodyRigid) for body in spec.bodies):
            raise SpecError(f"scene {spec.scene!r} cannot be broken: allowed are free rigid bodies alone; use such")


def _check_category(category: str) -> None:
    if category not in BREAKABLE:
        raise SpecError(
            f"physics of category {category!r} cannot be broken; allowed are {list(BREAKABLE)}: choose one of them or "
            "leave the violation (--broken) out"
        )


def loser(spec: SceneSpec, violation: Violation) -> SceneSpec:
    """Return the spec of an episode with a law broken: the same one but for its label."""
    return spec.model_copy(update={"violation": violation})


def given(spec: SceneSpec) -> SceneSpec:
    """Return the scene that the simulator is given: the declared one but for what the violation changes of it.

    gravity: 0.35 times the declared one, 2.2 times where that is weak. restitution: 0.95 for all materials, 0 where
    theirs is above 0.4 on average. penetration: of a body that is alone, it begins half its smallest extent
    higher, which `broken` takes back, so that the floor gives way; see `ghost` for others. Other violations change the
    motion, not the scene.
    """
    if spec.violation == "gravity":
        declared = np.asarray(spec.environment.gravity)
        factor = WEAKER if np.linalg.norm(declared) > STRONG else STRONGER
        changed = spec.environment.model_copy(update={"gravity": tuple((factor * declared).tolist())})
        return spec.model_copy(update={"environment": changed})
    if spec.violation == "restitution":
        things = [*spec.bodies, *(thing for thing in (spec.ground, spec.room) if thing is not None)]
        usual = float(np.mean([thing.physical.restitution for thing in things if hasattr(thing, "physical")]))
        return _rebounding(spec, DEAD if usual > REBOUND else LIVELY)
    depth = _sinking(spec)
    if depth > 0.0:
        (body,) = spec.bodies
        x, y, z = body.position
        return spec.model_copy(update={"bodies": (body.model_copy(update={"position": (x, y, z + depth)}),)})
    return spec


def broken(spec: SceneSpec, trajectory: Trajectory) -> Trajectory:
    """Return the motion that is shown, of the one that `given` led to.

    teleport: the body that moves farthest jumps sideways by more than its size, once it is 40 % of its way. delay: a
    body that moves by itself (it is thrown, pushed, or nothing holds it) does what it does a quarter of a second later,
    and rests before. Contacts go with their body; those that no longer fit are left out. Where there is no such body,
    nothing is changed: the quality gate will miss the violation.
    """
    if spec.violation == "teleport":
        return _teleported(spec, trajectory)
    if spec.violation == "delay":
        return _delayed(spec, trajectory)
    depth = _sinking(spec)
    if depth > 0.0:
        down = np.array([0.0, 0.0, depth], np.float32)
        contacts = tuple(replace(found, point=found.point - down) for found in trajectory.contacts)
        return replace(trajectory, position=trajectory.position - down, contacts=contacts)
    return trajectory


def ghost(spec: SceneSpec) -> int | None:
    """Return the index of the body that passes through all others, though not through the floor; None = there is none.

    It is the one with the most energy a kilogram at the start: what is thrown or pushed, or is on top.
    """
    if spec.violation != "penetration" or len(spec.bodies) < 2:
        return None
    gravity = np.asarray(spec.environment.gravity)
    energies = {
        index: 0.5 * float(np.sum(np.square(body.linear_velocity))) - float(gravity @ np.asarray(body.position))
        for index, body in _dynamic(spec)
    }
    for push in spec.triggers:
        index = next(index for index, body in enumerate(spec.bodies) if body.name == push.body)
        energies[index] += 0.5 * float(np.sum(np.square(push.impulse))) / _mass(spec, index) ** 2
    return max(energies, key=lambda index: energies[index]) if energies else None


def cause_frame(spec: SceneSpec, index: int) -> int | None:
    """Return the frame after which a dynamic rigid body moves by itself; None = not for a reason that the spec names.

    Reasons are its velocity at the start, a push, and that nothing is within 2 cm of its bounding box while gravity
    pulls.
    """
    body = spec.bodies[index]
    assert isinstance(body, BodyRigid)
    radius = float(np.linalg.norm(body_mesh(body).vertices, axis=-1).max())
    speed = float(np.linalg.norm(body.linear_velocity)) + radius * float(np.linalg.norm(body.angular_velocity))
    if speed > MOVES:
        return 0
    if any(spec.environment.gravity):
        position = np.array([[each.position for each in spec.bodies]])
        quat = np.array([[np.asarray(each.orientation) / np.linalg.norm(each.orientation) for each in spec.bodies]])
        bounds = body_bounds(spec, position, quat)
        if clearance(spec, bounds, index)[0] > HELD:
            return 0
    times = [push.time for push in spec.triggers if push.body == body.name]
    return int(np.floor(min(times) * spec.fps)) if times else None


def body_bounds(spec: SceneSpec, position: npt.ArrayLike, quat_xyzw: npt.ArrayLike) -> Float64:
    """Return the bounding boxes `(time, body, 2, 3)` of rigid bodies, lowest and highest corner, world frame [m].

    Args:
        spec: The scene.
        position: `(time, body, 3)` [m].
        quat_xyzw: `(time, body, 4)` body to world.
    """
    origins, rotation = np.asarray(position, np.float64), quat_to_matrix(quat_xyzw)
    found = np.empty((*origins.shape[:2], 2, 3))
    for index, body in enumerate(spec.bodies):
        assert isinstance(body, BodyRigid)
        reach = np.einsum("tij,vj->tvi", rotation[:, index], body_mesh(body).vertices)
        found[:, index, 0] = origins[:, index] + reach.min(axis=1)
        found[:, index, 1] = origins[:, index] + reach.max(axis=1)
    return found


def clearance(spec: SceneSpec, bounds: Float64, index: int, *, floor: bool = True) -> Float64:
    """Return how far `(time,)` [m] a body's bounding box is from those of all others, at least, and from the floor.

    Infinity where there is nothing else; negative where boxes overlap.
    """
    low, high = bounds[:, index, None, 0], bounds[:, index, None, 1]
    others = np.delete(np.arange(bounds.shape[1]), index)
    apart = np.maximum(low - bounds[:, others, 1], bounds[:, others, 0] - high).max(axis=-1)
    nearest = apart.min(axis=1, initial=np.inf)
    if floor and spec.ground is not None:
        nearest = np.minimum(nearest, low[:, 0, 2])
    return np.asarray(nearest)


def _dynamic(spec: SceneSpec) -> list[tuple[int, BodyRigid]]:
    return [
        (index, body)
        for index, body in enumerate(spec.bodies)
        if isinstance(body, BodyRigid) and body.mobility == "dynamic"
    ]


def _mass(spec: SceneSpec, index: int) -> float:
    body = spec.bodies[index]
    assert isinstance(body, BodyRigid)
    return body.physical.density * body_mesh(body).volume()


def _sinking(spec: SceneSpec) -> float:
    """Return how far [m] the floor gives way under a body that is alone; 0 = it does not."""
    if spec.violation != "penetration" or len(spec.bodies) != 1 or not _dynamic(spec) or spec.ground is None:
        return 0.0
    (_, body), *_ = _dynamic(spec)
    return SUNK * float(np.ptp(body_mesh(body).vertices, axis=0).min())


def _rebounding(spec: SceneSpec, restitution: float) -> SceneSpec:
    """Return a spec in which all materials have a restitution [1]."""
    update: dict[str, object] = {
        name: thing.model_copy(update={"physical": thing.physical.model_copy(update={"restitution": restitution})})
        for name in ("ground", "room")
        if (thing := getattr(spec, name)) is not None
    }
    update["bodies"] = tuple(
        body.model_copy(update={"physical": body.physical.model_copy(update={"restitution": restitution})})
        if isinstance(body, BodyRigid)
        else body
        for body in spec.bodies
    )
    return spec.model_copy(update=update)


def _delayed(spec: SceneSpec, trajectory: Trajectory) -> Trajectory:
    """Let one body wait; of those that move by themselves the one that goes farthest."""
    lag = max(DELAY_FRAMES, round(DELAY * spec.fps))
    ways = _ways(trajectory)
    able = [index for index, _ in _dynamic(spec) if cause_frame(spec, index) is not None]
    if not able or 2 * lag >= trajectory.frame_count:
        return trajectory
    index = max(able, key=lambda one: float(ways[-1, one]))
    source = np.maximum(np.arange(trajectory.frame_count) - lag, 0)
    fields = {name: values.copy() for name, values in trajectory.motion().items()}
    for values in fields.values():
        values[:, index] = values[source, index]
    for name in ("linear_velocity", "angular_velocity"):
        fields[name][:lag, index] = 0.0
    instance, still = FIRST_BODY + index, _still(spec)
    contacts = []
    for frame, now in enumerate(trajectory.contacts):
        before = trajectory.contacts[source[frame]]
        theirs = _chosen(now, (now.a != instance) & (now.b != instance))
        own = _chosen(before, _between(before, instance, still))
        contacts.append(_together(theirs, own))
    return Trajectory(
        time=trajectory.time,
        vertices=trajectory.vertices,
        contacts=tuple(contacts),
        properties=trajectory.properties,
        position=fields["position"],
        quat_xyzw=fields["quat_xyzw"],
        linear_velocity=fields["linear_velocity"],
        angular_velocity=fields["angular_velocity"],
    )


def _teleported(spec: SceneSpec, trajectory: Trajectory) -> Trajectory:
    """Let the body that goes farthest jump at right angles to gravity, to where it has room and cameras see it."""
    ways = _ways(trajectory)
    able = [index for index, _ in _dynamic(spec)]
    if not able or trajectory.frame_count < 3:
        return trajectory
    index = max(able, key=lambda one: float(ways[-1, one]))
    frame = int(np.searchsorted(ways[:, index], TRAVELLED * ways[-1, index]))
    frame = min(max(frame, 1), trajectory.frame_count - 1)
    radius = float(np.linalg.norm(body_mesh(_rigid(spec, index)).vertices, axis=-1).max())
    bounds = body_bounds(spec, trajectory.position[frame:], trajectory.quat_xyzw[frame:])
    shifts = 2.0 * JUMP * radius * _sideways(np.asarray(spec.environment.gravity))
    room = np.array([_room_at(spec, bounds, index, shift, enough=radius) for shift in shifts])
    seen = _seen_by(spec, float(trajectory.time[frame]), trajectory.position[frame, index] + shifts)
    best = max(range(DIRECTIONS), key=lambda one: (room[one] > 0.0, seen[one], room[one]))
    shift = shifts[best].astype(np.float32)
    position = trajectory.position.copy()
    position[frame:, index] += shift
    instance, contacts = FIRST_BODY + index, list(trajectory.contacts)
    for later in range(frame, trajectory.frame_count):
        now = contacts[later]
        floor = _between(now, instance, {GROUND})
        kept = _chosen(now, floor | ((now.a != instance) & (now.b != instance)))
        moved = _between(kept, instance, {GROUND})
        contacts[later] = replace(kept, point=np.where(moved[:, None], kept.point + shift, kept.point))
    return replace(trajectory, position=position, contacts=tuple(contacts))


def _rigid(spec: SceneSpec, index: int) -> BodyRigid:
    body = spec.bodies[index]
    assert isinstance(body, BodyRigid)
    return body


def _ways(trajectory: Trajectory) -> Float64:
    """Return how far `(time, body)` [m] every body has gone."""
    steps = np.linalg.norm(np.diff(trajectory.position.astype(np.float64), axis=0), axis=-1)
    return np.concatenate([np.zeros((1, trajectory.position.shape[1])), np.cumsum(steps, axis=0)])


def _sideways(gravity: Float64) -> Float64:
    """Unit vectors `(direction, 3)` all around at right angles to gravity."""
    strength = float(np.linalg.norm(gravity))
    down = gravity / strength if strength > 0.0 else np.array([0.0, 0.0, -1.0])
    first = np.cross(down, [0.0, 1.0, 0.0] if abs(down[1]) < 0.9 else [1.0, 0.0, 0.0])
    first /= np.linalg.norm(first)
    angle = 2.0 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    return np.asarray(np.outer(np.cos(angle), first) + np.outer(np.sin(angle), np.cross(down, first)))


def _room_at(spec: SceneSpec, bounds: Float64, index: int, shift: Float64, *, enough: float) -> float:
    """Return how clear [m] a body stays of others and of walls after a shift, counted up to what is enough."""
    moved = bounds.copy()
    moved[:, index] += shift
    room = float(clearance(spec, moved, index, floor=False).min())
    if spec.room is not None:
        half = 0.5 * np.asarray(spec.room.size[:2])
        room = min(room, float((half - np.abs(moved[:, index, :, :2])).min()))
    return min(room, enough)


def _seen_by(spec: SceneSpec, time: float, places: Float64) -> npt.NDArray[np.int64]:
    """Return in how many cameras' pictures places `(place, 3)` [m] lie at a time [s], `(place,)`."""
    count = np.zeros(len(places), np.int64)
    for camera in spec.cameras:
        points = transform_points(invert_pose(camera_to_world(camera, np.array([time]))[0]), places)
        raster = project(points, intrinsics(camera))
        inside = (raster >= 0.0).all(axis=-1) & (raster < (camera.width, camera.height)).all(axis=-1)
        count += inside & (points[:, 2] > NEAR_PLANE)
    return count


def _still(spec: SceneSpec) -> set[int]:
    """Instance ids of what never moves."""
    return set(range(FIRST_BODY)) | {
        FIRST_BODY + index for index, body in enumerate(spec.bodies) if _rigid(spec, index).mobility == "static"
    }


def _between(contacts: Contacts, instance: int, others: Iterable[int]) -> Bool:
    """Which contacts `(contact,)` are of an instance with one of others."""
    rest = list(others)
    own_a, own_b = contacts.a == instance, contacts.b == instance
    return np.asarray((own_a & np.isin(contacts.b, rest)) | (own_b & np.isin(contacts.a, rest)))


def _chosen(contacts: Contacts, kept: Bool) -> Contacts:
    return Contacts(**{name: getattr(contacts, name)[kept] for name in ("a", "b", "point", "normal", "impulse")})


def _together(first: Contacts, second: Contacts) -> Contacts:
    """Two sets of contacts as one, ordered by (a, b)."""
    names: Sequence[str] = ("a", "b", "point", "normal", "impulse")
    fields = {name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in names}
    order = np.lexsort((fields["b"], fields["a"]))
    return Contacts(**{name: values[order] for name, values in fields.items()})
