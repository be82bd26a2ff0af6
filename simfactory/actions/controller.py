"""What turns a policy's actions into commands of joints, frame by frame: one controller an environment."""

from collections.abc import Mapping
from dataclasses import replace
from typing import final

import numpy as np
import numpy.typing as npt

from simfactory.actions.base import Action, Attempt, Verdict, failed
from simfactory.actions.observation import Observation, Report
from simfactory.actions.observer import Observer
from simfactory.actions.policy import Policy, WatchfulPolicy
from simfactory.episode import WorldState
from simfactory.errors import SimulationError, SpecError
from simfactory.joints import drive_of
from simfactory.spec import Joint, Phase, SceneSpec, Waypoint

__all__ = ["Controller"]

Array = npt.NDArray[np.float64]

IDLE = "idle"  # phase in which no action runs
DIGITS = 7  # of commands [rad or m]


@final
class Controller:
    """Asks a policy, plans and monitors its actions, and says at every frame where the joints shall be.

    Actions last as long as they last: an environment's next one begins at the frame at which its last one ended,
    whatever other environments do. An action that cannot be planned fails at once; the policy is asked again at the
    next frame.

    Args:
        spec: A scene with a robot; the waypoints of the robot's drives are not followed, but where they begin.
        policy: Decides; it belongs to this environment.

    Raises:
        SpecError: There is no robot, or a joint of it has no drive.

    Attributes:
        log: (frame, action, status, reason) of every action as it begins (`running`) and ends.
    """

    def __init__(self, spec: SceneSpec, policy: Policy) -> None:
        self._observer = Observer(spec)
        assert spec.robot is not None
        self._spec, self._robot, self._policy = spec, spec.robot, policy
        joints = {joint.name: joint for joint in spec.joints}
        loose = [name for name in self._robot.joints if drive_of(joints[name]) is None]
        if loose:
            raise SpecError(f"joints {loose} of robot {self._robot.name!r} have no drive: give each of them one")
        begin = [_begin(joints[name]) for name in self._robot.joints]
        self._told = [begin]  # positions of the drives at the end of every frame, from t = 0 on
        self._rest = begin  # where the arm is told to be while nothing is done
        self._attempt: Attempt | None = None
        self._history: tuple[Report, ...] = ()
        self._phases: list[Phase] = []
        self._finished = False
        self.log: list[Report] = []

    @property
    def finished(self) -> bool:
        """The policy has nothing more to do: the episode may end."""
        return self._finished

    def targets(self, state: WorldState) -> Mapping[str, float]:
        """Return the joint positions wanted at the end of the next frame, as `Simulator.drive` takes them.

        Call it before every step, in order.

        Raises:
            SimulationError: The state is not that of the next frame.
        """
        frame = len(self._told) - 1
        if round(state.time * self._spec.fps) != frame:
            raise SimulationError(
                f"the controller waits for frame {frame}, this state is of {state.time:g} s: call targets once before "
                "every step, and make a new controller after a reset"
            )
        start = self._observer.start
        seen = self._observer.observe(state, command=start + self._told[-1], history=self._history)
        if self._attempt is not None:
            self._judge(self._attempt, seen, frame)
        if self._attempt is None and not self._finished:
            self._ask(replace(seen, command=start + self._rest, history=self._history), frame)
        if self._attempt is not None:
            self._rest = _rounded(self._attempt.command((frame + 1) / self._spec.fps) - start)
        self._told.append(self._rest)
        return dict(zip(self._robot.joints, self._rest, strict=True))

    def executed(self) -> SceneSpec:
        """Return the spec whose drives and robot phases hold what was commanded: it replays without a policy."""
        times = np.arange(len(self._told)) / self._spec.fps
        columns = dict(zip(self._robot.joints, zip(*self._told, strict=True), strict=True))
        joints = tuple(
            _driven(joint, times, columns[joint.name]) if joint.name in columns else joint
            for joint in self._spec.joints
        )
        robot = self._robot.model_copy(update={"phases": tuple(self._phases)})
        return SceneSpec.model_validate({**dict(self._spec), "joints": joints, "robot": robot})

    def _judge(self, attempt: Attempt, seen: Observation, frame: int) -> None:
        """End an action that has come to its end, or that the policy breaks off."""
        verdict = attempt.action.monitor(attempt, seen)
        if (
            verdict.status == "running"
            and isinstance(self._policy, WatchfulPolicy)
            and self._policy.watch(seen, attempt.action)
        ):
            verdict = failed("broken off by the policy")
        if verdict.status == "failed":  # it stops where it is: it does not go on pressing against what is in the way
            arm = len(seen.model.arm)
            self._rest = _rounded(seen.positions - self._observer.start)[:arm] + self._rest[arm:]
        if verdict.status != "running":
            self._end(attempt.action, verdict, frame)

    def _ask(self, seen: Observation, frame: int) -> None:
        """Begin what the policy wants.

        Raises:
            SpecError: That is no action.
        """
        action = self._policy.act(seen)
        if action is None:
            self._finished = True
            return
        if not isinstance(action, Action):
            raise SpecError(
                f"{type(self._policy).__name__}.act returned {action!r}; allowed are actions, or None at the end"
            )
        self.log.append(Report(frame, action, "running", ""))
        try:
            self._attempt = action.begin(seen)
        except SpecError as error:
            self._end(action, failed(str(error)), frame)
            return
        for phase in self._attempt.plan.phases:
            self._begin_phase(phase.action, seen.time + phase.start)

    def _end(self, action: Action, verdict: Verdict, frame: int) -> None:
        report = Report(frame, action, verdict.status, verdict.reason)
        self.log.append(report)
        self._history, self._attempt = (*self._history, report), None
        self._begin_phase(IDLE, frame / self._spec.fps)

    def _begin_phase(self, action: str, start: float) -> None:
        """Begin a phase; those that were planned for later are not reached any more."""
        start = round(start, 6)
        self._phases = [phase for phase in self._phases if phase.start < start]
        self._phases.append(Phase(action=action, start=start))


def _rounded(positions: Array) -> list[float]:
    return [round(float(value), DIGITS) + 0.0 for value in positions]


def _begin(joint: Joint) -> float:
    drive = drive_of(joint)
    assert drive is not None
    return drive.wanted(0.0)[0]


def _driven(joint: Joint, times: Array, positions: tuple[float, ...]) -> Joint:
    """Return a joint whose drive goes through positions; waypoints between equal ones are left out."""
    drive = drive_of(joint)
    last = len(positions) - 1
    points = tuple(
        Waypoint(time=float(times[k]), position=positions[k])
        for k in range(last + 1)
        if k in (0, last) or not positions[k - 1] == positions[k] == positions[k + 1]
    )
    assert drive is not None
    return joint.model_copy(update={"drive": drive.model_copy(update={"waypoints": points})})
