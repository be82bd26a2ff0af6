"""A report of metrics: one table with ground-truth floors and intervals, curves and pictures, in three formats."""

import html
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from simfactory.errors import SpecError, StoreError
from training.evaluation.bootstrap import Interval

__all__ = ["MetricRow", "Report", "ReportCurve", "ReportFiles", "ReportPicture", "write_report"]

ARROWS = {"lower": "↓", "higher": "↑"}
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #bbb;padding:.25em .6em;text-align:right}"
    "td:first-child,th:first-child{text-align:left}img{max-width:100%}"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricRow:
    """One line of the table.

    Attributes:
        name: Of the metric.
        unit: Its unit, `1` for none.
        better: Which direction is better.
        floor: What ground truth scores against ground truth; None where that says nothing.
        values: Column (a model, or a trivial predictor) → mean and interval; columns may be missing.
    """

    name: str
    unit: str
    better: Literal["lower", "higher"]
    floor: float | None
    values: Mapping[str, Interval]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportCurve:
    """A quantity over another, such as drift over time, as a small table.

    Attributes:
        name: Heading.
        x_name: What the first column holds, with its unit.
        x: Values or names of ranges of it.
        series: Column → a value for each x.
    """

    name: str
    x_name: str
    x: Sequence[float | str]
    series: Mapping[str, Sequence[float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportPicture:
    """A picture, shown where it lies.

    Attributes:
        path: The file.
        caption: What it shows.
    """

    path: Path
    caption: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What a report says.

    Attributes:
        title: Its heading.
        rows: Lines of the table; columns are in the order in which they first appear.
        notes: Sentences below the title: command, data, seeds.
        curves: Small tables.
        pictures: Pictures.
    """

    title: str
    rows: Sequence[MetricRow]
    notes: Sequence[str] = ()
    curves: Sequence[ReportCurve] = ()
    pictures: Sequence[ReportPicture] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportFiles:
    """Where a report was written."""

    markdown: Path
    json: Path
    html: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class _Table:
    """Text of a table, not yet escaped."""

    title: str
    head: list[str]
    body: list[list[str]]


def write_report(report: Report, folder: Path) -> ReportFiles:
    """Write `report.md`, `report.json` and `report.html` into a folder, which is made.

    Raises:
        SpecError: There are no rows, or a curve's columns differ in length.
        StoreError: A picture is not there.
    """
    if not report.rows:
        raise SpecError("nothing valid: a report needs one row or more")
    for curve in report.curves:
        wrong = [name for name, values in curve.series.items() if len(values) != len(curve.x)]
        if wrong:
            raise SpecError(f"curve {curve.name!r} has {len(curve.x)} places; {', '.join(wrong)} have another number")
    absent = [str(picture.path) for picture in report.pictures if not picture.path.is_file()]
    if absent:
        raise StoreError(f"pictures of the report are not there: {', '.join(absent)}; write them first")
    folder.mkdir(parents=True, exist_ok=True)
    files = ReportFiles(markdown=folder / "report.md", json=folder / "report.json", html=folder / "report.html")
    tables = [_metric_table(report), *map(_curve_table, report.curves)]
    links = [(_link(picture.path, folder), picture.caption) for picture in report.pictures]
    files.markdown.write_text(_markdown(report, tables, links), encoding="utf-8")
    files.html.write_text(_html(report, tables, links), encoding="utf-8")
    text = json.dumps(_content(report, links), indent=2, ensure_ascii=False, allow_nan=False)
    files.json.write_text(text + "\n", encoding="utf-8")
    return files


def _columns(rows: Sequence[MetricRow]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.values))


def _metric_table(report: Report) -> _Table:
    columns = _columns(report.rows)
    body = [
        [
            f"{row.name} [{row.unit}] {ARROWS[row.better]}",
            "–" if row.floor is None else _number(row.floor),
            *(_cell(row.values.get(column)) for column in columns),
        ]
        for row in report.rows
    ]
    return _Table(title="Metrics", head=["metric", "ground truth", *columns], body=body)


def _curve_table(curve: ReportCurve) -> _Table:
    body = [
        [place if isinstance(place, str) else _number(place), *(_number(values[i]) for values in curve.series.values())]
        for i, place in enumerate(curve.x)
    ]
    return _Table(title=curve.name, head=[curve.x_name, *curve.series], body=body)


def _number(value: float) -> str:
    return f"{value:.4g}"


def _cell(interval: Interval | None) -> str:
    if interval is None:
        return "–"
    return f"{_number(interval.mean)} [{_number(interval.low)}, {_number(interval.high)}]"


def _legend(rows: Sequence[MetricRow]) -> str:
    levels = sorted({interval.level for row in rows for interval in row.values.values()})
    counts = sorted({interval.clip_count for row in rows for interval in row.values.values()})
    if not levels:
        return "No column has any value."
    shares = ", ".join(f"{100.0 * level:g} %" for level in levels)
    clips = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"Mean over clips [{shares} bootstrap interval]; {clips} clips; ground truth: truth scored against itself."


def _link(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()


def _markdown(report: Report, tables: Sequence[_Table], links: Sequence[tuple[str, str]]) -> str:
    parts = [f"# {_plain(report.title)}", *map(_plain, report.notes), _plain(_legend(report.rows))]
    for table in tables:
        lines = [table.head, ["---"] + ["---:"] * (len(table.head) - 1), *table.body]
        rows = "\n".join("| " + " | ".join(map(_plain, cells)) + " |" for cells in lines)
        parts.append(f"## {_plain(table.title)}\n\n{rows}")
    parts += [f"![{_plain(caption)}](<{link}>)" for link, caption in links]
    return "\n\n".join(parts) + "\n"


def _plain(text: str) -> str:
    """Return text that Markdown shows as it is, in one line."""
    line = " ".join(html.escape(text, quote=False).split())
    return "".join(f"\\{letter}" if letter in "\\`*_|[]" else letter for letter in line)


def _html(report: Report, tables: Sequence[_Table], links: Sequence[tuple[str, str]]) -> str:
    title = html.escape(report.title)
    notes = "".join(f"<p>{html.escape(note)}</p>\n" for note in [*report.notes, _legend(report.rows)])
    content = "".join(map(_html_table, tables))
    figures = "".join(
        f'<figure><img src="{html.escape(link)}" alt="{html.escape(caption)}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>\n"
        for link, caption in links
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head>\n<body><h1>{title}</h1>\n{notes}{content}{figures}</body></html>\n"
    )


def _html_table(table: _Table) -> str:
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in table.head)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>\n" for cells in table.body
    )
    return (
        f"<h2>{html.escape(table.title)}</h2>\n<table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>\n"
    )


def _content(report: Report, links: Sequence[tuple[str, str]]) -> dict[str, object]:
    return {
        "title": report.title,
        "notes": list(report.notes),
        "rows": [
            {
                "name": row.name,
                "unit": row.unit,
                "better": row.better,
                "floor": None if row.floor is None else _json_number(row.floor),
                "values": {
                    name: {
                        "mean": _json_number(interval.mean),
                        "low": _json_number(interval.low),
                        "high": _json_number(interval.high),
                        "level": interval.level,
                        "clip_count": interval.clip_count,
                    }
                    for name, interval in row.values.items()
                },
            }
            for row in report.rows
        ],
        "curves": [
            {
                "name": curve.name,
                "x_name": curve.x_name,
                "x": [place if isinstance(place, str) else _json_number(place) for place in curve.x],
                "series": {name: [_json_number(value) for value in values] for name, values in curve.series.items()},
            }
            for curve in report.curves
        ],
        "pictures": [{"path": link, "caption": caption} for link, caption in links],
    }


def _json_number(value: float) -> float | str:
    """Return a number that JSON knows; inf and NaN by name."""
    return value if math.isfinite(value) else str(value)
