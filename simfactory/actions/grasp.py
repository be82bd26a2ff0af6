"""Grasp: an open hand comes to a body and closes on it."""

import math
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import numpy.typing as npt

from simfactory.actions.base import SUCCEEDED, Action, Attempt, Verdict, failed
from simfactory.actions.hand import UP, across, come, easiest, opened
from simfactory.actions.observation import Observation
from simfactory.arms import Planner
from simfactory.errors import SpecError
from simfactory.spec import Vec3

__all__ = ["Grasp"]

Array = npt.NDArray[np.float64]

DEEP = 0.016  # [m] of the finger tips below the upper edge of what they take from above
SQUEEZE = 0.02  # [m] beyond the middle to which each finger is told to close: it presses with what strength it has
CLOSING = 0.35  # [s]
MARGIN = 0.004  # [m] by which a body must be thinner than the hand is open
SLOW = 0.7


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Grasp(Action):
    """Opens the hand, brings it to a body and closes it; succeeds where all fingers touch a body then.

    Attributes:
        target: Name of a body, which is taken where it is seen to be as the action begins, or a place [m] at which the
            hand closes on whatever is there.
        height: Of the finger tips above the body's origin [m]; default: a little below its upper edge, halfway up from
            the side.
        bearing: Direction across which the fingers move [rad]; default: the body's thinnest from above, and to the
            left of the way from the arm to the body for a hand that leans.
        lean: By how much the hand comes along the bearing instead of from above [rad]; π/2 = level.
        close: Distance of each finger from the middle to which it closes [m]; default: with all its strength. Robots
            that are guided (beside cloth and ropes) need it: nothing stops their fingers.
    """

    name: ClassVar[str] = "grasp"
    keeps: ClassVar[bool] = False

    target: str | Vec3
    height: float | None = None
    bearing: float | None = None
    lean: float = 0.0
    close: float = -SQUEEZE

    def motion(self, seen: Observation, planner: Planner) -> None:
        """Plan to open, come and close.

        Raises:
            SpecError: The hand is not free, the body is too wide, or it is out of reach.
        """
        if seen.holding is not None:
            raise SpecError(f"the hand holds {seen.holding!r}: release it first")
        wide = opened(seen.model)
        place, bearing = self._aim(seen, 2.0 * wide - MARGIN)
        planner.begin("reach")
        if planner.opening < wide - MARGIN:
            planner.grip(wide, duration=0.2)
        come(planner, place, easiest(seen, place, bearing, lean=self.lean), speed=SLOW)
        planner.begin(self.name)
        planner.grip(self.close, duration=CLOSING)
        planner.wait(0.1)

    def outcome(self, attempt: Attempt, now: Observation) -> Verdict:
        """Return whether the hand holds what it should."""
        if now.holding is None:
            return failed(f"the fingers closed on nothing, they are {1e3 * now.opening:.0f} mm apart")
        if isinstance(self.target, str) and now.holding != self.target:
            return failed(f"the fingers closed on {now.holding!r} instead of {self.target!r}")
        return SUCCEEDED

    def _aim(self, seen: Observation, room: float) -> tuple[Array, float]:
        """Return where the finger tips close, and the bearing across which they move."""
        if not isinstance(self.target, str):
            place = np.asarray(self.target, np.float64)
            fingers = seen.planner().tool[:3, 1]
            bearing = math.atan2(fingers[1], fingers[0]) - 0.5 * math.pi
            return place, self._sideways(seen, place) if self.lean else self._chosen(bearing)
        points = seen.points(self.target)
        top, low = float(points[:, 2].max()), float(points[:, 2].min())
        middle = 0.5 * (points.max(axis=0) + points.min(axis=0))
        if self.lean:
            level = 0.5 * (top + low)
            bearing = self._sideways(seen, middle)
            width = float(np.ptp(points @ np.array([-math.sin(bearing), math.cos(bearing), 0.0])))
        else:
            level = max(top - DEEP, 0.5 * (top + low))
            bearing, width = across(seen, points)
            if self.bearing is not None:
                bearing = self.bearing
                width = float(np.ptp(points @ np.array([-math.sin(bearing), math.cos(bearing), 0.0])))
        if width > room:
            raise SpecError(f"{self.target!r} is {1e3 * width:.0f} mm wide; allowed is up to {1e3 * room:.0f} mm")
        if self.height is not None:
            level = float(seen.place(self.target)[2]) + self.height
        return middle * [1.0, 1.0, 0.0] + level * UP, bearing

    def _chosen(self, bearing: float) -> float:
        return bearing if self.bearing is None else self.bearing

    def _sideways(self, seen: Observation, place: Array) -> float:
        out = place - seen.base[:3, 3]
        return self._chosen(math.atan2(out[1], out[0]) + 0.5 * math.pi)


ACTION = Grasp
