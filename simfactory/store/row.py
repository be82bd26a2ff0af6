"""One catalogue row: the columns a clip can be found by."""

import json
from collections.abc import Mapping
from typing import Literal, TypeAlias

from simfactory.errors import StoreError
from simfactory.store.canonical import JSON

__all__ = ["COLUMNS", "SOURCES", "ClipSource", "checked_row", "row_order", "with_defaults"]

# What a clip was made from: a simulation, a real video, or what a video model sampled.
ClipSource: TypeAlias = Literal["simulation", "video", "model"]
SOURCES: tuple[ClipSource, ...] = ("simulation", "video", "model")

COLUMNS: dict[str, type] = {
    "clip_id": str,
    "attempt": str,
    "profile": str,
    "source": str,
    "scene": str,
    "category": str,
    "tier": str,
    "backend": str,
    "preset": str,
    "split": str,
    "seed": int,
    "index": int,
    "camera": str,
    "frame_count": int,
    "fps": float,
    "height": int,
    "width": int,
    "modalities": list,
    "violation": str,
    "pair": str,
    "bytes": int,
    "extra": str,
}


def checked_row(row: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return `row` with every column: absent ones are None, unknown ones go into `extra` as JSON.

    Raises:
        StoreError: A column holds the wrong type, or the source is none of `SOURCES`.
    """
    row = with_defaults(row)
    if row["source"] not in SOURCES:
        raise StoreError(f"catalogue row: source is {row['source']!r}; choose from {', '.join(SOURCES)}")
    checked: dict[str, JSON] = {}
    for column, kind in COLUMNS.items():
        value = row.get(column)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            raise StoreError(f"catalogue row: {column} is {value!r}; give a {kind.__name__} or leave it out")
        checked[column] = value
    extra = {name: value for name, value in row.items() if name not in COLUMNS}
    if extra:
        checked["extra"] = json.dumps(extra, sort_keys=True)
    return checked


def with_defaults(row: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return `row` with what older ones lack: a clip that names no source is of a simulation, no violation intact."""
    return {
        **row,
        "source": row.get("source") or "simulation",
        "violation": row.get("violation") or "",
        "pair": row.get("pair") or "",
    }


def row_order(row: Mapping[str, JSON]) -> tuple[tuple[bool, JSON], ...]:
    """Return the sort key of a row: seed, index, camera, then id; absent values last."""
    return tuple((row[column] is None, row[column]) for column in ("seed", "index", "camera", "clip_id"))
