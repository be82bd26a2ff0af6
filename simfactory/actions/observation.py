"""What a policy and the actions see of their environment at one frame."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simfactory.arms import Plan, Planner
from simfactory.episode import WorldState
from simfactory.errors import SpecError
from simfactory.meshes import body_mesh
from simfactory.robots import RobotModel
from simfactory.spec import BodyRigid, JointHinge, RobotArm, SceneSpec
from simfactory.transforms import pose_matrix, transform_points

__all__ = ["Observation", "Report", "robot_of"]

Array = npt.NDArray[np.float64]


class Report(NamedTuple):
    """What became of an action: (frame, action, status, reason)."""

    frame: int
    action: object
    status: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """An environment at one frame.

    Attributes:
        spec: The scene.
        state: Poses and velocities of all bodies, vertices, particles, contacts.
        model: The robot.
        base: Pose `(4, 4)` of its base, world frame.
        positions: `(joint,)` measured positions of arm and fingers, those of the model [rad or m].
        command: `(joint,)` where they were told to be by now.
        tool: `(4, 4)` measured pose of the tool, world frame.
        opening: Distance of the fingers [m].
        holding: Name of the body that all fingers touch, None without; what is fixed does not count.
        history: Reports of the actions that have ended, in order.
    """

    spec: SceneSpec
    state: WorldState
    model: RobotModel
    base: Array
    positions: Array
    command: Array
    tool: Array
    opening: float
    holding: str | None
    history: tuple[Report, ...] = ()

    @property
    def time(self) -> float:
        """Time since the episode began [s]."""
        return self.state.time

    @property
    def last(self) -> Report | None:
        """What became of the last action, None before the first has ended."""
        return self.history[-1] if self.history else None

    def index(self, body: str) -> int:
        """Return the number of a body in the state.

        Raises:
            SpecError: There is no body of this name.
        """
        names = [entry.name for entry in self.spec.bodies]
        if body not in names:
            parts = set(robot_of(self.spec).bodies)
            raise SpecError(f"there is no body {body!r}; allowed are {[name for name in names if name not in parts]}")
        return names.index(body)

    def place(self, body: str) -> Array:
        """Return where the origin of a body is `(3,)`, world frame [m]."""
        return np.asarray(self.state.position[self.index(body)], np.float64)

    def points(self, body: str) -> Array:
        """Return the vertices of a body's surface `(vertex, 3)`, world frame [m]."""
        index = self.index(body)
        if index in self.state.vertices:
            return np.asarray(self.state.vertices[index], np.float64)
        shape = self.spec.bodies[index]
        if not isinstance(shape, BodyRigid):
            raise SpecError(f"body {body!r} has no surface to take hold of; allowed are rigid bodies, cloths and ropes")
        pose = pose_matrix(self.state.position[index], self.state.quat_xyzw[index])
        return transform_points(pose, body_mesh(shape).vertices)

    def planner(self, *, pace: float = 1.0) -> Planner:
        """Return an empty plan that begins where the arm was last told to be."""
        arm = len(self.model.arm)
        return Planner(
            model=self.model,
            base=self.base,
            arm=self.command[:arm].copy(),
            opening=float(self.command[arm:].mean()),
            pace=pace,
        )

    def check_limits(self, plan: Plan) -> None:
        """Check that the scene's joints can follow a plan.

        Raises:
            SpecError: A joint would turn beyond its limits.
        """
        robot = robot_of(self.spec)
        joints = {joint.name: joint for joint in self.spec.joints}
        for name, start, way in zip(robot.joints, robot.start, plan.positions.T, strict=True):
            joint = joints[name]
            if not isinstance(joint, JointHinge):
                continue
            low, high = float(way.min()) - start, float(way.max()) - start
            if (joint.lower is not None and low < joint.lower) or (joint.upper is not None and high > joint.upper):
                raise SpecError(
                    f"joint {name!r} would turn from {low:.2f} to {high:.2f} rad; allowed is {joint.lower} to "
                    f"{joint.upper}: choose another place or direction"
                )


def robot_of(spec: SceneSpec) -> RobotArm:
    """Return a scene's robot.

    Raises:
        SpecError: There is none.
    """
    if spec.robot is None:
        raise SpecError(f"scene {spec.scene!r} has no robot: actions need one")
    return spec.robot
