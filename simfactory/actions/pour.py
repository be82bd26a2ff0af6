"""Pour: a vessel that is held from the side is tipped over a place and set upright again."""

import math
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import numpy.typing as npt

from simfactory.actions.base import SUCCEEDED, Action, Attempt, Verdict, failed
from simfactory.actions.hand import UP
from simfactory.actions.observation import Observation
from simfactory.arms import Planner
from simfactory.errors import SpecError
from simfactory.spec import Vec3
from simfactory.transforms import quat_from_axis_angle, quat_to_matrix

__all__ = ["Pour"]

STEPS = 12  # poses of a tip
LEVEL = 0.5  # [1] of the direction in which a hand looks that may point down
RIM = 0.05  # [m] from the tool to what leaves the vessel, level
SLOW = 0.8


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Pour(Action):
    """Carries what is held beside a place and tips it about the direction in which the hand looks, then back.

    It tips to the right of where the hand looks, or to the left where the arm does not get through otherwise. Succeeds
    where, in the end, enough of the contents lies about the place.

    Attributes:
        into: Name of a body, or a place [m].
        height: Of the tool over it [m].
        angle: By how much the vessel is tipped [deg].
        duration: Of the tip [s].
        contents: Names of the bodies that are poured; without any, tipping is enough.
        share: Of the contents that must lie there [1].
        radius: Level distance from the place within which something lies there [m].
    """

    name: ClassVar[str] = "pour"

    into: str | Vec3
    height: float = 0.17
    angle: float = 120.0
    duration: float = 1.3
    contents: tuple[str, ...] = ()
    share: float = 0.5
    radius: float = 0.1

    def motion(self, seen: Observation, planner: Planner) -> None:
        """Plan to carry, tip and set upright.

        Raises:
            SpecError: Nothing is held, it is held from above, or the place is out of reach.
        """
        if seen.holding is None:
            raise SpecError("the hand holds nothing to pour from: grasp a vessel from the side first")
        tool = planner.tool
        if abs(float(tool[2, 2])) > LEVEL:
            raise SpecError(f"{seen.holding!r} is held from above; allowed is a grasp from the side, lean = π/2")
        try:
            self._tip(seen.planner(), self._place(seen), 1.0)
        except SpecError:
            self._tip(planner, self._place(seen), -1.0)
        else:
            self._tip(planner, self._place(seen), 1.0)

    def _tip(self, planner: Planner, place: npt.NDArray[np.float64], sign: float) -> None:
        """Plan to tip to the right of where the hand looks, or to its left for a negative sign."""
        tool = planner.tool
        axis = sign * tool[:3, 2]
        forth = np.cross(axis, UP)
        side = place - RIM * forth / np.linalg.norm(forth)
        high = max(float(place[2]) + self.height, float(tool[2, 3]))
        planner.begin("carry")
        planner.move(tool[:3, 3] * [1.0, 1.0, 0.0] + high * UP)
        planner.move(side * [1.0, 1.0, 0.0] + high * UP, speed=SLOW)
        planner.begin(self.name)
        tilts = np.linspace(0.0, math.radians(self.angle), STEPS + 1)
        poses = [_turned(planner.tool, axis, tilt) for tilt in tilts]
        planner.follow(poses[1:], duration=self.duration)
        planner.wait(0.5)
        planner.follow(poses[-2::-1], duration=self.duration)

    def outcome(self, attempt: Attempt, now: Observation) -> Verdict:
        """Return whether enough has been poured to where it should go."""
        if not self.contents:
            return SUCCEEDED
        apart = np.array([now.place(name) for name in self.contents]) - self._place(now)
        there = float((np.linalg.norm(apart[:, :2], axis=1) <= self.radius).mean())
        held = f"{100.0 * there:.0f} % of the contents lie there"
        return Verdict(status="succeeded", reason=held) if there >= self.share else failed(held)

    def _place(self, seen: Observation) -> npt.NDArray[np.float64]:
        return seen.place(self.into) if isinstance(self.into, str) else np.asarray(self.into, np.float64)


def _turned(pose: npt.NDArray[np.float64], axis: npt.NDArray[np.float64], angle: float) -> npt.NDArray[np.float64]:
    turned = pose.copy()
    turned[:3, :3] = quat_to_matrix(quat_from_axis_angle(axis, angle)) @ pose[:3, :3]
    return turned


ACTION = Pour
