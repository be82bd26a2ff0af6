"""`/`: the factory at a glance."""

from dataclasses import dataclass
from typing import cast

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from sqlalchemy import func, select

from api.dashboard.access import Viewer
from api.dashboard.happenings import Happening, told
from api.dashboard.templating import page
from api.database import Database, newest_event
from api.jobs import described
from api.routes.dependencies import Controlled, Stored
from api.tables import EventRow, JobRow
from simfactory.protocol import Job
from simfactory.telemetry import TelemetrySample

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
JOBS_SHOWN = 6
EVENTS_SHOWN = 12
# Title, figure of the sample, how it is written, and what stands below it.
TILES = (
    ("Clips", "clips_per_hour", "figure", "per hour"),
    ("Frames", "frames_per_second", "figure", "per second"),
    ("Simulated steps", "steps_per_second", "figure", "per second"),
    ("Written", "bytes_per_second", "size", "per second"),
    ("CPU", "cpu_percent", "cores", "cores in use"),
    ("Memory", "memory_bytes", "size", "of all workers"),
    ("GPU", "gpu_percent", "per_cent", "in use"),
    ("GPU memory", "gpu_memory_bytes", "size", "in use"),
    ("Queue", "queue_shards", "count", "shards waiting"),
    ("Disk", "disk_free", "size", "free"),
    ("Disk full in", "disk_seconds", "duration", "at this rate"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Glance:
    """What the database has for this page.

    Attributes:
        newest: Id of the newest event; as long as it stays the same, so does the rest.
        jobs: Jobs that run or are paused, newest first.
        job_count: How many there are.
        events: What happened last, newest first.
    """

    newest: int
    jobs: list[Job]
    job_count: int
    events: list[Happening]


@router.get("/")
def overview(request: Request, viewer: Viewer, database: Stored, control: Controlled) -> Response:
    """Show rates, machines, queue, running jobs and what happened last."""
    sample = control.history.newest or TelemetrySample(at=0.0)
    glance = _glance(request.app, database)
    tiles = [(title, name, kind, getattr(sample, name), below) for title, name, kind, below in TILES]
    return page(
        request,
        "overview.html",
        title="Overview",
        sample=sample,
        tiles=[tile for tile in tiles if tile[3] is not None or not tile[1].startswith("gpu")],
        jobs=glance.jobs,
        job_count=glance.job_count,
        events=glance.events,
        health=dict(control.health),
    )


def _glance(app: FastAPI, database: Database) -> Glance:
    """Return what the database has; read once for all who look until something happens."""
    with database.reading() as session:
        newest = newest_event(session)
        kept: Glance | None = getattr(app.state, "glance", None)
        if kept is not None and kept.newest == newest:
            return kept
        running = select(JobRow).where(JobRow.state.in_(("running", "paused")))
        jobs = session.scalars(running.order_by(JobRow.created.desc()).limit(JOBS_SHOWN)).all()
        events = session.scalars(select(EventRow).order_by(EventRow.id.desc()).limit(EVENTS_SHOWN)).all()
        app.state.glance = Glance(
            newest=newest,
            jobs=described(session, jobs),
            job_count=session.scalar(select(func.count()).select_from(running.subquery())) or 0,
            events=[told(event.id, event.at, event.kind, event.job, event.data) for event in events],
        )
    return cast(Glance, app.state.glance)
