"""Histograms and the matrix of a job as shapes and shades: what a page draws without computing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from simfactory.distributions import BinCounts, JobDistribution, MatrixCell, ParameterHistogram

__all__ = ["HEIGHT", "WIDTH", "Bar", "Chart", "Matrix", "charts", "matrix"]

WIDTH, HEIGHT = 240, 64  # of a chart, in its own units
SHADES = 8
EPISODES_MIN = 50  # delivered with the parameter, before a difference is told
DECIDED = 0.9  # share of the requested episodes that are delivered, likewise
LEAST = 0.05  # difference that is worth a word


@dataclass(frozen=True, slots=True)
class Bar:
    """A bin: where it stands, how high its two bars are, and what they count."""

    x: float
    width: float
    requested_height: float
    delivered_height: float
    low: float | None
    high: float | None
    requested: int
    delivered: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """A histogram of a parameter.

    Attributes:
        histogram: What it shows.
        bars: Below the range, its bins, above.
        outline: Steps over what was requested, as an SVG path.
        requested: Values of what was requested.
        delivered: Values of what was delivered.
        shift: Share of the delivered values that lie in other bins than those requested; None while it means nothing.
        is_shifted: Whether that is more than chance alone would do.
    """

    histogram: ParameterHistogram
    bars: tuple[Bar, ...]
    outline: str
    requested: int
    delivered: int
    shift: float | None
    is_shifted: bool


@dataclass(frozen=True, slots=True)
class MatrixEntry:
    """Clips of a category and tier; `shade` says how much of what is wanted is there."""

    cell: MatrixCell
    shade: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """Clips by category, a row each, and tier; None where nothing is wanted nor there."""

    tiers: tuple[str, ...]
    rows: tuple[tuple[str, tuple[MatrixEntry | None, ...]], ...]


def charts(told: JobDistribution) -> list[Chart]:
    """Return the histograms of a job."""
    decided = told.delivered_units >= DECIDED * told.requested_units  # else what takes long is missing, not refused
    return [_chart(histogram, told.delivered_units if decided else 0) for histogram in told.parameters]


def matrix(told: JobDistribution, tiers: Sequence[str]) -> Matrix:
    """Return the matrix of a job; tiers in the given order, others behind."""
    cells = {(cell.category, cell.tier): cell for cell in told.cells}
    found = [*dict.fromkeys(tier for _, tier in cells)]
    columns = [tier for tier in tiers if tier in found] + [tier for tier in found if tier not in tiers]
    categories = dict.fromkeys(category for category, _ in cells)
    rows = [(each, tuple(_entry(cells.get((each, tier))) for tier in columns)) for each in categories]
    return Matrix(tuple(columns), tuple(rows))


def _entry(cell: MatrixCell | None) -> MatrixEntry | None:
    if cell is None:
        return None
    share = 1.0 if cell.wanted == 0 else min(cell.delivered / cell.wanted, 1.0)
    return MatrixEntry(cell, math.ceil(share * SHADES) if cell.delivered else 0)


def _chart(histogram: ParameterHistogram, episodes: int) -> Chart:
    requested, delivered = _counts(histogram.requested), _counts(histogram.delivered)
    totals = max(sum(requested), 1), max(sum(delivered), 1)
    shares = [count / totals[0] for count in requested], [count / totals[1] for count in delivered]
    top = max(*shares[0], *shares[1], 1e-9)
    edges = [None, *histogram.edges, None]
    step = WIDTH / len(requested)
    bars = tuple(
        Bar(
            x=round(number * step, 2),
            width=round(step, 2),
            requested_height=round(HEIGHT * shares[0][number] / top, 2),
            delivered_height=round(HEIGHT * shares[1][number] / top, 2),
            low=edges[number],
            high=edges[number + 1],
            requested=requested[number],
            delivered=delivered[number],
        )
        for number in range(len(requested))
    )
    apart = 0.5 * math.fsum(abs(a - b) for a, b in zip(*shares, strict=True))
    independent = min(episodes, sum(delivered))  # at most: values of one episode are alike
    chance = 0.4 * math.sqrt(len(requested) / max(independent, 1))
    known = independent >= EPISODES_MIN
    return Chart(
        histogram=histogram,
        bars=bars,
        outline=_outline(bars),
        requested=sum(requested),
        delivered=sum(delivered),
        shift=apart if known else None,
        is_shifted=known and apart > LEAST + 2.0 * chance,
    )


def _counts(counts: BinCounts) -> list[int]:
    return [counts.below, *counts.bins, counts.above]


def _outline(bars: Sequence[Bar]) -> str:
    steps = [f"V{HEIGHT - bar.requested_height:g}H{bar.x + bar.width:g}" for bar in bars]
    return f"M0 {HEIGHT}{''.join(steps)}V{HEIGHT}"
