"""Whether a base scene's invariants hold in its episodes, and fail without their causes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scenes.invariants.invariant import Invariant
from simfactory.episode import Trajectory
from simfactory.spec import SceneSpec

__all__ = ["Verdict", "check"]

Simulate = Callable[[Sequence[SceneSpec]], Sequence[Trajectory]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """One invariant in a number of episodes.

    Attributes:
        invariant: The invariant.
        values: Its figure in each episode, in the measure's unit.
        controls: The same without the cause.
        held: In how many episodes it holds.
        held_without: In how many it holds without the cause.
    """

    invariant: Invariant
    values: tuple[float, ...]
    controls: tuple[float, ...]
    held: int
    held_without: int

    @property
    def passed(self) -> bool:
        """Whether it holds in all episodes, and without its cause in none."""
        return self.held == len(self.values) and self.held_without == 0


def check(specs: Sequence[SceneSpec], invariants: Sequence[Invariant], simulate: Simulate) -> tuple[Verdict, ...]:
    """Simulate episodes of one base scene with and without the causes of its invariants.

    Args:
        specs: The episodes.
        invariants: What is to hold in each.
        simulate: Returns the trajectories of specs, which may need different solver steps; it is asked once.
    """
    causes = list(dict.fromkeys((invariant.cause, invariant.of) for invariant in invariants))
    chosen = {(invariant.cause, invariant.of): invariant for invariant in invariants}
    controls = [[chosen[cause].control(spec) for spec in specs] for cause in causes]
    paths = simulate([*specs, *(spec for row in controls for spec in row)])
    pairs = list(zip(specs, paths, strict=False))
    verdicts = []
    for invariant in invariants:
        rank = causes.index((invariant.cause, invariant.of))
        others = list(zip(controls[rank], paths[(rank + 1) * len(specs) :], strict=False))
        verdicts.append(
            Verdict(
                invariant=invariant,
                values=tuple(invariant.value(*pair) for pair in pairs),
                controls=tuple(invariant.value(*pair) for pair in others),
                held=sum(invariant.holds(*pair) for pair in pairs),
                held_without=sum(invariant.holds(*pair) for pair in others),
            )
        )
    return tuple(verdicts)
