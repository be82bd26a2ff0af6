"""All windows that there are to draw, in groups that are drawn from with weights of their own."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import cast, final

import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError
from simfactory.spec import Tier
from training.data.curriculum import TIERS, Curriculum
from training.data.source import Source
from training.data.windows import Windows

__all__ = ["WindowPool", "permutation", "uniforms"]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@final
class WindowPool:
    """Every window of every clip, in the order of sources, clips and frames.

    Args:
        sources: Where the clips are.
        windows: How windows are cut.
    """

    def __init__(self, sources: Sequence[Source], *, windows: Windows) -> None:
        self.sources = tuple(sources)
        self.windows = windows

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.source)

    @cached_property
    def clip_ids(self) -> list[list[str]]:
        """Ids of the clips of each source."""
        return [source.dataset.ids for source in self.sources]

    @cached_property
    def _counts(self) -> list[Integers]:
        """Windows of each clip of each source."""
        columns = (source.dataset.table["frame_count"].to_pylist() for source in self.sources)
        return [np.array([self.windows.count(frames) for frames in column], np.int64) for column in columns]

    @cached_property
    def source(self) -> Integers:
        """Position of each window's source `(window,)`."""
        return np.repeat(np.arange(len(self._counts)), [int(counts.sum()) for counts in self._counts])

    @cached_property
    def clip(self) -> Integers:
        """Position of each window's clip in its source `(window,)`."""
        return np.concatenate([np.repeat(np.arange(len(counts)), counts) for counts in self._counts])

    @cached_property
    def number(self) -> Integers:
        """Which window of its clip each is `(window,)`."""
        parts = [np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) for counts in self._counts]
        return np.concatenate(parts)

    def column(self, name: str) -> list[list[float]]:
        """Return a column of the catalogue for the clips of each source."""
        return [cast(list[float], source.dataset.table[name].to_pylist()) for source in self.sources]

    @cached_property
    def fingerprint(self) -> str:
        """Digest of the clips and of how windows are cut, 16 hex characters."""
        told = repr((self.windows, [(source.name, source.weight) for source in self.sources], self.clip_ids))
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def groups(self, curriculum: Curriculum | None) -> "tuple[list[Integers], Floats]":
        """Return windows that are drawn alike, and the share of each group in each stage.

        Without weights and curriculum all windows are one group. Else there is one a source and tier: sources share
        the draws by weight (by their numbers of windows if they have none), tiers those of their source by the
        stage's weights (without a curriculum by their numbers).

        Returns:
            Positions of windows in the pool for each group, and `(stage, group)` shares that sum to 1 in a stage.

        Raises:
            SpecError: Some sources have a weight and others none, or a stage draws nothing.
        """
        weights = [source.weight for source in self.sources]
        if all(weight is None for weight in weights) and curriculum is None:
            return [np.arange(len(self))], np.ones((1, 1))
        if any(weight is None for weight in weights) and any(weight is not None for weight in weights):
            named = {source.name: source.weight for source in self.sources}
            raise SpecError(f"sources with the weights {named}: give one to all of them or to none")
        members = self._by_tier()
        stages = [None] if curriculum is None else [stage.weights for stage in curriculum.stages]
        shares = np.stack([self._shares(members, stage) for stage in stages])
        for number, row in enumerate(shares):
            if not row.sum():
                raise SpecError(
                    f"stage {number} of the curriculum draws {sorted(stages[number] or {})}, and of these there is no "
                    f"window; there are {sorted({str(tier) for _, tier in members})}: generate what is missing with "
                    "`simfactory generate --tier`"
                )
        return list(members.values()), shares / shares.sum(axis=1, keepdims=True)

    def _by_tier(self) -> dict[tuple[int, str | None], Integers]:
        """Return the positions of windows by source and tier; None for clips without one."""
        members: dict[tuple[int, str | None], Integers] = {}
        for number, source in enumerate(self.sources):
            column = source.dataset.table["tier"].to_pylist()
            tiers = np.array([tier if tier in TIERS else "" for tier in column], "U16")
            of_windows = np.repeat(tiers, self._counts[number])
            first = int(np.searchsorted(self.source, number))
            for tier in np.unique(of_windows):
                members[number, str(tier) or None] = first + np.flatnonzero(of_windows == tier)
        return members

    def _shares(self, members: Mapping[tuple[int, str | None], Integers], stage: Mapping[Tier, float] | None) -> Floats:
        """Return how often each group is drawn in a stage, not yet summing to 1."""
        row = np.zeros(len(members))
        for number, source in enumerate(self.sources):
            mine = [
                (place, key[1], len(found)) for place, (key, found) in enumerate(members.items()) if key[0] == number
            ]
            known = cast(Mapping[str | None, float], {None: 1.0, **(stage or {})})
            parts = [float(count) if stage is None else known.get(tier, 0.0) for _, tier, count in mine]
            weight = float(self._counts[number].sum()) if source.weight is None else source.weight
            for (place, _, _), part in zip(mine, parts, strict=True):
                row[place] = weight * part / sum(parts) if part else 0.0
        return row


def uniforms(count: int, seed: int, *names: str | int) -> Floats:
    """Return draws from [0, 1) `(count,)` that follow from a seed and a path of names alone.

    They come from raw Philox words, whose sequence numpy guarantees, so that no release changes an order.
    """
    words = _words(count, seed, *names)
    return np.asarray((words >> np.uint64(11)) * 2.0**-53)


def permutation(count: int, seed: int, *names: str | int) -> Integers:
    """Return the numbers below `count` in an order that follows from a seed and a path of names alone."""
    return np.argsort(_words(count, seed, *names), kind="stable")


def _words(count: int, seed: int, *names: str | int) -> npt.NDArray[np.uint64]:
    path = "/".join([str(seed), *map(str, names)])
    key = int.from_bytes(hashlib.sha256(path.encode()).digest()[:16], "little")
    return np.asarray(np.random.Philox(key=key).random_raw(count), np.uint64)
