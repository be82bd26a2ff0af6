"""Curricula: which tiers of scenes are drawn how often, as training goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final, get_args

from simfactory.errors import SpecError
from simfactory.spec import Tier

__all__ = ["TIERS", "Curriculum", "Stage"]

TIERS: tuple[Tier, ...] = get_args(Tier)  # in order of difficulty


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """A part of training.

    Attributes:
        windows: How many windows it lasts, counted over all processes; the last stage lasts for ever.
        weights: Tier → share of the windows, relative to the other tiers; a tier that is not named is not drawn.

    Raises:
        SpecError: A tier is unknown, a weight is negative, all are 0, or there are no windows.
    """

    windows: int
    weights: Mapping[Tier, float]

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.weights) - set(TIERS)):
            raise SpecError(f"a stage names tiers {unknown}; choose from {', '.join(TIERS)}")
        if self.windows < 1 or min(self.weights.values(), default=-1.0) < 0 or not any(self.weights.values()):
            raise SpecError(
                f"a stage of {self.windows} windows with weights {dict(self.weights)}; give at least one window, no "
                "negative weight, and a positive one"
            )


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Curriculum:
    """Stages that follow each other.

    Attributes:
        stages: At least one. Clips without a tier, e.g. real video, are drawn in every stage.
    """

    stages: Sequence[Stage]

    def __post_init__(self) -> None:
        if not self.stages:
            raise SpecError("a curriculum without stages; give at least one")

    @classmethod
    def by_tier(cls, *, windows: Sequence[int], keep: bool = True) -> "Curriculum":
        """Return the curriculum single → two_body → multi_object.

        Args:
            windows: How many windows the stages before the last one last.
            keep: Whether easier tiers stay, all equally often, so that they are not forgotten.

        Raises:
            SpecError: There are not as many numbers as stages before the last.
        """
        if len(windows) != len(TIERS) - 1:
            raise SpecError(
                f"windows={list(windows)}: {len(TIERS)} tiers follow each other, give {len(TIERS) - 1} numbers"
            )
        return cls(
            stages=[
                Stage(windows=count, weights=dict.fromkeys(TIERS[: number + 1] if keep else (TIERS[number],), 1.0))
                for number, count in enumerate([*windows, 1])
            ]
        )

    def stage_at(self, window: int) -> tuple[int, int | None]:
        """Return the number of the stage of the n-th window of training, and how many windows are left of it.

        None is left of the last stage: it lasts for ever.
        """
        for number, stage in enumerate(self.stages[:-1]):
            if window < stage.windows:
                return number, stage.windows - window
            window -= stage.windows
        return len(self.stages) - 1, None
