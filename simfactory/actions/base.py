"""What every action is: data that plans a motion from what is observed, and says how it goes."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from simfactory.actions.observation import Observation
from simfactory.arms import Plan, Planner
from simfactory.errors import SpecError

__all__ = ["RUNNING", "SUCCEEDED", "Action", "Attempt", "Status", "Verdict", "failed"]

Array = npt.NDArray[np.float64]
Status = Literal["running", "succeeded", "failed"]

BLOCKED = 0.05  # [rad] of a joint from its command; drives of an arm that moves freely stay within 4 mrad
LOST = 0.03  # [m] by which something held has moved against the tool
SETTLE = 0.4  # [s] after a motion in which the arm may come to rest
NEAR = 6e-3  # [m] of the tool from where it was sent


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """How an action goes.

    Attributes:
        status: `running`, `succeeded` or `failed`.
        reason: Why it failed, or what came of it; empty while it runs.
    """

    status: Status
    reason: str = ""


RUNNING, SUCCEEDED = Verdict(status="running"), Verdict(status="succeeded")


def failed(reason: str) -> Verdict:
    """Return the verdict on an action that failed."""
    return Verdict(status="failed", reason=reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """An action under way.

    Attributes:
        action: The action.
        plan: Its motion, from the start on.
        start: What was observed as it began.
    """

    action: "Action"
    plan: Plan
    start: Observation

    def command(self, time: float) -> Array:
        """Return the joint positions `(joint,)` [rad or m] wanted at a time of the episode [s]."""
        since = time - self.start.time
        return np.array([np.interp(since, self.plan.times, column) for column in self.plan.positions.T])

    def left(self, now: Observation) -> float:
        """Return the time until the motion ends [s]; below 0 afterwards."""
        return float(self.plan.times[-1] - (now.time - self.start.time))

    def miss(self, now: Observation) -> float:
        """Return the distance of the tool from where the motion ends [m]."""
        return float(np.linalg.norm(now.tool[:3, 3] - self.plan.tools[-1]))

    def lost(self, now: Observation) -> str | None:
        """Return the name of what was held at first and has been lost since, None if nothing was.

        A rigid body is lost where it has moved against the tool, a cloth or rope where all of it has left the tool.
        """
        held = self.start.holding
        if held is None:
            return None
        if now.index(held) in now.state.vertices:
            ways = [np.linalg.norm(seen.points(held) - seen.tool[:3, 3], axis=1).min() for seen in (self.start, now)]
            return held if ways[1] - ways[0] > LOST else None
        places = [np.linalg.inv(seen.tool) @ [*seen.place(held), 1.0] for seen in (self.start, now)]
        return held if float(np.linalg.norm(places[1] - places[0])) > LOST else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Action(ABC):
    """One thing that an arm does. It is data: what it needs to know it observes as it begins.

    Attributes:
        pace: Factor on its speeds [1].
    """

    name: ClassVar[str]
    keeps: ClassVar[bool] = True  # whether what is held at first must still be held at the end

    pace: float = 1.0

    @abstractmethod
    def motion(self, seen: Observation, planner: Planner) -> None:
        """Plan the motion.

        Args:
            seen: What is observed.
            planner: Begins where the arm was last told to be; takes the moves and the phases.

        Raises:
            SpecError: It cannot be done; the message is the reason for which the action fails.
        """

    def begin(self, seen: Observation) -> Attempt:
        """Return the action under way.

        Raises:
            SpecError: It cannot be done: a place is out of reach, a body is not there, a hand is not free.
        """
        if self.pace <= 0.0:
            raise SpecError(f"pace of action {self.name!r} is {self.pace:g}; allowed is more than 0")
        planner = seen.planner(pace=self.pace)
        self.motion(seen, planner)
        plan = planner.finished()
        seen.check_limits(plan)
        return Attempt(action=self, plan=plan, start=seen)

    def monitor(self, attempt: Attempt, now: Observation) -> Verdict:
        """Return how it goes: it fails where the arm is held up or loses what it held."""
        arm = len(now.model.arm)
        lag = float(np.abs(now.positions - now.command)[:arm].max())
        if lag > BLOCKED:
            return failed(f"the arm is held up, a joint is {lag:.2f} rad behind: something is in the way")
        if self.keeps and (lost := attempt.lost(now)) is not None:
            return failed(f"lost {lost!r}")
        return RUNNING if attempt.left(now) > 1e-6 else self.outcome(attempt, now)

    def outcome(self, attempt: Attempt, now: Observation) -> Verdict:
        """Return what has come of it once its motion has ended; by default it succeeds where the tool arrives."""
        miss = attempt.miss(now)
        if miss < NEAR:
            return SUCCEEDED
        return RUNNING if attempt.left(now) > -SETTLE else failed(f"the tool stays {1e3 * miss:.0f} mm off")
