"""The figures of all arms by seed and clip, means with intervals, and differences of arms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, final

import numpy as np
import numpy.typing as npt

from training.evaluation import Interval, MetricRow
from training.evaluation.metrics import METRICS
from training.evaluation.result import TRUTH, EvalClip
from training.experiment.crossed import crossed_interval
from training.experiment.plan import Plan

__all__ = [
    "FEWEST_CLIPS",
    "KINDS",
    "TRIVIAL",
    "Comparison",
    "Figures",
    "Kind",
    "beside_trivial",
    "comparisons",
    "figure_rows",
]

Kind = Literal["generated", "true video"]
KINDS: tuple[Kind, ...] = ("generated", "true video")
TRIVIAL = ("still", "background")  # they know nothing of motion
# What each figure is at least to beat: the first frame with zero flow, and true depth without objects.
TRIVIAL_FIGURES: Mapping[str, str] = MappingProxyType(
    {"psnr": "still", "psnr_changing": "still", "object_epe": "still", "object_abs_rel": "background"}
)
FEWEST_CLIPS = 8  # below, such intervals are much too small

Float64 = npt.NDArray[np.float64]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What was measured.

    Attributes:
        seeds: The seeds.
        clips: Arm → for each seed, the figures by clip.
    """

    seeds: tuple[int, ...]
    clips: Mapping[str, Sequence[Mapping[str, EvalClip]]]

    def values(self, arm: str, column: str, metric: str, clip_ids: Sequence[str]) -> Float64:
        """Return a figure `(seed, clip)`; NaN where it was not measured.

        Args:
            arm: The arm.
            column: Of the evaluation's, e.g. `still`.
            metric: Name of the figure.
            clip_ids: Which clips, in this order.
        """
        rows = [[_value(found.get(clip), column, metric) for clip in clip_ids] for found in self.clips[arm]]
        return np.array(rows, np.float64).reshape(len(rows), len(clip_ids))

    def interval(self, arm: str, column: str, metric: str, clip_ids: Sequence[str]) -> Interval | None:
        """Return the mean over seeds and clips that have a figure with every seed; None without any."""
        return _interval(self.values(arm, column, metric, clip_ids))


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """The mean difference of two arms in a figure, over pairs of the same seed and clip.

    Attributes:
        arm: a.
        against: b.
        metric: Name of the figure.
        kind: What was measured: the video that arms make, or what their heads read from the true one.
        group: Which test clips.
        interval: Of a − b.
    """

    arm: str
    against: str
    metric: str
    kind: Kind
    group: str
    interval: Interval

    @property
    def decided(self) -> bool:
        """Whether zero lies outside the interval."""
        return self.interval.low > 0.0 or self.interval.high < 0.0

    @property
    def verdict(self) -> Literal["better", "worse", "open"]:
        """Whether a is better than b, as far as the interval tells."""
        if not self.decided:
            return "open"
        higher = self.interval.low > 0.0
        return "better" if higher == (METRICS[self.metric].better == "higher") else "worse"

    @property
    def what(self) -> str:
        """The figure, and where it was measured."""
        place = "" if self.group == "all" else f", {self.group}"
        return f"{METRICS[self.metric].label} ({self.kind}{place})"

    @property
    def span(self) -> str:
        """The difference with its interval."""
        found, unit = self.interval, METRICS[self.metric].unit
        return f"{found.mean:.3g}{'' if unit == '1' else f' {unit}'} [{found.low:.3g}, {found.high:.3g}]"

    @property
    def sentence(self) -> str:
        """One sentence that follows from the interval alone."""
        found, unit = self.interval, "" if METRICS[self.metric].unit == "1" else f" {METRICS[self.metric].unit}"
        if not self.decided:
            return f"No difference shown between {self.arm} and {self.against} in {self.what}: {self.span}."
        side = "higher" if found.low > 0.0 else "lower"
        ends = sorted((abs(found.low), abs(found.high)))
        size = f"{abs(found.mean):.3g}{unit} [{ends[0]:.3g}, {ends[1]:.3g}]"
        return f"{self.arm} is {side} than {self.against} by {size} in {self.what}: {self.verdict}."


