"""Splits: which episodes are for training, and what is held out of it; decided before anything else is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from layouts import Streams
from scenes.category import BaseScene
from simfactory.errors import SpecError
from simfactory.parameters import PARAMETERS, Range, checked_ranges, spans_of
from simfactory.rng import Span
from simfactory.spec import SceneSpec, Split
from simfactory.splits import HELD_OUT, SHARES, checked_shares, split_of

__all__ = ["USUAL", "ChosenSplit", "SplitRules", "check_delivered", "choose_split"]

NOVEL_SHARE = 0.5  # of the test episodes show a held-out scene, and as many a held-out range


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitRules:
    """How episodes are shared out.

    Attributes:
        shares: Of train, val and test [1].
        held_out: Name of a parameter → range that occurs in test episodes only.
    """

    shares: tuple[float, float, float] = SHARES
    held_out: Mapping[str, Range] = field(default_factory=lambda: HELD_OUT)

    def __post_init__(self) -> None:
        """Refuse shares that are none, and ranges that cannot be."""
        checked_shares(self.shares)
        checked_ranges(self.held_out)


USUAL = SplitRules()


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenSplit:
    """What an episode's split lets it be.

    Attributes:
        name: The split.
        scenes: Base scenes to choose from.
        spans: Wanted values of the parameters that do not keep their usual range.
    """

    name: Split
    scenes: Sequence[BaseScene]
    spans: Mapping[str, Span]


def choose_split(
    category: str, streams: Streams, scenes: Sequence[BaseScene], ranges: Mapping[str, Range], rules: SplitRules
) -> ChosenSplit:
    """Return the split of an episode, and what it may show.

    The split hangs on what names the episode (seed, category, index), so that attempts, siblings and other recordings
    of it share it. What can only be held-out makes an episode a test episode.

    Args:
        category: Physics category.
        streams: Randomness of the episode; draws from "split" and "novelty".
        scenes: Base scenes that were asked for.
        ranges: Ranges that were asked for.
        rules: How episodes are shared out.
    """
    known = [row for row in scenes if not row.held_out]
    novelty = streams("novelty")
    shows_scene, shows_range = novelty.chance(NOVEL_SHARE), novelty.chance(NOVEL_SHARE)
    chosen = split_of(streams("split").uniform(), rules.shares)
    inside = [name for name, hole in rules.held_out.items() if name in ranges and _holds(hole, ranges[name])]
    if not known or inside:
        chosen = "test"
    if chosen != "test":
        return ChosenSplit(name=chosen, scenes=known, spans=spans_of(ranges, without=rules.held_out, category=category))
    kept = [row for row in scenes if row.held_out] if shows_scene else known
    novel = (
        {name: _common(hole, ranges.get(name, hole)) for name, hole in rules.held_out.items()} if shows_range else {}
    )
    asked = {**ranges, **{name: found for name, found in novel.items() if found is not None}}
    return ChosenSplit(name="test", scenes=kept or scenes, spans=spans_of(asked, category=category))


def check_delivered(spec: SceneSpec, ranges: Mapping[str, Range]) -> None:
    """Check that every value of a parameter with a range lies in it.

    Raises:
        SpecError: One does not; the message names it.
    """
    for name, span in spans_of(ranges).items():
        for value in PARAMETERS[name].measure(spec):
            if not span.allows(value):
                low, high = ranges[name]
                raise SpecError(
                    f"scene {spec.scene!r} gives {name} {value:.4g}, outside {low:g}:{high:g}: choose another scene "
                    "or a wider range"
                )


def _holds(outer: Range, inner: Range) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _common(first: Range, second: Range) -> Range | None:
    low, high = max(first[0], second[0]), min(first[1], second[1])
    return (low, high) if low <= high else None
