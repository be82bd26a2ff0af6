"""What a policy and the actions see of their environment at one frame."""

from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np
import numpy.typing as npt

from simfactory.arms import Plan, Planner, held_body, robot_base
from simfactory.episode import WorldState
from simfactory.errors import SpecError
from simfactory.joints import joint_states
from simfactory.meshes import body_mesh
from simfactory.robots import RobotModel, robot_model, tool_pose
from simfactory.spec import BodyRigid, JointHinge, RobotArm, SceneSpec
from simfactory.transforms import pose_matrix, transform_points

__all__ = ["Observation", "Observer", "Report"]

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
        holding: Name of the body that all fingers touch, None without.
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
            parts = set(_robot(self.spec).bodies)
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
        robot = _robot(self.spec)
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


@final
class Observer:
    """Makes observations of one environment.

    Args:
        spec: A scene with a robot.

    Raises:
        SpecError: There is no robot.
    """

    def __init__(self, spec: SceneSpec) -> None:
        robot = _robot(spec)
        self._spec, self.model, self.base = spec, robot_model(robot.model), robot_base(spec, robot)
        self.start = np.asarray(robot.start, np.float64)
        rows = {joint.name: row for row, joint in enumerate(spec.joints)}
        self._rows = [rows[name] for name in robot.joints]
        names = [body.name for body in spec.bodies]
        self._fingers = [names.index(name) for name in robot.bodies[len(self.model.arm) + 1 :]]

    def observe(self, state: WorldState, *, command: Array, history: tuple[Report, ...] = ()) -> Observation:
        """Return what is seen of a state.

        Args:
            state: The environment's state.
            command: `(joint,)` where joints were told to be by now [rad or m].
            history: Reports of the actions that have ended.
        """
        positions = self._positions(state)
        arm = len(self.model.arm)
        held = held_body(state.contacts, self._fingers)
        return Observation(
            spec=self._spec,
            state=state,
            model=self.model,
            base=self.base,
            positions=positions,
            command=command,
            tool=tool_pose(self.model, positions[:arm], self.base),
            opening=float(positions[arm:].sum()),
            holding=None if held < 0 else self._spec.bodies[held].name,
            history=history,
        )

    def _positions(self, state: WorldState) -> Array:
        motion = {
            name: getattr(state, name)[None]
            for name in ("position", "quat_xyzw", "linear_velocity", "angular_velocity")
        }
        measured = joint_states(self._spec, **motion).position[0, self._rows]
        return np.asarray(self.start + measured)


def _robot(spec: SceneSpec) -> RobotArm:
    if spec.robot is None:
        raise SpecError(f"scene {spec.scene!r} has no robot: actions need one")
    return spec.robot
