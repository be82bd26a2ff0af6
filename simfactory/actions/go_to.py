"""GoTo: the tool moves to a place in a straight line."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from simfactory.actions.base import Action
from simfactory.actions.observation import Observation
from simfactory.arms import Planner, approach
from simfactory.spec import Vec3

__all__ = ["GoTo"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class GoTo(Action):
    """Moves the tool; what it holds comes along.

    Attributes:
        target: Name of a body, a place [m], or None for where the tool is.
        offset: From there, world frame [m].
        bearing: If given, the tool looks down with its fingers across it [rad]; else it keeps its rotation.
        lean: By how much the tool looks along the bearing instead of down [rad].
        spin: Turn about the direction in which it looks [rad].
    """

    name: ClassVar[str] = "go_to"

    target: str | Vec3 | None = None
    offset: Vec3 = (0.0, 0.0, 0.0)
    bearing: float | None = None
    lean: float = 0.0
    spin: float = 0.0

    def motion(self, seen: Observation, planner: Planner) -> None:
        """Plan one straight move."""
        place = planner.tool[:3, 3]
        if self.target is not None:
            place = seen.place(self.target) if isinstance(self.target, str) else np.asarray(self.target)
        rotation = None if self.bearing is None else approach(self.bearing, lean=self.lean, spin=self.spin)
        planner.begin(self.name)
        planner.move(place + np.asarray(self.offset), rotation)


ACTION = GoTo
