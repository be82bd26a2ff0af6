"""`/jobs` and `/jobs/{id}`: how jobs go, and what can be done with them; `/jobs/new` is in `job_form`, found first."""

import json
from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select

from api.dashboard.access import Viewer, local_address, sender
from api.dashboard.clip_cards import newest
from api.dashboard.histograms import HEIGHT, WIDTH, charts, matrix
from api.dashboard.templating import page
from api.distribution import distribution_of
from api.jobs import STATES, act, described, find_job, job_page
from api.paging import Cursor
from api.routes.dependencies import Controlled, Filter, Identity, Secret, Stored
from api.tables import ClipRow, FailureRow
from simfactory.protocol import Job, JobState

__all__ = ["router"]

router = APIRouter()
PAGE = 50  # jobs
GALLERY = 12  # clips
FAILURES = 50
WRITTEN_MAX = 20_000  # characters of a request that are shown
Action = Literal["cancel", "pause", "resume", "retry"]
Back = Annotated[str, Form(max_length=2000)]


@router.get("/jobs")
def listed(
    request: Request,
    scopes: Viewer,
    database: Stored,
    secret: Secret,
    state: Annotated[JobState | Literal[""], Query()] = "",
    dataset: Filter = None,
    cursor: Cursor = None,
) -> Response:
    """Show jobs, newest first."""
    with database.reading() as session:
        found = job_page(session, secret, state=state or None, dataset=dataset or None, cursor=cursor, limit=PAGE)
    return page(
        request,
        "jobs.html",
        title="Jobs",
        jobs=found.items,
        following=found.next,
        states=get_args(JobState),
        state=state,
        dataset=dataset or "",
        cursor=cursor or "",
        actions_of=actions_of,
    )


@router.get("/jobs/{identity}")
def one(identity: Identity, request: Request, scopes: Viewer, database: Stored) -> Response:
    """Show how a job goes, and what came of it."""
    from scenes.curriculum import TIERS  # see api.app

    with database.reading() as session:
        row = find_job(session, identity)
        (job,) = described(session, [row])
        told = distribution_of(session, row)
        cards = newest(session, ClipRow.job == identity, count=GALLERY)
        failures = session.scalars(
            select(FailureRow).where(FailureRow.job == identity).order_by(FailureRow.id.desc()).limit(FAILURES)
        ).all()
    text = json.dumps(job.request.model_dump(mode="json", exclude_defaults=True), indent=2, ensure_ascii=False)
    return page(
        request,
        "job.html",
        title=job.request.name or job.id,
        job=job,
        actions=actions_of(job),
        told=told,
        matrix=matrix(told, TIERS),
        charts=charts(told),
        size=(WIDTH, HEIGHT),
        cards=cards,
        failures=failures,
        given_up=job.progress.failed,
        written=text if len(text) <= WRITTEN_MAX else "",
    )


@router.post("/jobs/{identity}/{action}", dependencies=[Depends(sender("submit"))])
def acted(identity: Identity, action: Action, database: Stored, control: Controlled, back: Back = "") -> Response:
    """Cancel, pause, resume or retry a job, and go back to where that was asked for."""
    with database.writing() as session:
        job = find_job(session, identity)
        if job.state in STATES[action]:  # it may have ended while somebody looked at it
            act(session, control.queue, job, action)
    control.janitor_soon()
    control.wake()
    return RedirectResponse(local_address(back) if back else f"/jobs/{identity}", status_code=303)


def actions_of(job: Job) -> list[str]:
    """Return what can be done with a job."""
    match job.state:
        case "running":
            return ["pause", "cancel"]
        case "paused":
            return ["resume", "cancel"]
        case "completed" | "failed":
            return ["retry"] if job.progress.failed or job.state == "failed" else []
        case _:
            return []
