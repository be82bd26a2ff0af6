"""Intervals of means over seeds and clips, both drawn anew: by the bootstrap of crossed factors."""

import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError
from training.evaluation import Interval

__all__ = ["crossed_interval"]

RESAMPLES = 10_000


def crossed_interval(
    values: npt.NDArray[np.float64], *, seed: int = 0, level: float = 0.95, resamples: int = RESAMPLES
) -> Interval:
    """Return the mean over seeds and clips with its percentile bootstrap interval.

    Rows and columns are drawn with replacement, each for itself: a clip that is hard is hard for all seeds, and a bad
    seed is bad on all clips, so drawing single values would make the interval too small. Handed differences of two
    arms, seed by seed and clip by clip, it is the paired interval. With few seeds it is too small still: two or three
    say little of what other seeds would do.

    Args:
        values: `(seed, clip)` finite.
        seed: Of the resampling.
        level: Share of the resampled means that the interval holds.
        resamples: Number of them.

    Raises:
        SpecError: There are no values, or some are not finite.

    **Source**: A. B. Owen, "The pigeonhole bootstrap" (2007).
    """
    if values.ndim != 2 or not values.size or not np.isfinite(values).all():
        raise SpecError(f"values of shape {values.shape}; give finite ones by seed and clip, one of each or more")
    rng = np.random.default_rng(seed)
    rows, columns = values.shape
    row_shares = rng.multinomial(rows, np.full(rows, 1.0 / rows), size=resamples) / rows
    column_shares = rng.multinomial(columns, np.full(columns, 1.0 / columns), size=resamples) / columns
    means = ((row_shares @ values) * column_shares).sum(axis=1)
    low, high = np.quantile(means, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return Interval(mean=float(values.mean()), low=float(low), high=float(high), level=level, clip_count=columns)
