"""Intervals of means over clips, and of differences between two models on the same clips, by the bootstrap."""

import math
from dataclasses import dataclass

import numpy as np

from simfactory.errors import SpecError
from training.evaluation._inputs import Array, Float64, need_finite, need_same_shape, numbers

__all__ = ["Interval", "PairedDifference", "bootstrap_interval", "paired_difference"]

RESAMPLES = 10_000
BLOCK = 4_000_000  # numbers drawn at a time


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A mean over clips and where it may lie.

    Attributes:
        mean: Of the clips.
        low: Lower end.
        high: Upper end.
        level: Share of resampled means between the two.
        clip_count: Clips.
    """

    mean: float
    low: float
    high: float
    level: float
    clip_count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PairedDifference:
    """The mean of a − b over clips on which both were measured.

    Attributes:
        interval: Of that mean.
        decided: Whether zero lies outside the interval: only then may one be called the better.
    """

    interval: Interval
    decided: bool


def bootstrap_interval(values: Array, *, seed: int, level: float = 0.95, resamples: int = RESAMPLES) -> Interval:
    """Return the mean of clips' values with its percentile bootstrap interval.

    The order of clips changes nothing: values are sorted first, and summed exactly for the mean. The same seed gives
    the same interval. With one clip the interval is that one value.

    Args:
        values: `(clip,)` one finite value for each clip (mean over seeds first where there are several).
        seed: Of the resampling.
        level: Share of the resampled means that the interval holds.
        resamples: Number of them.

    Raises:
        SpecError: There are no values, some are not finite, or level or resamples are out of range.

    **Source**: Efron and Tibshirani 1993, ch. 13 (percentile interval).
    """
    numbers_given = numbers("values", values, "clip")
    if not numbers_given.size:
        raise SpecError("nothing valid: there are no clips to average")
    if not 0.0 < level < 1.0 or resamples < 1:
        raise SpecError(f"level is {level} and resamples {resamples}; give a level in (0, 1) and one resample or more")
    need_finite("values", numbers_given, "a clip without the figure is left out of both the table and its count")
    ordered = np.sort(numbers_given)
    means = _resampled_means(ordered, np.random.default_rng(seed), resamples)
    low, high = np.quantile(means, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return Interval(
        mean=math.fsum(ordered) / ordered.size,
        low=float(low),
        high=float(high),
        level=level,
        clip_count=ordered.size,
    )


def paired_difference(
    a: Array, b: Array, *, seed: int, level: float = 0.95, resamples: int = RESAMPLES
) -> PairedDifference:
    """Return the mean of a − b with its interval: clips are drawn in pairs, so what makes a clip hard cancels.

    Args:
        a: `(clip,)` values of one model.
        b: `(clip,)` values of the other, of the same clips in the same order.
        seed: Of the resampling.
        level: As in `bootstrap_interval`.
        resamples: As in `bootstrap_interval`.

    Raises:
        SpecError: As `bootstrap_interval`; or the shapes differ.
    """
    first, second = numbers("a", a, "clip"), numbers("b", b, "clip")
    need_same_shape("a", first, "b", second)
    need_finite("a", first, "leave such clips out of both")
    need_finite("b", second, "leave such clips out of both")
    interval = bootstrap_interval(first - second, seed=seed, level=level, resamples=resamples)
    return PairedDifference(interval=interval, decided=interval.low > 0.0 or interval.high < 0.0)


def _resampled_means(values: Float64, generator: np.random.Generator, resamples: int) -> Float64:
    rows = max(1, BLOCK // values.size)
    means = np.empty(resamples)
    for start in range(0, resamples, rows):
        block = means[start : start + rows]
        block[:] = values[generator.integers(values.size, size=(block.size, values.size))].mean(axis=1)
    return means
