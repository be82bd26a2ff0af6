"""Plans of an arm: poses of its tool, one after the other, solved into smooth joint positions over time."""

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError
from simfactory.robots import RobotModel, inverse, tool_pose
from simfactory.spec import Phase
from simfactory.transforms import quat_from_axis_angle, quat_from_matrix, quat_slerp, quat_to_matrix

__all__ = ["DOWN", "Plan", "Planner", "approach"]

Vector = npt.NDArray[np.float64]

DOWN = np.diag([1.0, -1.0, -1.0])  # the tool looks down, its fingers move along world y
PERIOD = 0.05  # [s] between waypoints
STEP = 0.04  # [m or 0.1 rad] of the tool between solutions
SPEED, TURN = 0.6, 2.2  # [m/s, rad/s] of the tool, at most, in the middle of a move
RATE = 0.8  # share of the joints' largest rates that a move may use
SHORTEST = 0.3  # [s]


def approach(bearing: float, *, lean: float = 0.0, spin: float = 0.0) -> Vector:
    """Return the rotation `(3, 3)` of a tool that looks down, leaning towards a bearing [rad].

    Args:
        bearing: Direction in the world's xy plane [rad].
        lean: By how much the tool looks along it instead of down [rad]; π/2 = level.
        spin: Turn about the direction in which it looks [rad]; at 0 the fingers move level and across the bearing.
    """
    across = np.array([-math.sin(bearing), math.cos(bearing), 0.0])
    down = quat_to_matrix(quat_from_axis_angle((0.0, 0.0, 1.0), bearing)) @ DOWN
    leant = quat_to_matrix(quat_from_axis_angle(across, -lean)) @ down
    return np.asarray(leant @ quat_to_matrix(quat_from_axis_angle((0.0, 0.0, 1.0), spin)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Joint positions over time.

    Attributes:
        times: `(waypoint,)` rising, from 0 [s].
        positions: `(waypoint, joint)` of arm and fingers [rad or m].
        phases: What is done when.
        tools: `(waypoint, 3)` places of the tool [m].
    """

    times: Vector
    positions: Vector
    phases: tuple[Phase, ...]
    tools: Vector


@dataclass(kw_only=True, slots=True)
class Planner:
    """Strings moves together; each goes on from where the last one ended.

    Attributes:
        model: The robot.
        base: Pose `(4, 4)` of its base.
        arm: `(joint,)` where it is [rad].
        opening: Of each finger [m].
        pace: Factor on all speeds [1].
    """

    model: RobotModel
    base: Vector
    arm: Vector
    opening: float
    pace: float = 1.0
    _rest: Vector = field(init=False)
    _times: list[float] = field(default_factory=lambda: [0.0])
    _rows: list[Vector] = field(default_factory=list)
    _tools: list[Vector] = field(default_factory=list)
    _phases: list[Phase] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rest = self.arm.copy()
        self._keep()

    @property
    def now(self) -> float:
        """Time planned so far [s]."""
        return self._times[-1]

    @property
    def tool(self) -> Vector:
        """Pose `(4, 4)` of the tool at the end of the plan so far."""
        return tool_pose(self.model, self.arm, self.base)

    def begin(self, action: str) -> None:
        """Begin a phase of the plan."""
        self._phases.append(Phase(action=action, start=round(self.now, 6)))

    def wait(self, duration: float) -> None:
        """Stay for a time [s]."""
        self._times.append(self.now + duration)
        self._keep()

    def grip(self, opening: float, *, duration: float = 0.4) -> None:
        """Bring each finger to a distance from the middle [m]; below 0 it presses on what is between them."""
        limit = RATE * min(part.rate for part in self.model.fingers)
        duration = max(duration, 1.875 * abs(opening - self.opening) / limit)  # the peak of an eased move
        start, count = self.opening, max(2, math.ceil(duration / PERIOD))
        for k in range(1, count + 1):
            self.opening = start + (opening - start) * _eased(k / count)
            self._times.append(self._times[-1] + duration / count)
            self._keep()

    def move(self, place: Vector, rotation: Vector | None = None, *, speed: float = 1.0) -> None:
        """Move the tool along a straight line to a place [m], turning it evenly; at rest at both ends.

        Raises:
            SpecError: A pose on the way cannot be reached.
        """
        start = self.tool
        goal = np.eye(4)
        goal[:3, 3], goal[:3, :3] = place, start[:3, :3] if rotation is None else rotation
        ends = quat_from_matrix(start[:3, :3]), quat_from_matrix(goal[:3, :3])
        way, angle = goal[:3, 3] - start[:3, 3], 2.0 * math.acos(min(1.0, abs(float(ends[0] @ ends[1]))))
        length = float(np.linalg.norm(way))
        count = max(2, math.ceil(max(length / STEP, angle / (2.5 * STEP))))
        poses = []
        for share in np.linspace(0.0, 1.0, count + 1)[1:].tolist():
            pose = np.eye(4)
            pose[:3, 3] = start[:3, 3] + share * way
            pose[:3, :3] = quat_to_matrix(quat_slerp(ends[0], ends[1], share))
            poses.append(pose)
        self.follow(poses, duration=1.9 * max(length / SPEED, angle / TURN) / speed)

    def follow(self, poses: list[Vector], *, duration: float) -> None:
        """Bring the tool through poses `(4, 4)`, evenly spaced on one way, in a time [s] or as the joints allow.

        Raises:
            SpecError: A pose cannot be reached.
        """
        rows = [self.arm]
        for pose in poses:
            rows.append(inverse(self.model, pose, base=self.base, start=rows[-1]))
        self._run(np.array(rows), duration)

    def pose(self, arm: Vector, *, speed: float = 1.0) -> None:
        """Bring the joints straight to positions [rad]."""
        goal = np.asarray(arm, np.float64)
        self._run(np.array([self.arm, goal]), 1.9 * float(np.abs(goal - self.arm).max()) / (1.2 * speed))

    def finished(self) -> Plan:
        """Return the plan.

        Raises:
            SpecError: A joint would turn by more than half a turn from where it begins.
        """
        rows = np.array(self._rows)
        far = np.abs(rows - rows[0]).max()
        if far > 0.93 * math.pi:
            raise SpecError(f"a joint of robot {self.model.name!r} would turn by {far:.2f} rad; allowed is half a turn")
        return Plan(
            times=np.array(self._times), positions=rows, phases=tuple(self._phases), tools=np.array(self._tools)
        )

    def _run(self, rows: Vector, duration: float) -> None:
        """Go through joint positions `(step, joint)` with a smooth start and stop."""
        limits = RATE * np.array([part.rate for part in self.model.arm])
        # The rate of an eased move peaks at 15/8 of its mean.
        needed = 1.875 * float((np.abs(np.diff(rows, axis=0)) * (len(rows) - 1) / limits).max())
        duration = max(duration / self.pace, needed, SHORTEST)
        count = max(2, math.ceil(duration / PERIOD))
        places, start = np.linspace(0.0, 1.0, len(rows)), self.now
        for k in range(1, count + 1):
            share = _eased(k / count)
            self.arm = np.array([np.interp(share, places, column) for column in rows.T])
            self._times.append(start + duration * k / count)
            self._keep()

    def _keep(self) -> None:
        fingers = np.full(len(self.model.fingers), self.opening)
        self._rows.append(np.concatenate([self.arm, fingers]))
        self._tools.append(self.tool[:3, 3])


def _eased(share: float) -> float:
    """Share of a way after a share of its time: minimum jerk. Source: T. Flash, N. Hogan (1985)."""
    return share**3 * (10.0 - 15.0 * share + 6.0 * share * share)
