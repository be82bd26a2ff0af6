"""Push: closed fingers slide a body over what it stands on."""

import math
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from simfactory.actions.base import SUCCEEDED, Action, Attempt, Verdict, failed
from simfactory.actions.hand import BEFORE, UP, easiest
from simfactory.actions.observation import Observation
from simfactory.arms import Planner
from simfactory.errors import SpecError
from simfactory.spec import Vec2

__all__ = ["Push"]

THICK = 0.026  # [m] from the tool to the outside of closed fingers
ASIDE = 0.05  # [m] from the body at which the fingers come down
LEVEL = 0.022  # [m] of the tool above what the body stands on, at least
PALM = 0.03  # [m] below the body's upper edge, at most: the palm, 37 mm above the tool, passes over it
SLOW = 0.8


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Push(Action):
    """Comes down beside a body, pushes it along a level way and draws back; succeeds where the body has gone so far.

    Attributes:
        target: Name of the body.
        way: Level displacement that it shall make, world frame [m].
        tolerance: Distance from there at which it counts as there [m].
    """

    name: ClassVar[str] = "push"
    keeps: ClassVar[bool] = False

    target: str
    way: Vec2
    tolerance: float = 0.04

    def motion(self, seen: Observation, planner: Planner) -> None:
        """Plan to come down behind the body, push and draw back.

        Raises:
            SpecError: The hand is not free, the way is nought, or it is out of reach.
        """
        length = math.hypot(*self.way)
        if length < 1e-3:
            raise SpecError(f"push has a way of {self.way} m; allowed are ways of more than 1 mm")
        if seen.holding is not None:
            raise SpecError(f"the hand holds {seen.holding!r}: release it first")
        points, forth = seen.points(self.target), np.array([*self.way, 0.0]) / length
        middle = 0.5 * (points.max(axis=0) + points.min(axis=0))
        rear = float(((points - middle) @ forth).min())
        tall = float(np.ptp(points[:, 2]))
        level = float(points[:, 2].min()) + max(0.45 * tall, tall - PALM, LEVEL)
        line = middle * [1.0, 1.0, 0.0] + level * UP
        start, end = (line + (rear + part) * forth for part in (-ASIDE - THICK, length - THICK))
        rotation = easiest(seen, start, math.atan2(forth[1], forth[0]) - 0.5 * math.pi)
        planner.begin("reach")
        planner.grip(0.0, duration=0.2)
        high = max(float(planner.tool[2, 3]), float(points[:, 2].max()) + BEFORE)
        planner.move(planner.tool[:3, 3] * [1.0, 1.0, 0.0] + high * UP)
        planner.move(start + (high - level) * UP, rotation)
        planner.move(start)
        planner.begin(self.name)
        planner.move(end, speed=SLOW)
        planner.begin("retreat")
        planner.move(end - 0.03 * forth)
        planner.move(end - 0.03 * forth + BEFORE * UP)

    def outcome(self, attempt: Attempt, now: Observation) -> Verdict:
        """Return whether the body is where it should be."""
        gone = (now.place(self.target) - attempt.start.place(self.target))[:2]
        if float(np.linalg.norm(gone - np.asarray(self.way))) <= self.tolerance:
            return SUCCEEDED
        return failed(
            f"{self.target!r} has gone ({gone[0]:.3f}, {gone[1]:.3f}) m, wanted was "
            f"({self.way[0]:.3f}, {self.way[1]:.3f}) m"
        )


ACTION = Push
