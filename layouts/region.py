"""The region of space in which the action is expected, for cameras and rooms."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from layouts.solids import solid
from layouts.stage import Sphere3, Stage, mass
from simfactory.cords import centre_line
from simfactory.meshes import body_mesh
from simfactory.spec import BodyRope, BodySolid, MotionLinear, Sphere
from simfactory.transforms import quat_to_matrix

__all__ = ["HORIZON", "LIMIT", "STEP", "Region", "action_region"]

Vector = npt.NDArray[np.float64]

HORIZON = 2.0  # [s]; fixed, so that the length of a clip moves no camera
STEP = 0.05  # [s]
LIMIT = 2.2  # [m] from the origin, level; what goes farther may leave the picture
ROPE_BALLS = 12  # that stand for where a rope begins
RUN = 0.55  # [m]; how far beyond its first touch of the floor a body is followed


@dataclass(frozen=True)
class Region:
    """Spheres that contain the expected action.

    Attributes:
        centers: `(sphere, 3)` world frame [m].
        radii: `(sphere,)` [m].
        courses: `(time, body, 3)` expected centres of the bodies that move freely, every `STEP` from t = 0 [m].
        course_radii: `(body,)` their radii [m].
        lasting: `(sphere,)` whether a sphere matters at all times: what stands, and waypoints.
        ways: `(way, 3)` centres of balls in which bodies may be while nothing stops them, beyond the picture too [m].
        way_radii: `(way,)` radii of these balls [m].
    """

    centers: Vector
    radii: Vector
    courses: Vector = field(default_factory=lambda: np.zeros((0, 0, 3)))
    course_radii: Vector = field(default_factory=lambda: np.zeros(0))
    lasting: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    ways: Vector = field(default_factory=lambda: np.zeros((0, 3)))
    way_radii: Vector = field(default_factory=lambda: np.zeros(0))

    @cached_property
    def target(self) -> Vector:
        """Middle of the spheres' bounding box `(3,)` [m]."""
        low = (self.centers - self.radii[:, None]).min(axis=0)
        high = (self.centers + self.radii[:, None]).max(axis=0)
        return np.asarray(0.5 * (low + high))

    @cached_property
    def radius(self) -> float:
        """Radius [m] of the ball about `target` that holds all spheres."""
        return float((np.linalg.norm(self.centers - self.target, axis=-1) + self.radii).max())

    @cached_property
    def focus(self) -> Vector:
        """Middle of the bodies that move, `(time, 3)` every `STEP` [m]; where none does, the middle of the region."""
        moved = (
            np.ptp(self.courses, axis=0).max(axis=-1, initial=0.0) > 1e-3 if self.courses.size else np.zeros(0, bool)
        )
        if not moved.any():
            return self.target[None]
        return np.asarray(self.courses[:, moved].mean(axis=1))

    def during(self, begin: float, end: float) -> "Region":
        """Return the part of the region that matters between two times [s]; all of it where times are not known."""
        if not self.courses.size:
            return self
        last = len(self.courses) - 1
        rows = self.courses[min(max(int(begin / STEP), 0), last) : min(int(np.ceil(end / STEP)), last) + 1]
        centers = np.concatenate([rows.reshape(-1, 3), self.centers[self.lasting]])
        return Region(
            centers=centers, radii=np.concatenate([np.tile(self.course_radii, len(rows)), self.radii[self.lasting]])
        )


