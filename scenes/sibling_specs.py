"""Sampled episodes as groups of counterfactual siblings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenes.sample import sample
from scenes.splits import SplitRules
from simfactory.errors import SpecError
from simfactory.siblings import siblings
from simfactory.spec import SceneSpec

__all__ = ["SiblingSpecs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SiblingSpecs:
    """Whole groups of siblings that together give at least a number of clips.

    Each episode gives one group for every parameter, one after the other.

    Attributes:
        clip_count: Clips wanted.
        options: Keyword arguments of `scenes.sample`, the category under `category`.
        changes: Parameter → its values in the siblings.
        rules: How episodes are shared out.
    """

    clip_count: int
    options: Mapping[str, Any]  # Any: see SampledSpecs
    changes: Mapping[str, Sequence[float]]
    rules: SplitRules

    def __post_init__(self) -> None:
        """Refuse a count without clips, and values that would put siblings of one episode into two splits."""
        if self.clip_count < 1:
            raise SpecError(f"clips is {self.clip_count}; ask for at least 1")
        for name, values in self.changes.items():
            low, high = self.rules.held_out.get(name, (1.0, 0.0))
            inside = [value for value in values if low <= value <= high]
            if inside:
                raise SpecError(
                    f"siblings {name}={inside} lie in {low:g}:{high:g}, which is held out of training: choose other "
                    "values, or another --hold-out"
                )

    def __len__(self) -> int:
        """Return the number of groups."""
        views = len(self._base(0, 0).cameras)
        count = clips = 0
        names = list(self.changes)
        while clips < self.clip_count:
            clips += views * len(self.changes[names[count % len(names)]])
            count += 1
        return count

    def together(self, index: int, attempt: int) -> tuple[SceneSpec, ...]:
        """Return the siblings of a group; they share the split of their episode."""
        name = list(self.changes)[index % len(self.changes)]
        return siblings(self._base(index // len(self.changes), attempt), name, self.changes[name])

    def _base(self, index: int, attempt: int) -> SceneSpec:
        options = dict(self.options)
        return sample(options.pop("category"), index=index, attempt=attempt, split_rules=self.rules, **options)
