"""How a job's episodes are distributed, requested beside delivered: clips by category and tier, values by parameter.

Both are counted as things happen, so no page counts rows: an episode is *requested* once, when its first attempt is
handed out, and *delivered* once, with the report that closes it as committed. Between the two, the bins of its values
lie beside its shard. What the quality gate replaced was requested and is delivered with other values: the difference
of the histograms is the gate's bias.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.orm import Session

from api.tables import DistributionRow, JobRow, ShardBinsRow
from simfactory.distributions import BinCounts, JobDistribution, MatrixCell, ParameterHistogram
from simfactory.parameters import PARAMETERS
from simfactory.protocol import JobRequest
from simfactory.spec import SceneSpec

if TYPE_CHECKING:
    from api.planner import Plan

__all__ = [
    "BINS",
    "Places",
    "Spans",
    "add_distribution",
    "count_delivered",
    "count_requested",
    "distribution_of",
    "keep_places",
    "places_kept",
    "places_of",
    "requested_spans",
    "unit_name",
]

BINS = 16  # of a parameter's range; what lies outside is counted below and above
SLACK = 1e-6  # of a range's ends [1]; specs keep nine digits
Spans = Mapping[str, Sequence[float]]
Places = dict[str, list[int]]  # parameter → place of each of its values: 0 below, 1 … BINS, BINS + 1 above
Counts = dict[str, dict[str, float]]


def requested_spans(request: JobRequest) -> dict[str, list[float]]:
    """Return the range of every parameter that a request is about: the one asked for, else the usual one."""
    categories = {item.category for item in request.items} or {""}
    spans: dict[str, list[float]] = {}
    for name, parameter in PARAMETERS.items():
        usual = [parameter.usual_in(category) for category in categories]
        ends = [end for pair in usual for end in pair]
        if name in request.ranges:
            ends = [*request.ranges[name]]
        elif name in request.sweeps:
            ends = [*request.sweeps[name]]
        elif name in request.siblings:
            ends += request.siblings[name]
        low, high = min(ends), max(ends)
        spans[name] = [low, high] if low < high else _widened(low, is_logarithmic=parameter.logarithmic)
    return spans


def places_of(specs: Iterable[SceneSpec], spans: Spans) -> Places:
    """Return in which bin each value of each parameter lies; parameters that specs do not have are left out."""
    found: Places = {}
    for spec in specs:
        for name, span in spans.items():
            parameter = PARAMETERS.get(name)
            values = [] if parameter is None else parameter.measure(spec)
            if parameter is not None and values:
                place = _Place(span, is_logarithmic=parameter.logarithmic)
                found.setdefault(name, []).extend(map(place.of, values))
    return found


def add_distribution(session: Session, job: JobRow, plan: "Plan") -> None:
    """Begin to count for a job: what is wanted of each category and tier follows from its request."""
    session.add(_fresh(job, plan.request, _wanted(plan)))


def keep_places(session: Session, shard: str, places: Mapping[str, Places]) -> None:
    """Keep what a shard's episodes are like until they are reported; it goes with the shard."""
    session.flush()  # the shard comes first
    session.add(ShardBinsRow(shard=shard, places=dict(places)))


def places_kept(session: Session, shard: str, key: Sequence[int]) -> Places | None:
    """Return where an open episode's values lie; None where that is not known."""
    held: dict[str, ShardBinsRow | None] = session.info.setdefault("bins", {})
    if shard not in held:
        held[shard] = session.get(ShardBinsRow, shard)
    row = held[shard]
    return None if row is None else cast(Places | None, row.places.get(unit_name(key)))


def unit_name(key: Sequence[int]) -> str:
    """Return the name of an episode's attempt among a shard's."""
    return ".".join(map(str, key))


def count_requested(session: Session, job: JobRow, places: Sequence[Places]) -> None:
    """Count episodes whose first attempts were just handed out."""
    row = _row(session, job)
    row.requested_bins = _with(row.requested_bins, places)
    row.requested += len(places)


def count_delivered(
    session: Session,
    job: JobRow,
    places: Places | None,
    clips: Sequence[Mapping[str, Any]],  # Any: rows as commit records have them
) -> None:
    """Count an episode, or a group of siblings, that was committed.

    Args:
        session: A writing one.
        job: Its job.
        places: Where its values lie; None where an older service handed it out.
        clips: Its clips.
    """
    row = _row(session, job)
    delivered = {category: dict(tiers) for category, tiers in row.delivered_clips.items()}
    for clip in clips:
        tiers = delivered.setdefault(clip["category"] or "", {})
        tier = clip["tier"] or ""
        tiers[tier] = tiers.get(tier, 0) + 1
    row.delivered_clips = delivered
    if places is not None:
        row.delivered_bins = _with(row.delivered_bins, [places])
        row.delivered += 1


def distribution_of(session: Session, job: JobRow) -> JobDistribution:
    """Return how a job's episodes are distributed so far."""
    row = session.get(DistributionRow, job.id) or _fresh(job, JobRequest.model_validate(job.request), {})
    return JobDistribution(
        job=job.id,
        requested_units=row.requested,
        delivered_units=row.delivered,
        cells=_cells(row.wanted_clips, row.delivered_clips),
        parameters=[
            _histogram(name, span, row.requested_bins.get(name), row.delivered_bins.get(name))
            for name, span in row.spans.items()
            if name in PARAMETERS and (name in row.requested_bins or name in row.delivered_bins)
        ],
    )


