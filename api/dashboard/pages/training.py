"""`/training` and `/training/{name}`: how trainings go, with curves, pictures and configuration."""

import json
from itertools import groupby

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.dashboard.access import Viewer
from api.dashboard.templating import page
from api.paging import Cursor
from api.routes.dependencies import Secret
from api.routes.training import RunName, Trained

__all__ = ["router"]

router = APIRouter()
PAGE = 50  # runs
CONFIG_MAX = 50_000  # characters that are shown
TONES = {
    "running": "info", "completed": "good", "failed": "bad", "silent": "bad", "stopped": "warn", "unreadable": "bad",
}  # fmt: skip


@router.get("/training")
def listed(request: Request, viewer: Viewer, runs: Trained, secret: Secret, cursor: Cursor = None) -> Response:
    """Show training runs."""
    found = runs.page(secret, cursor=cursor, limit=PAGE)
    return page(
        request,
        "training.html",
        title="Training",
        runs=found.items,
        count=found.count,
        cursor=cursor or "",
        following=found.next,
        tones=TONES,
        folder=str(runs.root),
    )


@router.get("/training/{name}")
def one(name: RunName, request: Request, viewer: Viewer, runs: Trained) -> Response:
    """Show a training run."""
    run = runs.find(name)
    record = run.record
    pictures = sorted(runs.pictures(name), key=lambda picture: (picture.tag, -picture.step))
    config = "" if record is None else json.dumps(record.config, indent=2, ensure_ascii=False)
    return page(
        request,
        "training_run.html",
        title=name if record is None else record.name,
        run=run,
        record=record,
        tones=TONES,
        rows=[(tag, list(row)) for tag, row in groupby(pictures, key=lambda picture: picture.tag)],
        config=config if len(config) <= CONFIG_MAX else "",
    )
