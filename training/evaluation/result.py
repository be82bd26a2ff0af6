"""Figures of every clip of a held-out set, as they are kept, and as tables."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self, final

import numpy as np

from simfactory.errors import StoreError
from training.evaluation.bootstrap import Interval, bootstrap_interval, paired_difference
from training.evaluation.flow import MotionBin
from training.evaluation.metrics import HEADLINES, METRICS
from training.evaluation.report import MetricRow, ReportCurve
from training.evaluation.scoring import ClipScores

__all__ = ["TRUTH", "EvalClip", "EvalResult", "difference_curve", "metric_rows", "result_curves"]

SCHEMA = "simfactory.eval/1"
FILE = "eval.json"
TRUTH = "ground truth"  # the column of the floor
PSNR_OF_SAME = 100.0  # [dB] stands for infinity, which has no mean


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class EvalClip:
    """The figures of one clip.

    Attributes:
        clip_id: The clip.
        camera_moves: Whether its camera moves.
        columns: Name of a predictor → its figures.
    """

    clip_id: str
    camera_moves: bool
    columns: Mapping[str, ClipScores]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class EvalResult:
    """What an evaluation has found.

    Attributes:
        title: Its heading.
        notes: Sentences on how it was made: command, data, seeds.
        clips: One for each clip.
    """

    title: str
    notes: Sequence[str]
    clips: Sequence[EvalClip]

    @property
    def columns(self) -> list[str]:
        """Names of the predictors in the order of their first appearance; the truth is none."""
        return [name for name in dict.fromkeys(n for clip in self.clips for n in clip.columns) if name != TRUTH]

    def save(self, folder: Path) -> Path:
        """Write `eval.json` into a folder, which is made, and return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        content = {"schema": SCHEMA, "title": self.title, "notes": list(self.notes), "clips": [*map(_told, self.clips)]}
        path = folder / FILE
        path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        return path

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what `save` wrote: into this folder or its `eval` folder, or that very file.

        Raises:
            StoreError: There is none, or it is damaged.
        """
        places = [folder] if folder.is_file() else [folder / FILE, folder / "eval" / FILE]
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise StoreError(f"{folder} holds no {FILE}: `simfactory-train eval --out {folder}` writes one")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["schema"] != SCHEMA:
                raise ValueError(f"schema {content['schema']!r}, not {SCHEMA!r}")
            return cls(title=content["title"], notes=content["notes"], clips=[*map(_read, content["clips"])])
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{path} is damaged: {error!r}; evaluate again") from error

    def renamed(self, names: Mapping[str, str]) -> Self:
        """Return it with other names of its columns; those that are not named stay."""
        clips = [
            replace(clip, columns={names.get(name, name): scores for name, scores in clip.columns.items()})
            for clip in self.clips
        ]
        return replace(self, clips=clips)


def metric_rows(result: EvalResult, *, seed: int = 0) -> list[MetricRow]:
    """Return the lines of the table: every figure that any clip has; the headlines again for cameras at rest.

    A column's figure is the mean over the clips that have it, with its interval; the floor is that of the truth.

    Args:
        result: Of an evaluation.
        seed: Of the bootstrap.
    """
    rows = [row for name in METRICS for row in _row(result.clips, name, result.columns, "", seed)]
    fixed = [clip for clip in result.clips if not clip.camera_moves]
    if fixed and len(fixed) < len(result.clips):
        rows += [row for name in HEADLINES for row in _row(fixed, name, result.columns, ", camera at rest", seed)]
    return rows


def result_curves(result: EvalResult) -> list[ReportCurve]:
    """Return drift over time and end-point error by size of motion, of every column that has them."""
    columns = [TRUTH, *result.columns]
    drift = {name: _drift(result.clips, name) for name in columns}
    length = max((len(values) for values in drift.values()), default=0)
    curves = []
    if length:
        series = {name: [*values, *[math.nan] * (length - len(values))] for name, values in drift.items() if values}
        curves.append(ReportCurve(name="Worldline drift [m] over time", x_name="frame", x=range(length), series=series))
    bins = {name: _motion(result.clips, name) for name in columns}
    known = next((values for values in bins.values() if values), [])
    if known:
        curves.append(
            ReportCurve(
                name="Flow EPE [px] by size of true motion",
                x_name="motion [px]",
                x=[_range_text(one) for one in known],
                series={name: [one.epe for one in values] for name, values in bins.items() if values},
            )
        )
    return curves


def difference_curve(result: EvalResult, *, seed: int = 0) -> ReportCurve | None:
    """Return the differences of all columns from the first, clip by clip, with 95 % intervals; None for one column.

    Only an interval that does not hold zero tells which of the two is better; `decided` is then 1.
    """
    first, *others = result.columns or [""]
    x: list[str] = []
    series: dict[str, list[float]] = {
        f"{name} {what}": [] for name in others for what in ("difference", "low", "high", "decided")
    }
    for key, metric in METRICS.items():
        found = {name: _difference(result.clips, key, name, first, seed) for name in others}
        if not any(found.values()):
            continue
        x.append(f"{metric.label} [{metric.unit}], {metric.better} is better")
        for name, values in found.items():
            for what, value in zip(("difference", "low", "high", "decided"), values or [math.nan] * 4, strict=True):
                series[f"{name} {what}"].append(value)
    return ReportCurve(name=f"Paired differences from {first}", x_name="metric", x=x, series=series) if x else None


def _difference(
    clips: Sequence[EvalClip], key: str, column: str, first: str, seed: int
) -> tuple[float, float, float, float] | None:
    both = [
        (clip.columns[column].values[key], clip.columns[first].values[key])
        for clip in clips
        if all(name in clip.columns and key in clip.columns[name].values for name in (column, first))
    ]
    if not both:
        return None
    ours, theirs = np.array([*map(_finite_pair, both)]).T
    found = paired_difference(ours, theirs, seed=seed)
    interval = found.interval
    return interval.mean, interval.low, interval.high, float(found.decided)


def _finite_pair(pair: tuple[float, float]) -> tuple[float, float]:
    return _finite(pair[0]), _finite(pair[1])


def _row(clips: Sequence[EvalClip], key: str, columns: Sequence[str], suffix: str, seed: int) -> Iterator[MetricRow]:
    metric = METRICS[key]
    values: dict[str, Interval] = {}
    for name in columns:
        found = _values(clips, name, key)
        if found:
            values[name] = bootstrap_interval(np.array(found), seed=seed)
    floor = _values(clips, TRUTH, key)
    if values:
        yield MetricRow(
            name=metric.label + suffix,
            unit=metric.unit,
            better=metric.better,
            floor=math.fsum(floor) / len(floor) if floor else None,
            values=values,
        )


def _values(clips: Sequence[EvalClip], column: str, key: str) -> list[float]:
    scores = (clip.columns[column].values for clip in clips if column in clip.columns)
    return [_finite(found[key]) for found in scores if key in found]


def _finite(value: float) -> float:
    return min(value, PSNR_OF_SAME) if value == math.inf else value


def _drift(clips: Sequence[EvalClip], column: str) -> list[float]:
    rows = [clip.columns[column].drift for clip in clips if column in clip.columns and clip.columns[column].drift]
    length = max(map(len, rows), default=0)
    at = ([row[frame] for row in rows if frame < len(row) and not math.isnan(row[frame])] for frame in range(length))
    return [math.fsum(values) / len(values) if values else math.nan for values in at]


def _motion(clips: Sequence[EvalClip], column: str) -> list[MotionBin]:
    """Return the bins of all clips, each pixel counted alike."""
    rows = [clip.columns[column].motion for clip in clips if column in clip.columns and clip.columns[column].motion]
    merged = []
    for bins in zip(*rows, strict=True):
        count = sum(one.pixel_count for one in bins)
        total = math.fsum(one.epe * one.pixel_count for one in bins if one.pixel_count)
        merged.append(replace(bins[0], epe=total / count if count else math.nan, pixel_count=count))
    return merged


def _range_text(one: MotionBin) -> str:
    return f"{one.low:g} …" if math.isinf(one.high) else f"{one.low:g} … {one.high:g}"


def _told(clip: EvalClip) -> dict[str, Any]:  # Any: JSON
    return {
        "clip_id": clip.clip_id,
        "camera_moves": clip.camera_moves,
        "columns": {
            name: {
                "values": {key: _json(value) for key, value in scores.values.items()},
                "drift": [_json(value) for value in scores.drift],
                "motion": [{key: _json(value) for key, value in asdict(one).items()} for one in scores.motion],
            }
            for name, scores in clip.columns.items()
        },
    }


def _read(told: dict[str, Any]) -> EvalClip:  # Any: JSON
    return EvalClip(
        clip_id=told["clip_id"],
        camera_moves=told["camera_moves"],
        columns={
            name: ClipScores(
                values={key: float(value) for key, value in scores["values"].items()},
                drift=[float(value) for value in scores["drift"]],
                motion=[
                    MotionBin(
                        low=float(one["low"]),
                        high=float(one["high"]),
                        epe=float(one["epe"]),
                        pixel_count=int(one["pixel_count"]),
                    )
                    for one in scores["motion"]
                ],
            )
            for name, scores in told["columns"].items()
        },
    )


def _json(value: float) -> float | str:
    """Return a number that JSON knows; inf and NaN by name."""
    return value if math.isfinite(value) else str(value)