class _Place:
    """Finds the bin of a value."""

    def __init__(self, span: Sequence[float], *, is_logarithmic: bool) -> None:
        self._low, self._high, self._is_logarithmic = span[0], span[1], is_logarithmic
        self._first = self._scaled(self._low)
        self._width = (self._scaled(self._high) - self._first) / BINS
        self._slack = SLACK * max(abs(self._low), abs(self._high))

    def of(self, value: float) -> int:
        if value < self._low - self._slack:
            return 0
        if value > self._high + self._slack:
            return BINS + 1
        inside = min(max(value, self._low), self._high)
        return 1 + min(int((self._scaled(inside) - self._first) / self._width), BINS - 1)

    def edges(self) -> list[float]:
        between = [self._first + number * self._width for number in range(1, BINS)]
        return [self._low, *(math.exp(edge) if self._is_logarithmic else edge for edge in between), self._high]

    def _scaled(self, value: float) -> float:
        return math.log(value) if self._is_logarithmic else value


def _widened(value: float, *, is_logarithmic: bool) -> list[float]:
    """Return a range round a single value."""
    if is_logarithmic:
        return [value / 1.1, value * 1.1]
    return [value - 0.1 * abs(value), value + 0.1 * abs(value)] if value else [-0.5, 0.5]


def _row(session: Session, job: JobRow) -> DistributionRow:
    """Return a job's counts; fresh ones for a job that is older than they are."""
    held: dict[object, DistributionRow] = session.info.setdefault("distributions", {})
    if job.id not in held or held[job.id] not in session:  # what was new is not there after a rollback
        row = session.get(DistributionRow, job.id)
        if row is None:
            row = _fresh(job, JobRequest.model_validate(job.request), {})
            session.add(row)
        held[job.id] = row
    return held[job.id]


def _fresh(job: JobRow, request: JobRequest, wanted: Counts) -> DistributionRow:
    return DistributionRow(
        job=job.id,
        spans=requested_spans(request),
        wanted_clips=wanted,
        delivered_clips={},
        requested=0,
        delivered=0,
        requested_bins={},
        delivered_bins={},
    )


def _with(counts: Mapping[str, list[int]], places: Iterable[Places]) -> dict[str, list[int]]:
    """Return counts by bin with more values; new lists, so that the database sees the change."""
    found = dict(counts)
    copied: set[str] = set()
    for each in places:
        for name, numbers in each.items():
            if name not in copied:
                found[name] = [*found.get(name, [0] * (BINS + 2))]
                copied.add(name)
            for number in numbers:
                found[name][number] += 1
    return found


def _wanted(plan: "Plan") -> Counts:
    """Return the clips that are wanted, by category and tier; where a tier is left open, those to be expected."""
    from scenes.curriculum import TIERS, WEIGHTS  # see api.app
    from scenes.listing import find_category, find_scenes

    wanted: Counts = {}
    if plan.request.specs:
        for spec in plan.specs:
            tiers = wanted.setdefault(spec.category, {})
            tiers[spec.tier] = tiers.get(spec.tier, 0.0) + len(spec.cameras)
        return wanted
    items = plan.request.items
    sums = [0] * len(items)
    for number, part in enumerate(plan.parts):
        sums[number % len(items)] += part.clips
    for item, clips in zip(items, sums, strict=True):
        rows = find_scenes(find_category(item.category), scene=item.scene, tier=item.tier)
        served = [item.tier] if item.tier else [tier for tier in TIERS if any(tier in row.tiers for row in rows)]
        total = math.fsum(WEIGHTS[tier] for tier in served)
        tiers = wanted.setdefault(item.category, {})
        for tier in served:
            tiers[tier] = tiers.get(tier, 0.0) + clips * WEIGHTS[tier] / total
    return wanted


def _cells(wanted: Mapping[str, Mapping[str, float]], delivered: Mapping[str, Mapping[str, int]]) -> list[MatrixCell]:
    cells = []
    for category in dict.fromkeys([*wanted, *delivered]):
        whole = _whole(wanted.get(category, {}))
        counts = delivered.get(category, {})
        cells += [
            MatrixCell(category=category, tier=tier, wanted=whole.get(tier, 0), delivered=counts.get(tier, 0))
            for tier in dict.fromkeys([*whole, *counts])
        ]
    return cells


def _whole(shares: Mapping[str, float]) -> dict[str, int]:
    """Round shares so that their sum stays."""
    whole = {name: int(share + SLACK) for name, share in shares.items()}
    missing = round(math.fsum(shares.values())) - sum(whole.values())
    for name in sorted(shares, key=lambda name: whole[name] - shares[name])[:missing]:
        whole[name] += 1
    return whole


def _histogram(
    name: str, span: Sequence[float], requested: list[int] | None, delivered: list[int] | None
) -> ParameterHistogram:
    parameter = PARAMETERS[name]
    return ParameterHistogram(
        name=name,
        unit=parameter.unit,
        logarithmic=parameter.logarithmic,
        edges=_Place(span, is_logarithmic=parameter.logarithmic).edges(),
        requested=_bins(requested),
        delivered=_bins(delivered),
    )


def _bins(counts: list[int] | None) -> BinCounts:
    known = counts or [0] * (BINS + 2)
    return BinCounts(below=known[0], bins=known[1:-1], above=known[-1])
