"""`/v1/jobs`: taken, listed, told, and acted upon."""

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response
from fastapi.openapi.models import Example
from fastapi.responses import JSONResponse
from sqlalchemy import select

from api.clips import clip_page
from api.distribution import distribution_of
from api.jobs import act, described, find_job, job_page
from api.paging import Cursor, Limit, as_json, with_etag
from api.routes.dependencies import NOT_MODIFIED, Controlled, Filter, Identity, Secret, Stored, Tuned
from api.security import needs
from api.strict_json import StrictRoute
from api.submission import estimate_of, take
from api.tables import FailureRow
from simfactory.distributions import JobDistribution
from simfactory.protocol import (
    ClipPage,
    Estimate,
    Failure,
    Job,
    JobPage,
    JobRequest,
    JobState,
)

__all__ = ["router"]

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=StrictRoute)
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$")]
Action = Literal["cancel", "pause", "resume", "retry"]
LOCATION = {"headers": {"Location": {"description": "Where the job is told of", "schema": {"type": "string"}}}}
EXAMPLES: dict[str, Example] = {
    "few": {
        "summary": "Eight clips of bouncing bodies",
        "value": {
            "dataset": "first",
            "items": [{"category": "rigid", "scene": "bounce", "clips": 8}],
            "frames": 24,
            "size": [128, 128],
        },
    }
}


@router.post(
    "",
    status_code=202,
    response_model=Job,
    responses={200: {"model": Estimate}, 202: LOCATION, 409: {}, 507: {}},
    dependencies=[Depends(needs("submit"))],
)
def create(
    body: Annotated[JobRequest, Body(openapi_examples=EXAMPLES)],
    database: Stored,
    control: Controlled,
    settings: Tuned,
    idempotency_key: Key = None,
    dry_run: bool = False,
) -> Response:
    """Take a job; with `dry_run`, only say what it would take.

    The same `Idempotency-Key` gives the same job, however often it is sent.
    """
    if dry_run:
        return JSONResponse(estimate_of(database, control, body).model_dump(mode="json"))
    taken = take(database, control, settings, body, idempotency_key)
    return JSONResponse(taken.body, status_code=taken.status, headers={"location": taken.location})


@router.get("", response_model=JobPage, dependencies=[Depends(needs("read"))])
def listed(
    database: Stored,
    secret: Secret,
    state: Annotated[JobState | None, Query()] = None,
    dataset: Filter = None,
    tag: Filter = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """List jobs, newest first."""
    with database.reading() as session:
        return as_json(job_page(session, secret, state=state, dataset=dataset, tag=tag, cursor=cursor, limit=limit))


@router.get("/{identity:word}", response_model=Job, responses=NOT_MODIFIED, dependencies=[Depends(needs("read"))])
def one(identity: Identity, request: Request, database: Stored) -> Response:
    """Tell how a job goes."""
    with database.reading() as session:
        job = find_job(session, identity)
        (told,) = described(session, [job])
    return with_etag(request, told)


@router.post("/{identity:word}:{action}", responses={409: {}}, dependencies=[Depends(needs("submit"))])
def acted(identity: Identity, action: Action, database: Stored, control: Controlled) -> Job:
    """Cancel, pause, resume or retry a job; what is committed stays in any case."""
    with database.writing() as session:
        job = find_job(session, identity)
        act(session, control.queue, job, action)
        (told,) = described(session, [job])
    control.janitor_soon()
    control.wake()
    return told


@router.get("/{identity}/clips", response_model=ClipPage, dependencies=[Depends(needs("read"))])
def clips(identity: Identity, database: Stored, secret: Secret, cursor: Cursor = None, limit: Limit = 100) -> Response:
    """List the clips that a job committed."""
    with database.reading() as session:
        find_job(session, identity)
        return as_json(clip_page(session, secret, {"job": identity}, cursor, limit))


@router.get("/{identity}/distribution", dependencies=[Depends(needs("read"))])
def distribution(identity: Identity, database: Stored) -> JobDistribution:
    """Tell how a job's clips and parameters are distributed: what was requested beside what was delivered."""
    with database.reading() as session:
        return distribution_of(session, find_job(session, identity))


@router.get("/{identity}/failures", dependencies=[Depends(needs("read"))])
def failures(identity: Identity, database: Stored) -> list[Failure]:
    """List the episodes that a job gave up, with reasons."""
    with database.reading() as session:
        find_job(session, identity)
        rows = session.scalars(
            select(FailureRow).where(FailureRow.job == identity).order_by(FailureRow.id).limit(10_000)
        )
        return [
            Failure(
                part=row.part, index=row.index, attempt=row.attempt, reason=row.reason, detail=row.detail, at=row.at
            )
            for row in rows
        ]