def action_region(stage: Stage, *, horizon: float = HORIZON) -> Region:
    """Return where the bodies of a stage are expected to be during the first seconds.

    Dynamic bodies fly on ballistic paths until they touch the floor, then run on along it for at most `RUN` metres;
    collisions are left to the stage's waypoints. Static bodies count with their corners.

    Args:
        stage: The layout.
        horizon: Time span [s].
    """
    spheres: list[Sphere3] = list(stage.waypoints)
    flights: list[tuple[list[Vector], float]] = []
    ways: list[Sphere3] = []
    motions = {motion.body: motion for motion in stage.motions}
    pushes = {push.body: np.asarray(push.impulse) for push in stage.triggers}
    for body in stage.bodies:
        hull = solid(body)
        if isinstance(body, BodyRope):
            _add_rope(body, stage, spheres, flights, ways, horizon)
            continue
        if body.mobility == "dynamic" and not getattr(body, "held", ()):
            velocity = np.asarray(body.linear_velocity)
            if body.name in pushes:
                velocity = velocity + pushes[body.name] / mass(body)
            flights.append((_course(body, hull.radius, velocity, stage, horizon), hull.radius))
            free = _course(body, hull.radius, velocity, stage, horizon, followed=False)
            ways += [(point, hull.radius) for point in free]
            continue
        corners = body_mesh(body).vertices @ quat_to_matrix(body.orientation).T + hull.center
        spheres += [(corner, 0.0) for corner in corners]
        motion = motions.get(body.name)
        if isinstance(motion, MotionLinear):
            shift = np.asarray(motion.velocity) * (min(motion.stop, horizon) - motion.start)
            spheres += [(corner + shift, 0.0) for corner in corners]
    lasting = len(spheres)
    spheres += [(point, radius) for points, radius in flights for point in points]
    longest = max((len(points) for points, _ in flights), default=0)
    courses = [[points[min(k, len(points) - 1)] for points, _ in flights] for k in range(longest)]
    return Region(
        centers=np.array([center for center, _ in spheres]),
        radii=np.array([r for _, r in spheres]),
        courses=np.array(courses).reshape(longest, len(flights), 3),
        course_radii=np.array([radius for _, radius in flights]),
        lasting=np.arange(len(spheres)) < lasting,
        ways=np.array([center for center, _ in ways]).reshape(-1, 3),
        way_radii=np.array([r for _, r in ways]),
    )


def _add_rope(
    rope: BodyRope,
    stage: Stage,
    spheres: list[Sphere3],
    flights: list[tuple[list[Vector], float]],
    ways: list[Sphere3],
    horizon: float,
) -> None:
    """Add where a rope is at first and, if it is free, where it flies: as a small ball, since it mostly lies level."""
    nodes = np.asarray(rope.position) + centre_line(rope) @ quat_to_matrix(rope.orientation).T
    radius = rope.geometry.radius
    spheres += [(node, radius) for node in nodes[:: max(1, len(nodes) // ROPE_BALLS)]]
    spheres.append((nodes[-1], radius))
    reach = solid(rope).radius
    if rope.held:
        flights.append(([np.asarray(rope.position, np.float64)], 2.0 * radius))
        ways += [(node, 0.25 * reach) for node in nodes[:: max(1, len(nodes) // ROPE_BALLS)]]
        return
    velocity = np.asarray(rope.linear_velocity)
    flights.append((_course(rope, 0.5 * reach, velocity, stage, horizon), 0.5 * reach))
    free = _course(rope, reach, velocity, stage, horizon, followed=False)
    ways += [(point, reach) for point in free]


def _course(
    body: BodySolid, radius: float, velocity: Vector, stage: Stage, horizon: float, *, followed: bool = True
) -> list[Vector]:
    """Expected centres of a body every `STEP`.

    Those that a picture follows end where the body hits something, has run for `RUN` or is `LIMIT` from the origin.
    """
    position = np.asarray(body.position, np.float64)
    height = solid(body).extent(np.array([0.0, 0.0, -1.0]))
    level = velocity * np.array([1.0, 1.0, 0.0])
    points, run = [position], 0.0
    airborne = position[2] > height + 0.01
    braking = 0.0 if isinstance(body.geometry, Sphere) else body.physical.dynamic_friction * stage.weight
    until = min(horizon, stage.arrivals.get(body.name, horizon) + STEP) if followed else horizon
    farthest = RUN + 0.9 * (body.position[2] < height + 0.01) if followed else np.inf
    for time in np.arange(STEP, until, STEP):
        if airborne:
            position = np.asarray(body.position) + velocity * time + 0.5 * stage.gravity * time * time
            if position[2] <= height:
                position[2], airborne = height, False
        else:
            speed = float(np.linalg.norm(level))
            if speed < 0.05 or run > farthest:
                break
            position = position + level * STEP
            run += speed * STEP
            level = level * max(1.0 - braking * STEP / speed, 0.0)
        if followed and np.hypot(position[0], position[1]) + radius > LIMIT + 0.6:
            break
        points.append(position)
    return points
