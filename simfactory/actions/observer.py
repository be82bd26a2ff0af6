"""Makes observations of one environment, fast: some are made at every frame of every environment."""

from typing import final

import numpy as np
import numpy.typing as npt

from simfactory.actions.observation import Observation, Report, robot_of
from simfactory.arms import held_body, robot_base
from simfactory.episode import WorldState
from simfactory.robots import robot_model
from simfactory.spec import JointHinge, JointSlider, SceneSpec
from simfactory.transforms import pose_matrix, quat_multiply, quat_rotate

__all__ = ["Observer"]

Array = npt.NDArray[np.float64]

CONJUGATE = np.array([-1.0, -1.0, -1.0, 1.0])


@final
class Observer:
    """Makes observations of one environment.

    Args:
        spec: A scene with a robot.

    Raises:
        SpecError: There is no robot.

    Attributes:
        start: `(joint,)` joint positions of the model at t = 0 [rad or m].
    """

    def __init__(self, spec: SceneSpec) -> None:
        robot = robot_of(spec)
        self._spec, self._model, self._base = spec, robot_model(robot.model), robot_base(spec, robot)
        self.start = np.asarray(robot.start, np.float64)
        names, joints = [body.name for body in spec.bodies], {joint.name: joint for joint in spec.joints}
        held = [joint for name in robot.joints if isinstance(joint := joints[name], JointHinge | JointSlider)]
        parents = [joint.parent or robot.bodies[0] for joint in held]  # the base is fixed to the world
        self._parents = np.array([names.index(name) for name in parents])
        self._children = np.array([names.index(joint.child) for joint in held])
        self._turns = np.array([isinstance(joint, JointHinge) for joint in held])
        self._axes = _units(np.array([joint.axis for joint in held]))
        self._anchors = np.array([joint.anchor for joint in held])
        self._places = np.array([body.position for body in spec.bodies])
        self._quats = _units(np.array([body.orientation for body in spec.bodies]))
        arm = len(self._model.arm)
        self._hand = names.index(robot.bodies[arm])
        self._grip = self._model.tool.copy()
        self._grip[:3, 3] -= self._model.arm[-1].center
        self._loose = {row for row, body in enumerate(spec.bodies) if getattr(body, "mobility", "") != "static"}
        self._fingers = [names.index(name) for name in robot.bodies[arm + 1 :]]

    def observe(self, state: WorldState, *, command: Array, history: tuple[Report, ...] = ()) -> Observation:
        """Return what is seen of a state.

        Args:
            state: The environment's state.
            command: `(joint,)` where joints were told to be by now [rad or m].
            history: Reports of the actions that have ended.
        """
        positions = self.start + self._moved(state)
        held = held_body(state.contacts, self._fingers, among=self._loose)
        return Observation(
            spec=self._spec,
            state=state,
            model=self._model,
            base=self._base,
            positions=positions,
            command=command,
            tool=pose_matrix(state.position[self._hand], state.quat_xyzw[self._hand]) @ self._grip,
            opening=float(positions[len(self._model.arm) :].sum()),
            holding=None if held < 0 else self._spec.bodies[held].name,
            history=history,
        )

    def _moved(self, state: WorldState) -> Array:
        """Return the joint positions `(joint,)` [rad or m] since t = 0; those of `joints.joint_states`, all at once."""
        sides = []
        for rows in (self._parents, self._children):
            turn = quat_multiply(state.quat_xyzw[rows], self._quats[rows] * CONJUGATE)
            sides.append((turn, state.position[rows] + quat_rotate(turn, self._anchors - self._places[rows])))
        (before, here), (after, there) = sides
        relative = quat_multiply(before * CONJUGATE, after)
        angle = 2.0 * np.arctan2((relative[:, :3] * self._axes).sum(axis=1), relative[:, 3])
        angle = np.remainder(angle + np.pi, 2.0 * np.pi) - np.pi
        way = ((there - here) * quat_rotate(before, self._axes)).sum(axis=1)
        return np.asarray(np.where(self._turns, angle, way), np.float64)


def _units(rows: Array) -> Array:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
