"""Pages from templates, in which whatever people typed is escaped."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.dashboard.assets import asset_address
from api.database import EVENT_KINDS
from api.problems import ProblemError
from api.security import known_scopes

__all__ = ["Link", "page"]

SHORT = 120  # characters


@dataclass(frozen=True, slots=True)
class Link:
    """A named address."""

    name: str
    address: str


def page(request: Request, template: str, *, title: str, status: int = 200, **context: object) -> HTMLResponse:
    """Return a page.

    Args:
        request: The request; what its session allows decides which actions are offered (`scopes`).
        template: Name of the template.
        title: Title, without the project's name.
        status: HTTP status.
        context: What the template shows.
    """
    try:
        scopes = known_scopes(request)
    except ProblemError:
        scopes = frozenset()
    html = _environment.get_template(template).render(
        title=title,
        scopes=scopes,
        path=request.scope["path"],
        navigation=getattr(request.app.state, "navigation", ()),
        event_kinds=EVENT_KINDS,
        **context,
    )
    return HTMLResponse(html, status_code=status, headers={"cache-control": "private, no-cache"})


def _count(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _figure(value: float | None) -> str:
    """Return a figure with three digits that count."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _size(value: float | None) -> str:
    if value is None:
        return "–"
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if abs(value) < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:,.0f} PB"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86_400:,.0f} days"


def _ago(at: float | None) -> str:
    return "–" if at is None else f"{_duration(max(time.time() - at, 0.0))} ago"


def _when(at: float | None) -> str:
    return "–" if at is None else datetime.fromtimestamp(at, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _percent(share: float | None) -> str:
    return (
        "–" if share is None else f"{100.0 * share:.0f} %" if share >= 0.1 or share == 0 else f"{100.0 * share:.1f} %"
    )


def _short(text: str, length: int = SHORT) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


_environment = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals["asset"] = asset_address
_environment.filters.update(
    count=_count, figure=_figure, size=_size, duration=_duration, ago=_ago, when=_when, percent=_percent, short=_short
)