def comparisons(
    plan: Plan, figures: Figures, groups: Mapping[str, Sequence[str]], metrics: Sequence[str]
) -> tuple[Comparison, ...]:
    """Return the differences of each arm from the one that it is compared with.

    Clips without a figure in one of the two arms, with any seed, are left out; groups with fewer than eight clips, too:
    intervals of so few are much too small.

    Args:
        plan: The arms.
        figures: What was measured.
        groups: Name → ids of test clips.
        metrics: Names of figures.
    """
    wanted = [
        (arm.name, arm.against, kind, group, metric)
        for arm in plan.arms
        if arm.against is not None
        for group in groups
        for kind in KINDS
        for metric in metrics
    ]
    told = [
        _compared(figures, arm, against, metric=metric, kind=kind, group=group, clip_ids=groups[group])
        for arm, against, kind, group, metric in wanted
    ]
    return tuple(one for one in told if one is not None)


def beside_trivial(plan: Plan, figures: Figures, clip_ids: Sequence[str]) -> tuple[Comparison, ...]:
    """Return the differences of each arm from predictors that know nothing of motion, in `TRIVIAL_FIGURES`.

    Args:
        plan: The arms.
        figures: What was measured.
        clip_ids: Test clips.
    """
    told = [
        _compared(figures, arm.name, trivial, metric=metric, kind=kind, group="all", clip_ids=clip_ids)
        for arm in plan.arms
        for kind in KINDS
        for metric, trivial in TRIVIAL_FIGURES.items()
    ]
    return tuple(one for one in told if one is not None)


def _compared(
    figures: Figures, arm: str, against: str, *, metric: str, kind: Kind, group: str, clip_ids: Sequence[str]
) -> Comparison | None:
    """Return the difference of an arm from another, or from a trivial predictor; None of too few clips."""
    # A trivial predictor's figures are beside every arm's.
    other = (arm, against) if against in TRIVIAL else (against, f"{against}, {kind}")
    ours = figures.values(arm, f"{arm}, {kind}", metric, clip_ids)
    interval = _interval(ours - figures.values(*other, metric, clip_ids))
    if interval is None or interval.clip_count < FEWEST_CLIPS:
        return None
    return Comparison(arm=arm, against=against, metric=metric, kind=kind, group=group, interval=interval)


def figure_rows(
    plan: Plan, figures: Figures, groups: Mapping[str, Sequence[str]], metrics: Sequence[str]
) -> list[MetricRow]:
    """Return the lines of the table: each arm's mean and interval beside trivial predictors, and the truth's floor."""
    rows = []
    first = plan.arms[0].name
    for group, clip_ids in groups.items():
        for kind in KINDS:
            for metric in metrics:
                values = {arm.name: (arm.name, f"{arm.name}, {kind}") for arm in plan.arms}
                told = {name: figures.interval(*place, metric, clip_ids) for name, place in values.items()}
                if not any(told.values()):
                    continue
                told |= {name: figures.interval(first, name, metric, clip_ids) for name in TRIVIAL}
                floor = figures.interval(first, TRUTH, metric, clip_ids)
                place = "" if group == "all" else f", {group}"
                rows.append(
                    MetricRow(
                        name=f"{METRICS[metric].label}, {kind}{place}",
                        unit=METRICS[metric].unit,
                        better=METRICS[metric].better,
                        floor=None if floor is None else floor.mean,
                        values={name: interval for name, interval in told.items() if interval is not None},
                    )
                )
    return rows


def _value(clip: EvalClip | None, column: str, metric: str) -> float:
    scores = None if clip is None else clip.columns.get(column)
    return np.nan if scores is None else float(scores.values.get(metric, np.nan))


def _interval(values: Float64) -> Interval | None:
    known = values[:, np.isfinite(values).all(axis=0)]
    return crossed_interval(known) if known.size else None
