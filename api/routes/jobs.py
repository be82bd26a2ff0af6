"""`/v1/jobs`: taken, listed, told, and acted upon."""

import hashlib
import json
import time
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response
from fastapi.openapi.models import Example
from fastapi.responses import JSONResponse
from sqlalchemy import Text, and_, cast, or_, select
from sqlalchemy.orm import Session

from api.clips import clip_page
from api.jobs import act, add_job, described, find_job, open_dataset_of
from api.paging import Cursor, Limit, as_json, decode_cursor, encode_cursor, with_etag
from api.problems import ProblemError, RequestError
from api.routes.dependencies import NOT_MODIFIED, Controlled, Filter, Identity, Secret, Stored, Tuned
from api.security import needs
from api.strict_json import StrictRoute
from api.tables import AssetSetRow, FailureRow, IdempotencyRow, JobRow, RateRow
from simfactory.protocol import ClipPage, Estimate, Failure, Job, JobPage, JobRequest, JobState, ProblemItem

if TYPE_CHECKING:
    from api.planner import Plan

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
STALE_SECONDS = 60.0  # after which an unanswered request counts as lost


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
    from api.estimate import estimate  # see api.app
    from api.templates import filled_in

    mine = None
    if not dry_run and idempotency_key is not None:
        digest = hashlib.sha256(filled_in(body).model_dump_json().encode()).hexdigest()
        known = _known(database, idempotency_key, digest)
        if isinstance(known, Response):
            return known
        mine = idempotency_key, known
    try:
        plan = _plan(database, body)
        if dry_run:
            with database.reading() as session:
                rates = session.scalars(select(RateRow)).all()
            return JSONResponse(estimate(plan, rates, workers=len(control.workers())).model_dump(mode="json"))
        open_dataset_of(plan, settings)
        with database.writing() as session:
            job = add_job(session, plan)
            (told,) = described(session, [job])
            location, answer = f"/v1/jobs/{job.id}", told.model_dump(mode="json")
            if mine is not None:
                kept = _kept(session, *mine)
                if kept is None:
                    detail = f"Idempotency-Key {mine[0]!r} was taken over: this took longer than {STALE_SECONDS:.0f} s"
                    raise ProblemError(409, detail)
                kept.status, kept.body, kept.location = 202, answer, location
    except BaseException:
        if mine is not None:
            with database.writing() as session:
                if (kept := _kept(session, *mine)) is not None:
                    session.delete(kept)  # nothing came of it: the key is free again
        raise
    control.dispatcher.remember(job.id, plan)
    control.wake()
    return JSONResponse(answer, status_code=202, headers={"location": location})


def _plan(database: Stored, body: JobRequest) -> "Plan":
    """Return the plan of a request that was checked.

    Raises:
        RequestError: It cannot be fulfilled.
    """
    from api.planner import Plan  # see api.app

    meshes = []
    if body.assets is not None:
        with database.reading() as session:
            row = session.get(AssetSetRow, body.assets)
        if row is None:
            detail = f"there is no asset set {body.assets!r}; POST /v1/assets makes one"
            raise RequestError("the request cannot be fulfilled", [ProblemItem(pointer="/assets", detail=detail)])
        meshes = row.meshes
    plan = Plan(body, meshes)
    plan.check_first()
    return plan


def _known(database: Stored, key: str, digest: str) -> Response | float:
    """Return the answer that a key has got; since when it is ours if it is new.

    Raises:
        ProblemError: Another request has the key (422), or this one is being answered (409).
    """
    with database.writing() as session:
        row = session.get(IdempotencyRow, key)
        if row is not None and row.status == 0 and time.time() - row.created > STALE_SECONDS:
            session.delete(row)
            session.flush()
            row = None
        if row is None:
            now = time.time()
            session.add(IdempotencyRow(key=key, digest=digest, status=0, body=None, location="", created=now))
            return now
        if row.digest != digest:
            raise ProblemError(422, f"Idempotency-Key {key!r} was used with another request: make a new one")
        if row.status == 0:
            detail = f"the request with Idempotency-Key {key!r} is being answered"
            raise ProblemError(409, detail, headers={"retry-after": "1"})
        return JSONResponse(row.body, status_code=row.status, headers={"location": row.location})


def _kept(session: Session, key: str, since: float) -> IdempotencyRow | None:
    """Return the row of a key; None if another request has it by now."""
    row = session.get(IdempotencyRow, key)
    return row if row is not None and row.created == since else None


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
    query = select(JobRow).order_by(JobRow.created.desc(), JobRow.id.desc())
    if state is not None:
        query = query.where(JobRow.state == state)
    if dataset is not None:
        query = query.where(JobRow.dataset == dataset)
    if cursor is not None:
        created, identity = decode_cursor(secret, "jobs", cursor)
        query = query.where(or_(JobRow.created < created, and_(JobRow.created == created, JobRow.id < identity)))
    if tag is not None:
        query = query.where(cast(JobRow.tags, Text).contains(json.dumps(tag), autoescape=True))
    with database.reading() as session:
        found = session.scalars(query.limit(limit + 1)).all()
        page = found[:limit]
        last = page[-1] if len(found) > limit else None
        following = None if last is None else encode_cursor(secret, "jobs", [last.created, last.id])
        return as_json(JobPage(items=described(session, page), next=following))


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
