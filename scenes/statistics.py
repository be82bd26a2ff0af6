"""Requested against delivered distributions of sampled specs, counted as they come: no spec is kept."""

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np
import numpy.typing as npt

from scenes.curriculum import WEIGHTS
from scenes.sample import sample
from simfactory.errors import SpecError
from simfactory.parameters import PARAMETERS, Parameter, Range
from simfactory.spec import LightSun, SceneSpec, Tier
from simfactory.store import JSON

__all__ = ["BINS", "COVERAGE", "Tally", "chi_square_p", "statistics"]

BINS = 20  # of a parameter's requested range
FINE = 50  # parts of a bin, for quantiles
COVERAGE = 0.95  # of the bins must occur
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
CHUNK = 25  # episodes a task


@dataclass(slots=True)
class _Histogram:
    """Counts of one parameter over its requested range, linear or logarithmic as it is drawn."""

    name: str
    requested: Range
    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS * FINE, np.int64))
    outside: int = 0
    low: float = math.inf
    high: float = -math.inf

    @property
    def parameter(self) -> Parameter:
        """The parameter, which does not travel between processes."""
        return PARAMETERS[self.name]

    def add(self, values: Sequence[float]) -> None:
        """Count values."""
        if not values:
            return
        self.low, self.high = min(self.low, *values), max(self.high, *values)
        begin, end = (self._scaled(edge) for edge in self.requested)
        width = (end - begin) or 1.0
        for value in values:
            place = (self._scaled(max(value, 1e-300)) - begin) / width
            if -1e-6 <= place <= 1.0 + 1e-6:
                self.counts[min(max(int(place * len(self.counts)), 0), len(self.counts) - 1)] += 1
            else:
                self.outside += 1

    def merge(self, other: "_Histogram") -> None:
        """Add the counts of another part of the same sample."""
        self.counts += other.counts
        self.outside += other.outside
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)

    def report(self) -> dict[str, JSON]:
        """Return the figures as JSON; quantiles are those of the values inside the requested range."""
        inside = int(self.counts.sum())
        bins = self.counts.reshape(BINS, FINE).sum(axis=1)
        wanted = np.arange(BINS)
        if self.parameter.discrete:
            wanted = np.array([0, BINS - 1])
        if self.requested[0] == self.requested[1]:
            wanted = np.array([0])
        coverage = float((bins[wanted] > 0).mean())
        histogram: list[JSON] = [int(count) for count in bins]
        return {
            "unit": self.parameter.unit,
            "requested": [*self.requested],
            "logarithmic": self.parameter.logarithmic,
            "count": inside + self.outside,
            "outside": self.outside,
            "min": self.low if inside + self.outside else None,
            "quantiles": {f"{share:g}": self._quantile(share) for share in QUANTILES} if inside else {},
            "max": self.high if inside + self.outside else None,
            "histogram": histogram,
            "coverage": round(coverage, 4),
            "covered": coverage >= COVERAGE if inside else None,  # None: nothing in the sample has it
        }

    def _quantile(self, share: float) -> float:
        """Return a quantile to the width of a fine bin, within smallest and largest value."""
        total = np.cumsum(self.counts)
        place = (int(np.searchsorted(total, share * total[-1])) + 0.5) / len(self.counts)
        begin, end = (self._scaled(edge) for edge in self.requested)
        found = begin + place * (end - begin)
        return min(max(math.exp(found) if self.parameter.logarithmic else found, self.low), self.high)

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.parameter.logarithmic else value


