"""What is already in place while a scene is laid out, and how bodies are put there."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from layouts.clearance import clearance
from layouts.solids import lowest, solid, volume
from simfactory.spec import BodySolid, Joint, Motion, Push, RobotArm

__all__ = ["EARTH", "REST_GAP", "Sphere3", "Stage", "heading", "is_free", "mass", "moved", "rested", "snapped", "yaw"]

Vector = npt.NDArray[np.float64]
Sphere3 = tuple[Vector, float]  # centre (3,) [m], radius [m]

EARTH = 9.81  # [m/s²]
REST_GAP = 5e-4  # [m] between bodies that rest on each other


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """The layout so far.

    Attributes:
        gravity: `(3,)` world frame [m/s²].
        groups: Placed bodies by role.
        motions: Prescribed motions.
        joints: What holds bodies together.
        triggers: Pushes.
        robot: Which of the bodies and joints are a robot, and its task.
        waypoints: Spheres through which the action is expected to pass, beyond what velocities tell.
        arrivals: Name of a body → when it is expected to hit something [s]; its free course ends there.
    """

    gravity: Vector
    groups: dict[str, tuple[BodySolid, ...]] = field(default_factory=dict)
    motions: tuple[Motion, ...] = ()
    joints: tuple[Joint, ...] = ()
    triggers: tuple[Push, ...] = ()
    robot: RobotArm | None = None
    waypoints: tuple[Sphere3, ...] = ()
    arrivals: dict[str, float] = field(default_factory=dict)

    @property
    def bodies(self) -> tuple[BodySolid, ...]:
        """All placed bodies, in the order of placement."""
        return tuple(body for group in self.groups.values() for body in group)

    @property
    def weight(self) -> float:
        """Magnitude of gravity [m/s²]."""
        return float(np.linalg.norm(self.gravity))

    def extended(
        self,
        *,
        groups: dict[str, tuple[BodySolid, ...]],
        motions: Sequence[Motion] = (),
        joints: Sequence[Joint] = (),
        triggers: Sequence[Push] = (),
        robot: RobotArm | None = None,
        waypoints: Sequence[Sphere3] = (),
        arrivals: Mapping[str, float] = MappingProxyType({}),
    ) -> "Stage":
        """Return the stage with more on it; a group named again is replaced."""
        return replace(
            self,
            groups={**self.groups, **groups},
            motions=(*self.motions, *motions),
            joints=(*self.joints, *joints),
            triggers=(*self.triggers, *triggers),
            robot=robot if robot is not None else self.robot,
            waypoints=(*self.waypoints, *waypoints),
            arrivals={**self.arrivals, **arrivals},
        )


def snapped(values: Iterable[float]) -> tuple[float, ...]:
    """Round to 1e-9, absolutely: the noise of a cancelled sum would otherwise survive the spec's 9 digits."""
    return tuple(round(float(value), 9) + 0.0 for value in values)


def moved(body: BodySolid, **changes: Any) -> BodySolid:  # Any: pydantic validates each field
    """Return a body with fields changed, validated anew; vectors are snapped to 1e-9.

    Raises:
        ValueError: A value is out of its range.
    """
    plain = {name: snapped(value) if _is_vector(value) else value for name, value in changes.items()}
    return type(body)(**{**dict(body), **plain})


def _is_vector(value: object) -> bool:
    return isinstance(value, np.ndarray) or (
        isinstance(value, tuple) and all(isinstance(item, int | float) for item in value)
    )


def rested(body: BodySolid, at: Vector, *, orientation: Vector | None = None, floor: float = 0.0) -> BodySolid:
    """Return a body whose lowest point is `REST_GAP` above a level floor.

    Args:
        body: The body; its position is replaced.
        at: `(2,)` world xy of its origin [m].
        orientation: `(4,)` xyzw; default: as it is.
        floor: Height of what it rests on [m].
    """
    pose: dict[str, Any] = {"position": np.array([at[0], at[1], 0.0])}  # Any: fields of a body
    if orientation is not None:
        pose["orientation"] = orientation
    free = moved(body, **pose)
    return moved(free, position=np.array([at[0], at[1], floor + REST_GAP - lowest(free)]))


def mass(body: BodySolid) -> float:
    """Return the mass of a body [kg]."""
    return body.physical.density * volume(body)


def yaw(angle: float) -> Vector:
    """Return the rotation `(4,)` xyzw by an angle [rad] about the vertical."""
    return np.array([0.0, 0.0, math.sin(angle / 2), math.cos(angle / 2)])


def heading(angle: float) -> Vector:
    """Return the level unit vector `(3,)` at an angle [rad] from the world's x axis."""
    return np.array([math.cos(angle), math.sin(angle), 0.0])


def is_free(body: BodySolid, others: Iterable[BodySolid], *, gap: float) -> bool:
    """Tell whether a body keeps a distance [m] from others."""
    hull = solid(body)
    return all(clearance(hull, solid(other), enough=gap) >= gap for other in others)
