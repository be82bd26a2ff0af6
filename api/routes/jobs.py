"""`/v1/jobs`: taken, listed, told, and acted upon."""

import hashlib
import json
import time
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import Text, and_, cast, or_, select

from api.clips import clip_page
from api.estimate import estimate
from api.jobs import act, add_job, described, find_job
from api.paging import Cursor, Limit, as_json, decode_cursor, encode_cursor, with_etag
from api.planner import Plan
from api.problems import ProblemError, RequestError
from api.routes.common import Controlled, Identity, Secret, Stored
from api.security import needs
from api.tables import AssetSetRow, FailureRow, IdempotencyRow, JobRow, RateRow
from api.templates import filled_in
from simfactory.protocol import ClipPage, Estimate, Failure, Job, JobPage, JobRequest, JobState, ProblemItem

__all__ = ["router"]

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$")]
Action = Literal["cancel", "pause", "resume", "retry"]
STALE_SECONDS = 60.0  # after which an unanswered request counts as lost


@router.post(
    "",
    status_code=202,
    response_model=Job,
    responses={200: {"model": Estimate}},
    dependencies=[Depends(needs("submit"))],
)
def create(
    body: JobRequest, database: Stored, control: Controlled, idempotency_key: Key = None, dry_run: bool = False
) -> Response:
    """Take a job; with `dry_run`, only say what it would take.

    The same `Idempotency-Key` gives the same job, however often it is sent.
    """
    request = filled_in(body)
    meshes = []
    if request.assets is not None:
        with database.reading() as session:
            row = session.get(AssetSetRow, request.assets)
        if row is None:
            item = ProblemItem(
                pointer="/assets", detail=f"there is no asset set {request.assets!r}; POST /v1/assets makes one"
            )
            raise RequestError("the request cannot be fulfilled", [item])
        meshes = row.meshes
    if not dry_run and idempotency_key is not None:
        digest = hashlib.sha256(json.dumps(body.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()
        answer = _known(database, idempotency_key, digest)
        if answer is not None:
            return answer
    try:
        plan = Plan(request, meshes)
        plan.check_first()
        if dry_run:
            with database.reading() as session:
                rates = session.scalars(select(RateRow)).all()
            return JSONResponse(estimate(plan, rates, workers=len(control.queue.workers())).model_dump(mode="json"))
        with database.writing() as session:
            job = add_job(session, request, plan)
            (told,) = described(session, [job])
            location = f"/v1/jobs/{job.id}"
            if idempotency_key is not None:
                kept = session.get(IdempotencyRow, idempotency_key)
                if kept is not None:
                    kept.status, kept.body, kept.location = 202, told.model_dump(mode="json"), location
    except BaseException:
        if not dry_run and idempotency_key is not None:
            with database.writing() as session:
                kept = session.get(IdempotencyRow, idempotency_key)
                if kept is not None and kept.status == 0:
                    session.delete(kept)
        raise
    control.dispatcher.remember(job.id, plan)
    control.wake()
    return JSONResponse(told.model_dump(mode="json"), status_code=202, headers={"location": location})


def _known(database: Stored, key: str, digest: str) -> Response | None:
    """Return the answer that a key has got; None if it is new, and ours from now on.

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
            session.add(IdempotencyRow(key=key, digest=digest, status=0, body=None, location="", created=time.time()))
            return None
        if row.digest != digest:
            raise ProblemError(422, f"Idempotency-Key {key!r} was used with another request: make a new one")
        if row.status == 0:
            raise ProblemError(
                409, f"the request with Idempotency-Key {key!r} is being answered", headers={"retry-after": "1"}
            )
        return JSONResponse(row.body, status_code=row.status, headers={"location": row.location})


@router.get("", response_model=JobPage, dependencies=[Depends(needs("read"))])
def listed(
    database: Stored,
    secret: Secret,
    state: Annotated[JobState | None, Query()] = None,
    dataset: Annotated[str | None, Query(max_length=64)] = None,
    tag: Annotated[str | None, Query(max_length=64)] = None,
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


@router.get("/{identity}", response_model=Job, dependencies=[Depends(needs("read"))])
def one(identity: Identity, request: Request, database: Stored) -> Response:
    """Tell how a job goes."""
    with database.reading() as session:
        job = find_job(session, identity)
        (told,) = described(session, [job])
    return with_etag(request, told, f"{job.id} {job.version} {told.progress.in_flight} {told.progress.clips_per_hour}")


@router.post("/{identity}:{action}", dependencies=[Depends(needs("submit"))])
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
