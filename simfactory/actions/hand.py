"""How a hand comes near to things: which way it turns, how wide it opens, from where it approaches."""

import math

import numpy as np
import numpy.typing as npt

from simfactory.actions.observation import Observation
from simfactory.arms import Planner, approach
from simfactory.errors import SpecError
from simfactory.robots import RobotModel

__all__ = ["BEFORE", "UP", "across", "along", "come", "easiest", "opened"]

Array = npt.NDArray[np.float64]

UP = np.array([0.0, 0.0, 1.0])
BEFORE = 0.1  # [m] above or beside a place at which the arm slows down
SPARE = 5e-4  # [m] of a finger that is open, from its limit
TURNED = 4e-3  # [m/rad] of width for which the hand turns no further


def opened(model: RobotModel) -> float:
    """Return how far each finger of an open hand is from the middle [m]."""
    return min(part.upper for part in model.fingers) - SPARE


def along(angle: float) -> Array:
    """Return the level unit vector `(3,)` of a bearing [rad]."""
    return np.array([math.cos(angle), math.sin(angle), 0.0])


def easiest(seen: Observation, place: Array, bearing: float, *, lean: float = 0.0) -> Array:
    """Return the rotation `(3, 3)` of a tool at a place whose fingers move across a bearing [rad].

    A hand may be turned about the way it looks by half a turn; that of the two is taken for which the joints turn less.

    Raises:
        SpecError: The place cannot be reached.
    """
    options: list[tuple[float, Array]] = []
    failure: SpecError | None = None
    for spin in (0.0, math.pi):
        rotation, planner = approach(bearing, lean=lean, spin=spin), seen.planner()
        try:
            planner.move(place, rotation)
        except SpecError as error:
            failure = failure or error
            continue
        options.append((float(np.abs(planner.arm - seen.command[: len(planner.arm)]).max()), rotation))
    if not options:
        assert failure is not None
        raise failure
    return min(options, key=lambda option: option[0])[1]


def across(seen: Observation, points: Array) -> tuple[float, float]:
    """Return the bearing [rad] whose fingers find points `(point, 3)` thinnest, and how wide they are there [m].

    Turning the hand counts a little: round things are taken as it comes.
    """
    fingers = seen.planner().tool[:3, 1]
    now = math.atan2(fingers[1], fingers[0])
    turns = np.linspace(-0.5 * math.pi, 0.5 * math.pi, 37)
    widths = np.array([np.ptp(points @ along(now + turn)) for turn in turns])
    best = int((widths + TURNED * np.abs(turns)).argmin())
    return now + float(turns[best]) - 0.5 * math.pi, float(widths[best])


def come(planner: Planner, place: Array, rotation: Array, *, speed: float = 1.0) -> None:
    """Bring the tool to a place from `BEFORE` it along the way it looks, over everything lower than there.

    Raises:
        SpecError: The place cannot be reached.
    """
    before = place - BEFORE * rotation[:, 2]
    high = max(float(before[2]), float(place[2]) + BEFORE)
    here = planner.tool[:3, 3]
    if here[2] < high - 0.5 * BEFORE:
        planner.move(here + (high - here[2]) * UP)
    planner.move(before + (high - before[2]) * UP, rotation)
    if high > before[2] + 1e-3:
        planner.move(before)
    planner.move(place, speed=speed)
