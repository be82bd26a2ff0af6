"""A bench with an arm on it: where things lie before the arm, and how a plan of it becomes part of a stage."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from layouts.building import UP, block, check_free
from layouts.stage import REST_GAP, Stage, heading, mass, yaw
from simfactory.arms import Planner, approach, equipped
from simfactory.errors import SpecError
from simfactory.rng import Stream
from simfactory.robots import RobotModel, inverse, robot_model
from simfactory.spec import BodyRigid, BodySolid, Condition, Joint
from simfactory.transforms import quat_from_matrix, quat_slerp, quat_to_matrix

__all__ = ["BEFORE", "OPEN", "Bench", "bench"]

Vector = npt.NDArray[np.float64]

HOME = np.array([0.0, -0.4, 0.0, -2.3, 0.0, 1.9, 0.785])  # [rad] elbow up, hand down before it
REACH = 0.5  # [m] from the base to the middle of the scene
HEIGHT = (0.25, 0.45)  # [m] of the bench
OPEN = 0.0395  # [m] each finger, a little less than it can
BEFORE = 0.1  # [m] above or beside a place at which the arm slows down
EXTRA = 3.0  # [m/s²] by which the arm may shake what it holds
FIRM = 4.0  # times the force that just holds: it also keeps things from turning between the fingers
GRIP = (10.0, 70.0)  # [N] of a finger


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """A bench, an arm that stands on it, and what it is going to do.

    Attributes:
        body: The bench.
        angle: Bearing in which the arm looks [rad].
        top: Height of the bench [m].
        base: Pose `(4, 4)` of the arm's base.
        weight: Gravity [m/s²].
        model: The robot.
        pace: Factor on its speeds [1].
    """

    body: BodySolid
    angle: float
    top: float
    base: Vector
    weight: float
    model: RobotModel
    pace: float

    def point(self, ahead: float, left: float, up: float = 0.0) -> Vector:
        """Return the world point `(3,)` [m] before the arm's base, to its left, and above the bench."""
        out, across = heading(self.angle), heading(self.angle + math.pi / 2)
        return np.asarray(self.base[:3, 3] * [1.0, 1.0, 0.0] + ahead * out + left * across + (self.top + up) * UP)

    def down(self, spin: float = 0.0, *, lean: float = 0.0) -> Vector:
        """Return the rotation of a tool that looks down; at spin 0 its fingers move to the arm's left and right."""
        return approach(self.angle, spin=spin, lean=lean)

    def sideways(self, lean: float = 0.0, *, spin: float = 0.0) -> Vector:
        """Return the rotation of a tool whose fingers move ahead and back, looking down or leaning to the left."""
        return approach(self.angle + math.pi / 2, lean=lean, spin=spin)

    def planner(self, place: Vector, rotation: Vector, *, opening: float = OPEN) -> Planner:
        """Return a plan that begins with the tool at a pose, found from one that looks down there.

        Raises:
            SpecError: It cannot be reached.
        """
        arm = self._turned(place)
        level = quat_from_matrix(self.down())
        for share in np.linspace(0.0, 1.0, 9).tolist():
            pose = np.eye(4)
            pose[:3, 3], pose[:3, :3] = place, quat_to_matrix(quat_slerp(level, quat_from_matrix(rotation), share))
            arm = inverse(self.model, pose, base=self.base, start=arm)
        return Planner(model=self.model, base=self.base, arm=arm, opening=opening, pace=self.pace)

    def grip(self, body: BodySolid, *, pads: float = 1.0, load: float = 0.0) -> float:
        """Return the force of a finger [N] that holds a body, and what it carries [kg], with some to spare."""
        friction = 0.5 * (pads + body.physical.dynamic_friction)
        return float(np.clip(FIRM * (mass(body) + load) * (self.weight + EXTRA) / (2.0 * friction), *GRIP))

    def staged(
        self,
        stage: Stage,
        role: str,
        planner: Planner,
        bodies: Sequence[BodySolid],
        *,
        grip: float,
        success: Sequence[Condition],
        joints: Sequence[Joint] = (),
    ) -> Stage:
        """Return the stage with bench, arm and the bodies of a role on it.

        Raises:
            SpecError: The place is taken, or a joint would turn too far.
        """
        check_free(role, [*bodies, self.body], stage)
        plan = planner.finished()
        arm = equipped(
            self.model,
            self.base,
            plan.times,
            plan.positions,
            grip=grip,
            phases=plan.phases,
            success=tuple(success),
        )
        middle = self.point(REACH, 0.0, 0.1)
        every = max(1, len(plan.tools) // 24)
        # What the arm does is the action: bodies that only stand about are not followed.
        moving = [body.name for body in (*bodies, *arm.bodies) if body.mobility == "dynamic"]
        return stage.extended(
            groups={"bench": (self.body,), role: tuple(bodies), "robot": arm.bodies},
            joints=(*joints, *arm.joints),
            robot=arm.robot,
            waypoints=[(place, 0.12) for place in plan.tools[::every]] + [(middle, 0.2)],
            arrivals=dict.fromkeys(moving, 0.0),
        )

    def _turned(self, place: Vector) -> Vector:
        """Joint positions of the arm at home, turned towards a place."""
        out = place - self.base[:3, 3]
        swing = (math.atan2(out[1], out[0]) - self.angle + math.pi) % (2.0 * math.pi) - math.pi
        return np.asarray(HOME + np.array([swing, *np.zeros(6)]))


def bench(body: BodySolid, stage: Stage, draw: Stream, *, robot: str = "panda", depth: float = 0.78) -> Bench:
    """Return a bench cut to measure with an arm at its edge; the middle of the scene lies before the arm.

    Args:
        body: What the bench is made of.
        stage: What is already in place.
        draw: Randomness: where the arm looks, how high the bench is, how fast the arm is.
        robot: Name of the robot.
        depth: How far the bench reaches from the arm [m].

    Raises:
        SpecError: There is no such robot, or the body is no rigid one that stands still.
    """
    if not isinstance(body, BodyRigid) or body.mobility != "static":
        raise SpecError(f"body {body.name!r} cannot be a bench; allowed is a rigid body that is static: cast it so")
    model, angle, top = robot_model(robot), draw.uniform(0.0, 2.0 * math.pi), draw.uniform(*HEIGHT)
    foot = -(REACH + draw.uniform(-0.03, 0.03)) * heading(angle)
    middle = foot + (0.5 * depth - 0.16) * heading(angle) + 0.5 * top * UP
    slab = block(body, (depth, draw.uniform(0.75, 0.95), top - REST_GAP), middle + 0.5 * REST_GAP * UP, yaw(angle))
    base = np.eye(4)
    base[:3, :3] = np.stack([heading(angle), heading(angle + math.pi / 2), UP], axis=-1)
    base[:3, 3] = foot + (top + REST_GAP) * UP
    return Bench(
        body=slab, angle=angle, top=top, base=base, weight=stage.weight, model=model, pace=draw.uniform(0.85, 1.2)
    )
