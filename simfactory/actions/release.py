"""Release: the hand opens and draws back."""

from dataclasses import dataclass
from typing import ClassVar, final

from simfactory.actions.base import SUCCEEDED, Action, Attempt, Verdict, failed
from simfactory.actions.hand import BEFORE, opened
from simfactory.actions.observation import Observation
from simfactory.arms import Planner

__all__ = ["Release"]

OPENING = 0.3  # [s]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Release(Action):
    """Lets go of what is held; succeeds where the fingers touch nothing together any more.

    Attributes:
        back: How far the hand draws back against the way it looks [m].
    """

    name: ClassVar[str] = "release"
    keeps: ClassVar[bool] = False

    back: float = BEFORE

    def motion(self, seen: Observation, planner: Planner) -> None:
        """Plan to open and draw back."""
        planner.begin(self.name)
        planner.grip(opened(seen.model), duration=OPENING)
        if self.back > 0.0:
            planner.begin("retreat")
            tool = planner.tool
            planner.move(tool[:3, 3] - self.back * tool[:3, 2])

    def outcome(self, attempt: Attempt, now: Observation) -> Verdict:
        """Return whether the hand is free."""
        return SUCCEEDED if now.holding is None else failed(f"the hand still holds {now.holding!r}")


ACTION = Release
