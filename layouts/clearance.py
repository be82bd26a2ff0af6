"""Certified distances: between bodies, to the ground and the walls, and of cameras to all of them."""

from collections.abc import Mapping, Sequence
from itertools import combinations, product

import numpy as np
import numpy.typing as npt

from layouts.solids import Solid, parts, solid
from simfactory.cameras import camera_to_world
from simfactory.errors import SpecError
from simfactory.joints import overlapping
from simfactory.separation import separation
from simfactory.spec import (
    BodySheet,
    BodySolid,
    CameraFixed,
    CameraOrbit,
    CameraSpec,
    CameraTracking,
    Ground,
    Joint,
    RobotArm,
    Room,
)

__all__ = ["MINIMUM", "certify", "certify_cameras", "clearance"]

Vector = npt.NDArray[np.float64]

MINIMUM = 1e-4  # [m]; bodies that rest on each other are placed half a millimetre apart


def clearance(first: Solid, second: Solid, *, enough: float = np.inf) -> float:
    """Return a certified lower bound of the distance between two convex hulls [m]; 0 where they overlap.

    The bound is within 1e-7 m of the distance, or at least `enough`.

    Args:
        first: One body.
        second: The other one.
        enough: Distance at which the search may stop [m].
    """
    line = first.center - second.center
    gap = float(np.linalg.norm(line)) - first.radius - second.radius
    if gap >= enough:
        return gap

    def support(direction: Vector) -> Vector:
        return first.support(direction) - second.support(-direction)

    return max(gap, separation(support, line, enough=enough).distance)


def certify(
    bodies: Sequence[BodySolid | BodySheet],
    ground: Ground | None = None,
    room: Room | None = None,
    *,
    joints: Sequence[Joint] = (),
    robot: RobotArm | None = None,
    minimum: float = MINIMUM,
) -> None:
    """Check that at t = 0 no body touches another one, the ground or a wall.

    User meshes count as their convex parts, a vibrating sheet as the box that it sweeps.

    Args:
        bodies: All bodies of the scene.
        ground: The floor, or None.
        room: The walls, or None.
        joints: What holds bodies together: these may overlap.
        robot: A robot: its parts may overlap.
        minimum: Distance to keep [m].

    Raises:
        SpecError: Two of them come closer than `minimum`; the message names the pair.
    """
    solids = [solid(body) for body in bodies]
    for hull in solids:
        for surface, distance in _margins(hull, ground, room):
            if distance < minimum:
                raise SpecError(_overlap(hull.name, surface, distance, minimum))
    of = {body.name: body for body in bodies}
    joined = overlapping(joints, robot)
    for first, second in combinations(solids, 2):
        if frozenset((first.name, second.name)) in joined:
            continue
        distance = _distance(first, second, of, minimum)
        if distance < minimum:
            raise SpecError(_overlap(first.name, second.name, distance, minimum))


def certify_cameras(
    cameras: Sequence[CameraSpec],
    bodies: Sequence[BodySolid | BodySheet],
    ground: Ground | None = None,
    room: Room | None = None,
    *,
    duration: float,
    courses: tuple[Vector, Vector] | None = None,
    minimum: float = 0.05,
) -> None:
    """Check that no camera is ever below the ground, in a wall, in a body or where one is expected.

    Bodies count as they are at t = 0; where they go after that is told by `courses`.

    Args:
        cameras: Cameras with their paths.
        bodies: All bodies of the scene.
        ground: The floor, or None.
        room: The walls, or None.
        duration: How long the cameras move [s].
        courses: Balls that bodies are expected to pass through: centres `(ball, 3)` and radii `(ball,)` [m].
        minimum: Distance to keep [m].

    Raises:
        SpecError: A camera comes closer than `minimum` to something; the message names both.
    """
    solids = [solid(body) for body in bodies]
    of = {body.name: body for body in bodies}
    for camera in cameras:
        for position in _positions(camera, duration):
            point = Solid(
                name=camera.name,
                center=position,
                rotation=np.eye(3),
                factors=np.ones(3),
                radius=0.0,
                local=lambda direction: np.zeros_like(direction),
            )
            margins = _margins(point, ground, room)
            margins += [(hull.name, _distance(hull, point, of, minimum)) for hull in solids]
            if courses is not None:
                nearest = float((np.linalg.norm(courses[0] - position, axis=-1) - courses[1]).min())
                margins.append(("the way of a body", nearest))
            for obstacle, distance in margins:
                if distance < minimum:
                    raise SpecError(_overlap(f"camera {camera.name}", obstacle, distance, minimum))


def _distance(first: Solid, second: Solid, of: Mapping[str, BodySolid | BodySheet], enough: float) -> float:
    """Return the distance [m] of two bodies (or of a body and a point), of their parts where their hulls are close."""
    distance = clearance(first, second, enough=enough)
    if distance >= enough:
        return distance
    split = [parts(of[hull.name]) if hull.name in of else [] for hull in (first, second)]
    if not any(split):
        return distance
    pairs = product(split[0] or [first], split[1] or [second])
    return min(clearance(one, other, enough=enough) for one, other in pairs)


def _positions(camera: CameraSpec, duration: float) -> Vector:
    """Positions `(time, 3)` [m] of a camera, at most 5° of its circle apart, or 48 along any other way."""
    match camera.path:
        case CameraFixed():
            span, count = 0.0, 1
        case CameraOrbit(azimuth_rate=rate):
            sweep = abs(rate) * duration
            span = duration if sweep <= 2.0 * np.pi else duration * 2.0 * np.pi / sweep
            count = 2 + int(min(sweep, 2.0 * np.pi) / np.radians(5.0)) if sweep > 0.0 else 1
        case CameraTracking(keyframes=keyframes):
            span, count = min(duration, keyframes[-1].time), 48
        case path:
            span, count = min(duration, path.duration), 48
    return camera_to_world(camera, np.linspace(0.0, span, count))[:, :3, 3]


def _margins(hull: Solid, ground: Ground | None, room: Room | None) -> list[tuple[str, float]]:
    """Signed distances [m] to the floor and to the walls; negative beyond them."""
    margins = []
    if ground is not None:
        margins.append(("the ground", -hull.reach(np.array([0.0, 0.0, -1.0]))))
    if room is not None:
        for axis, wall in enumerate(("x", "y", "z")[: 3 if room.ceiling else 2]):
            limit = room.size[axis] * (0.5 if axis < 2 else 1.0)
            for sign in (1.0, -1.0) if axis < 2 else (1.0,):
                direction = np.zeros(3)
                direction[axis] = sign
                margins.append((f"the room's {'+' if sign > 0 else '-'}{wall} side", limit - hull.reach(direction)))
    return margins


def _overlap(first: str, second: str, distance: float, minimum: float) -> str:
    return (
        f"{first} and {second} are {max(distance, 0.0):.3g} m apart, at least {minimum:.3g} m is allowed: "
        "move one of them or make it smaller"
    )
