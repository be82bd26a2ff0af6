"""The region of space in which the action is expected, for cameras and rooms."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from layouts.solids import solid
from layouts.stage import Sphere3, Stage, mass
from simfactory.meshes import body_mesh
from simfactory.spec import BodySolid, MotionLinear, Sphere
from simfactory.transforms import quat_to_matrix

__all__ = ["HORIZON", "LIMIT", "Region", "action_region"]

Vector = npt.NDArray[np.float64]

HORIZON = 2.0  # [s]; fixed, so that the length of a clip moves no camera
STEP = 0.05  # [s]
LIMIT = 2.2  # [m] from the origin, level; what goes farther may leave the picture
RUN = 0.9  # [m]; how far beyond its first touch of the floor a body is followed


@dataclass(frozen=True)
class Region:
    """Spheres that contain the expected action.

    Attributes:
        centers: `(sphere, 3)` world frame [m].
        radii: `(sphere,)` [m].
    """

    centers: Vector
    radii: Vector

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


def action_region(stage: Stage, *, horizon: float = HORIZON) -> Region:
    """Return where the bodies of a stage are expected to be during the first seconds.

    Dynamic bodies fly on ballistic paths until they touch the floor, then run on along it for at most `RUN` metres;
    collisions are left to the stage's waypoints. Static bodies count with their corners.

    Args:
        stage: The layout.
        horizon: Time span [s].
    """
    spheres: list[Sphere3] = list(stage.waypoints)
    motions = {motion.body: motion for motion in stage.motions}
    pushes = {push.body: np.asarray(push.impulse) for push in stage.triggers}
    for body in stage.bodies:
        hull = solid(body)
        if body.mobility == "dynamic":
            velocity = np.asarray(body.linear_velocity)
            if body.name in pushes:
                velocity = velocity + pushes[body.name] / mass(body)
            spheres += [(point, hull.radius) for point in _course(body, hull.radius, velocity, stage, horizon)]
            continue
        corners = body_mesh(body).vertices @ quat_to_matrix(body.orientation).T + hull.center
        spheres += [(corner, 0.0) for corner in corners]
        motion = motions.get(body.name)
        if isinstance(motion, MotionLinear):
            shift = np.asarray(motion.velocity) * (min(motion.stop, horizon) - motion.start)
            spheres += [(corner + shift, 0.0) for corner in corners]
    return Region(centers=np.array([center for center, _ in spheres]), radii=np.array([r for _, r in spheres]))


def _course(body: BodySolid, radius: float, velocity: Vector, stage: Stage, horizon: float) -> list[Vector]:
    """Expected centres of a body, `LIMIT` at most from the origin."""
    position = np.asarray(body.position, np.float64)
    height = solid(body).extent(np.array([0.0, 0.0, -1.0]))
    level = velocity * np.array([1.0, 1.0, 0.0])
    points, run = [position], 0.0
    airborne = position[2] > height + 0.01
    braking = 0.0 if isinstance(body.geometry, Sphere) else body.physical.dynamic_friction * stage.weight
    until = min(horizon, stage.arrivals.get(body.name, horizon) + STEP)
    for time in np.arange(STEP, until, STEP):
        if airborne:
            position = np.asarray(body.position) + velocity * time + 0.5 * stage.gravity * time * time
            if position[2] <= height:
                position[2], airborne = height, False
        else:
            speed = float(np.linalg.norm(level))
            if speed < 0.05 or run > RUN + 0.8 * (body.position[2] < height + 0.01):
                break
            position = position + level * STEP
            run += speed * STEP
            level = level * max(1.0 - braking * STEP / speed, 0.0)
        if np.hypot(position[0], position[1]) + radius > LIMIT + 0.6:
            break
        points.append(position)
    return points
