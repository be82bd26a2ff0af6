"""An invariant: a figure of what bodies do, its bound, and the cause without which the bound does not hold."""

from collections.abc import Sequence
from dataclasses import dataclass

from scenes.invariants.causes import Cause, without
from scenes.invariants.measures import MEASURES, MeasureName
from simfactory.episode import Trajectory
from simfactory.spec import SceneSpec

__all__ = ["Invariant"]


@dataclass(frozen=True, slots=True)
class Invariant:
    """One sentence about an episode that can be checked, e.g. that the upper block leaves the lower one.

    Attributes:
        role: Whose bodies are looked at: of a role, of several, or one body by its own name.
        measure: What is measured of each (`MEASURES`).
        above: It is more than this; of one of the bodies at least.
        below: It is less than this; of all bodies. One of `above` and `below` is given.
        cause: What it is due to (`CAUSES`): taken away, the invariant does not hold.
        of: The same of those whose part in it is taken away, for the cause "body" and, if only they count, any other.
        every: Whether `above` is asked of all bodies of the role.
    """

    role: str | tuple[str, ...]
    measure: MeasureName
    above: float | None = None
    below: float | None = None
    cause: Cause = "gravity"
    of: str | tuple[str, ...] | None = None
    every: bool = False

    def __post_init__(self) -> None:
        if (self.above is None) == (self.below is None):
            raise ValueError(f"invariant of {self.role!r}: give one of above and below")

    def value(self, spec: SceneSpec, path: Trajectory) -> float:
        """Return the figure that the bound is for, in the measure's unit: of the body that decides."""
        values = [MEASURES[self.measure](spec, path, body) for body in players(spec, self.role)]
        return min(values) if self.every and self.above is not None else max(values)

    def holds(self, spec: SceneSpec, path: Trajectory) -> bool:
        """Tell whether it holds in an episode."""
        value = self.value(spec, path)
        return value > self.above if self.above is not None else value < float(self.below or 0.0)

    def control(self, spec: SceneSpec) -> SceneSpec:
        """Return the same scene without the cause."""
        return without(spec, self.cause, None if self.of is None else names(spec, self.of))


def players(spec: SceneSpec, role: str | tuple[str, ...]) -> Sequence[int]:
    """Return the indices of the bodies that play a role, or one of several.

    Raises:
        ValueError: There are none.
    """
    wanted = names(spec, role)
    return [index for index, body in enumerate(spec.bodies) if body.name in wanted]


def names(spec: SceneSpec, role: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the bodies that play a role, or one of several: the role's own, or with a number behind it.

    Raises:
        ValueError: There are none.
    """
    roles = (role,) if isinstance(role, str) else role
    found = tuple(body.name for body in spec.bodies if any(_plays(body.name, one) for one in roles))
    if not found:
        raise ValueError(f"scene {spec.scene!r} has no body of role {role!r}")
    return found


def _plays(name: str, role: str) -> bool:
    return name == role or (name.startswith(f"{role}_") and name[len(role) + 1 :].isdigit())
