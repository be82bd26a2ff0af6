"""Wait: the arm stays where it is."""

from dataclasses import dataclass
from typing import ClassVar, final

from simfactory.actions.base import SUCCEEDED, Action, Attempt, Verdict
from simfactory.actions.observation import Observation
from simfactory.arms import Planner
from simfactory.errors import SpecError

__all__ = ["Wait"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Wait(Action):
    """Holds still for a time.

    Attributes:
        duration: How long [s].
    """

    name: ClassVar[str] = "wait"

    duration: float

    def motion(self, seen: Observation, planner: Planner) -> None:
        """Plan to stay.

        Raises:
            SpecError: The time is not positive.
        """
        if not self.duration > 0.0:
            raise SpecError(f"wait has a duration of {self.duration:g} s; allowed is more than 0")
        planner.begin(self.name)
        planner.wait(self.duration)

    def outcome(self, attempt: Attempt, now: Observation) -> Verdict:
        """Return that the time is over."""
        return SUCCEEDED


ACTION = Wait
