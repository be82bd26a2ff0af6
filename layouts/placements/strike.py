"""Strike: a body comes from a distance and hits what is in place."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from layouts.placements.base import TRIES, Placement, Range, initial
from layouts.solids import solid
from layouts.stage import Stage, heading, is_free, mass, moved, rested, yaw
from layouts.streams import Streams
from simfactory.errors import SpecError
from simfactory.rng import Stream
from simfactory.spec import BodySolid, Sphere

__all__ = ["Strike"]

Vector = npt.NDArray[np.float64]

UP = np.array([0.0, 0.0, 1.0])
SPIN_LIMIT = 10.0  # [rad/s]; a faster ball starts by sliding
WAYPOINTS = 24  # on the way to the target at which the striker must be free
FLOOR_FRICTION = 0.5  # [1]; a middling floor, to estimate how far a body slides


@dataclass(frozen=True, kw_only=True, slots=True)
class Strike(Placement):
    """Starts one body so that it meets a target.

    Attributes:
        target: Role that is aimed at: what moves along the floor at its nearest body, what flies at its last one.
        speed: Speed of approach along the floor [m/s].
        distance: Free distance before the meeting [m]; sliding bodies start nearer if friction would stop them.
        miss: How far beside the target's centre the aim is, in target radii [1], to either side.
        below: How far below the target's centre the aim is, in target radii [1].
        flight: Whether it flies (aimed through the air) instead of moving along the floor.
        height: Height above the floor from which it flies [m].
        through: Whether the target may let it pass: its whole flight is then kept in the picture.
        closing: Speed at which the target comes towards it [m/s].
    """

    target: str
    speed: Range
    distance: Range = (0.5, 0.9)
    miss: Range = (0.0, 0.2)
    below: Range = (0.0, 0.0)
    flight: bool = False
    height: Range = (0.2, 0.5)
    through: bool = False
    closing: Range = (0.0, 0.0)

    def place(self, role: str, bodies: tuple[BodySolid, ...], stage: Stage, *, streams: Streams) -> Stage:
        """Return the stage with the striker on its way.

        Raises:
            SpecError: The striker finds no free way.
        """
        (body,) = bodies
        aimed = stage.groups[self.target]
        for attempt in range(TRIES):
            draw = streams("strike", role, attempt) if attempt else streams("strike", role)
            way = heading(draw.uniform(0.0, 2.0 * math.pi))
            side = np.array([-way[1], way[0], 0.0]) * draw.uniform(*self.miss) * draw.choice((-1.0, 1.0))
            hit = aimed[-1] if self.flight else max(aimed, key=lambda body: solid(body).reach(-way))
            low = draw.uniform(*self.below) if self.below[1] > 0.0 else 0.0
            goal = np.asarray(hit.position) + (side - low * UP) * solid(hit).radius
            speed, closing = initial(draw, "speed", self.speed), initial(draw, "speed", self.closing)
            if self.flight:
                striker = self._flying(body, goal, speed * way, draw, stage)
            else:
                striker = self._gliding(body, hit, goal, speed * way, draw, stage)
            meeting = float(np.linalg.norm(goal[:2] - np.asarray(striker.position[:2]))) / speed
            if is_free(striker, stage.bodies, gap=0.02) and self._arrives(striker, hit, aimed, meeting, stage):
                break
        else:
            raise SpecError(
                f"no way for body {role!r} to {self.target!r} in {TRIES} tries: its start is taken, or something "
                "else is in between; use a larger `distance`"
            )
        radius = solid(hit).radius
        if closing > 0.0:
            aimed = tuple(moved(item, linear_velocity=-closing * way) if item is hit else item for item in aimed)
        # What is hit leaves with up to twice the speed of the common centre of mass.
        blow = 2.0 * speed * mass(striker) / (mass(striker) + mass(hit))
        beyond = np.asarray(hit.position) + way * min(0.3 * blow, 1.0)
        return stage.extended(
            groups={self.target: aimed, role: (striker,)},
            waypoints=[(np.asarray(hit.position), radius), (beyond, radius)],
            arrivals={} if self.through else {striker.name: meeting},
        )

    def _arrives(
        self, striker: BodySolid, hit: BodySolid, aimed: tuple[BodySolid, ...], meeting: float, stage: Stage
    ) -> bool:
        """Tell whether a striker meets nothing on its way to its target but what stands with that."""
        others = [body for body in stage.bodies if body not in aimed]
        fall = stage.gravity if self.flight else np.zeros(3)
        for time in np.linspace(0.0, meeting, WAYPOINTS) if others else ():
            path = np.asarray(striker.linear_velocity) * time + 0.5 * fall * time * time
            passing = moved(striker, position=np.asarray(striker.position) + path)
            if not is_free(passing, [hit], gap=0.01):
                return True
            if not is_free(passing, others, gap=0.01):
                return False
        return True

    def _gliding(
        self, body: BodySolid, hit: BodySolid, goal: Vector, velocity: Vector, draw: Stream, stage: Stage
    ) -> BodySolid:
        """On the floor, near enough to arrive with half of its speed; a ball rolls."""
        speed = float(np.linalg.norm(velocity))
        way = velocity / speed
        upright = rested(body, goal[:2], orientation=yaw(math.atan2(way[1], way[0])))
        gap, spin = draw.uniform(*self.distance), np.zeros(3)
        if isinstance(body.geometry, Sphere):
            spin = np.cross(UP, way) * min(speed / solid(upright).radius, SPIN_LIMIT)
        else:
            braking = 0.5 * (body.physical.dynamic_friction + FLOOR_FRICTION) * stage.weight
            gap = max(min(gap, 0.75 * speed * speed / (2.0 * braking)), 0.05)
        apart = solid(hit).extent(-way) + solid(upright).extent(way) + gap
        start = np.asarray(upright.position) - apart * way
        return moved(upright, position=start, linear_velocity=velocity, angular_velocity=spin)

    def _flying(self, body: BodySolid, goal: Vector, velocity: Vector, draw: Stream, stage: Stage) -> BodySolid:
        """In the air, with the velocity whose ballistic path passes through the goal."""
        time = draw.uniform(*self.distance) / float(np.linalg.norm(velocity))
        oriented = moved(body, orientation=np.array(draw.quat_xyzw()), position=np.zeros(3))
        start = goal - velocity * time
        start[2] = draw.uniform(*self.height) + solid(oriented).extent(-UP)
        launch = (goal - start) / time - 0.5 * stage.gravity * time
        return moved(oriented, position=start, linear_velocity=launch)
