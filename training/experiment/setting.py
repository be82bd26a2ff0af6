"""What all arms of an experiment share: clips, sizes, steps, seeds, and how they are judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

from simfactory.errors import SpecError
from training.data import TimeOrder
from training.experiment.plan import DataName, Part

__all__ = ["Setting", "StepCounts"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class StepCounts:
    """Steps of the parts of a chain; the same in all arms.

    Attributes:
        base: Of the first network.
        heads: Of heads on a frozen network.
        tune: Of the change that is compared.
    """

    base: int = 300
    heads: int = 200
    tune: int = 300

    def __post_init__(self) -> None:
        if min(self.base, self.heads, self.tune) < 1:
            raise SpecError(f"steps base={self.base}, heads={self.heads}, tune={self.tune}; give 1 or more of each")

    def of(self, parts: Sequence[Part]) -> int:
        """Return the steps of some parts together."""
        return sum(int(getattr(self, part)) for part in parts)


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What all arms share.

    Attributes:
        data: `sim` and `poor` → folder of a dataset; its clips of split `train` are trained on.
        test: Folder of the dataset whose clips of split `test` models are judged on.
        preset: Preset of all stages.
        changes: Dotted name of the configuration → value, in all stages.
        steps: Steps.
        poor_orders: Orders of time in which the clips of `poor` are shown, each of them equally often.
        seeds: Of weights, order and noise; arms are compared seed by seed.
        tune_rate: Learning rate of the network in the stage that is compared, whatever that stage is.
        clip_limit: Test clips that are judged at most, evenly picked from all; 0 = all.
        sampling_steps: Steps from noise to a clip.
    """

    data: Mapping[DataName, str]
    test: str
    preset: str = "tiny"
    # Any: JSON, the values of a configuration.
    changes: Mapping[str, Any] = field(default_factory=dict)
    steps: StepCounts = field(default_factory=StepCounts)
    poor_orders: tuple[TimeOrder, ...] = ("forward", "reversed")
    seeds: tuple[int, ...] = (0, 1, 2)
    tune_rate: float = 3e-3
    clip_limit: int = 0
    sampling_steps: int = 20

    def __post_init__(self) -> None:
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise SpecError(f"seeds {self.seeds}; give one or more different ones")
        if missing := sorted({"sim", "poor"} - set(self.data)):
            raise SpecError(f"there is no dataset for {', '.join(missing)}: arms are trained on both")
        if self.clip_limit < 0 or self.sampling_steps < 1:
            raise SpecError(
                f"clip_limit={self.clip_limit}, sampling_steps={self.sampling_steps}; give 0 or more, 1 or more"
            )