class Tally:
    """Counts sampled specs.

    Args:
        category: Physics category.
        ranges: Ranges asked for; other parameters are held against their usual ones.
    """

    def __init__(self, category: str, ranges: Mapping[str, Range]) -> None:
        self.episodes = self.clips = 0
        self.cpu_seconds = 0.0
        self._tiers: Counter[str] = Counter()
        self._splits: Counter[str] = Counter()
        self._scenes: Counter[str] = Counter()
        self._histograms = {
            name: _Histogram(name, ranges.get(name, parameter.usual_in(category)))
            for name, parameter in PARAMETERS.items()
        }
        self._configurations: set[bytes] = set()
        self._environments: set[tuple[object, ...]] = set()
        self._maps: set[tuple[object, ...]] = set()

    def add(self, spec: SceneSpec) -> None:
        """Count one spec."""
        self.episodes += 1
        self.clips += len(spec.cameras)
        self._tiers[spec.tier] += 1
        self._splits[str(spec.split)] += 1
        self._scenes[spec.scene] += 1
        for name, histogram in self._histograms.items():
            histogram.add(PARAMETERS[name].measure(spec))
        self._configurations.add(bytes.fromhex(spec.configuration_digest())[:12])
        turned = spec.sky.environment_map
        suns = tuple(light.direction for light in spec.lights if isinstance(light, LightSun))
        if turned is not None:
            self._maps.add((turned.digest, turned.rotation))
        if turned is not None or suns:
            self._environments.add((turned and turned.digest, turned and turned.rotation, suns))

    def merge(self, other: "Tally") -> None:
        """Add the counts of another part of the same sample."""
        self.episodes += other.episodes
        self.clips += other.clips
        self.cpu_seconds += other.cpu_seconds
        for own, more in ((self._tiers, other._tiers), (self._splits, other._splits), (self._scenes, other._scenes)):
            own.update(more)
        for name, histogram in self._histograms.items():
            histogram.merge(other._histograms[name])
        self._configurations |= other._configurations
        self._environments |= other._environments
        self._maps |= other._maps

    def report(self) -> dict[str, JSON]:
        """Return all figures as JSON."""
        parameters: dict[str, JSON] = {name: one.report() for name, one in self._histograms.items()}
        return {
            "episodes": self.episodes,
            "clips": self.clips,
            "cpu_seconds": round(self.cpu_seconds, 2),
            "distinct_configurations": len(self._configurations),
            "distinct_environments": len(self._environments),
            "distinct_turned_maps": len(self._maps),
            "tiers": {tier: self._tiers[tier] for tier in WEIGHTS},
            "tier_p_value": chi_square_p(self._tiers, WEIGHTS),
            "splits": dict(sorted(self._splits.items())),
            "scenes": dict(sorted(self._scenes.items())),
            "parameters": parameters,
        }


def chi_square_p(counts: Mapping[str, int], weights: Mapping[Tier, float]) -> float:
    """Return how probable counts at least as far from three weights are.

    For two degrees of freedom the tail of the chi-square distribution is exp(-χ²/2).

    Source: M. Abramowitz, I. A. Stegun, "Handbook of Mathematical Functions" (1964), eq. 26.4.5.
    """
    if len(weights) != 3:
        raise ValueError(f"there are {len(weights)} weights; the formula is for three")
    total = sum(counts.values())
    square = sum(
        (counts.get(name, 0) - weight * total) ** 2 / (weight * total) for name, weight in weights.items() if total
    )
    return math.exp(-0.5 * square)


def statistics(clip_count: int, options: Mapping[str, Any], *, workers: int = 1) -> dict[str, JSON]:  # Any: of sample()
    """Return the figures of sampled specs that together give a number of clips.

    Args:
        clip_count: Clips wanted; the last episode may give more.
        options: Keyword arguments of `scenes.sample`, the category under `category`.
        workers: Processes; 1 = this one.

    Raises:
        SpecError: No clip is asked for, or an option is refused.
    """
    if clip_count < 1 or workers < 1:
        raise SpecError(f"clips {clip_count}, workers {workers}: allowed are integers from 1: give such")
    views = len(_sampled(0, options).cameras)
    episodes = -(-clip_count // views)
    chunks = [range(first, min(first + CHUNK, episodes)) for first in range(0, episodes, CHUNK)]
    count = partial(_counted, options=options)
    total = Tally(options["category"], options.get("ranges", {}))
    if workers == 1:
        for chunk in chunks:
            total.merge(count(chunk))
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for part in pool.map(count, chunks):
                total.merge(part)
    return {"category": options["category"], "seed": options.get("seed", 0), **total.report()}


def _counted(indices: range, *, options: Mapping[str, Any]) -> Tally:  # Any: of sample()
    begin = time.process_time()
    tally = Tally(options["category"], options.get("ranges", {}))
    for index in indices:
        tally.add(_sampled(index, options))
    tally.cpu_seconds = time.process_time() - begin
    return tally


def _sampled(index: int, options: Mapping[str, Any]) -> SceneSpec:  # Any: of sample()
    given = dict(options)
    return sample(given.pop("category"), index=index, **given)
