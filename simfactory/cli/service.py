"""What the commands that ask the service share: their options, the connection, and how things are shown."""

import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from pydantic import BaseModel

    from simfactory.client import Client

__all__ = ["Json", "JsonLines", "State", "Url", "connect", "console", "document", "line", "lines", "pairs", "table"]
__all__ += ["by_reason", "clean", "sized", "span", "when"]

Url: TypeAlias = Annotated[
    str | None, typer.Option(help="Address of the service; default: SIMFACTORY_URL, or the one that runs here.")
]
State: TypeAlias = Annotated[
    Path | None, typer.Option(help="State folder of `simfactory up`; default: SIMFACTORY_STATE, or .simfactory.")
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
JsonLines: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, one document a line.")]

_WIDE = 200  # columns where no terminal says how many there are


def connect(url: str | None, state: Path | None) -> "Client":
    """Return a client of the service that is meant.

    Raises:
        ServiceError: Nothing runs here.
    """
    from simfactory.client import Client

    return Client.of(url, state)


def console() -> Console:
    """Return the console of standard output; what the service says is not taken as markup."""
    width = None if sys.stdout.isatty() else _WIDE
    return Console(width=width, markup=False, emoji=False, highlight=False)


def document(value: object) -> None:
    """Print one JSON document."""
    typer.echo(json.dumps(value, indent=1, ensure_ascii=False))


def line(value: "BaseModel") -> None:
    """Print a JSON document as one line, at once."""
    sys.stdout.write(value.model_dump_json() + "\n")
    sys.stdout.flush()


def lines(values: Iterable["BaseModel"]) -> None:
    """Print JSON documents, one a line."""
    for value in values:
        line(value)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; numbers stand on the right."""
    shown = Table(*columns, box=None, pad_edge=False)
    numeric = dict.fromkeys(range(len(columns)), True)
    for row in rows:
        for column, cell in enumerate(row):
            numeric[column] &= isinstance(cell, int | float)
        shown.add_row(*(clean(f"{cell:,}" if isinstance(cell, int) else str(cell)) for cell in row))
    for column, only in numeric.items():
        if only and shown.row_count:
            shown.columns[column].justify = "right"
    console().print(shown)


def pairs(values: Mapping[str, object]) -> None:
    """Print names and values, one a line; empty values are left out."""
    width = max(len(name) for name in values) + 2
    for name, value in values.items():
        if value not in (None, "", [], {}):
            typer.echo(f"{name:<{width}}{clean(f'{value:,}' if isinstance(value, int) else str(value))}")


def clean(text: str) -> str:
    """Return a text without characters that would steer the terminal."""
    return "".join(character if character.isprintable() else "�" for character in text)


def sized(count: int) -> str:
    """Return a size [B] to be read, e.g. "12.3 MB"."""
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB", "PB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def span(seconds: float | None) -> str:
    """Return a time span [s] to be read, e.g. "1 h 05 min"; "-" for None."""
    if seconds is None:
        return "-"
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = round(whole / 60), whole // 3600, whole // 86400
    if minutes < 60:
        return f"{minutes} min"
    return f"{hours} h {whole % 3600 // 60:02d} min" if days < 2 else f"{days} d {whole % 86400 // 3600} h"


def when(seconds: float | None) -> str:
    """Return an instant [s since the epoch] in local time; "-" for None."""
    return "-" if seconds is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def by_reason(reasons: Mapping[str, int]) -> str:
    """Return counts by reason, most frequent first, e.g. "diverged 3, camera_inside 1"."""
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{reason} {count:,}" for reason, count in ordered)
