"""What can be done with jobs: taken, paused, resumed, cancelled, retried, described."""

import json
import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Text, cast, delete, func, literal, select, tuple_
from sqlalchemy.orm import Session, defer

from api.database import EventKind, new_id, note
from api.dispatch import take_back_queued
from api.distribution import add_distribution
from api.ledger import settle_job
from api.paging import decode_cursor, encode_cursor
from api.problems import ProblemError
from api.settings import Settings
from api.tables import DatasetRow, FailureRow, JobRow, ReplacementRow, ShardRow
from simfactory.errors import StoreError
from simfactory.protocol import Job, JobPage, JobProgress, JobRequest
from simfactory.queue import ShardQueue
from simfactory.store import create_dataset, open_folder, record_run

if TYPE_CHECKING:
    from api.planner import Plan

__all__ = ["ACTIONS", "STATES", "act", "add_job", "described", "find_job", "job_page", "open_dataset_of"]

ACTIONS = ("cancel", "pause", "resume", "retry")
ENDED = ("completed", "cancelled", "failed")
STATES = {
    "cancel": ("running", "paused", "cancelled"),
    "pause": ("running", "paused"),
    "resume": ("running", "paused"),
    "retry": ("completed", "failed", "running", "paused"),
}
DONE: dict[str, EventKind] = {"cancel": "cancelled", "pause": "paused", "resume": "resumed", "retry": "retried"}


def open_dataset_of(plan: "Plan", settings: Settings) -> None:
    """Make the dataset of a job if it is missing, and have it remember the job.

    Raises:
        ProblemError: It has another profile (409).
        SimfactoryError: It shares episodes out otherwise, or cannot be written.
    """
    request = plan.request
    place = settings.data / request.dataset
    try:
        profile = open_folder(place).profile
    except StoreError:
        profile = request.profile or "portable"
    if request.profile not in (None, profile):
        raise ProblemError(409, f"dataset {request.dataset!r} has profile {profile!r}, not {request.profile!r}")
    dataset = create_dataset(place, profile=profile)
    record_run(dataset, plan.record())


def add_job(session: Session, plan: "Plan") -> JobRow:
    """Enter a job.

    Raises:
        ProblemError: Its dataset has another profile.
    """
    request = plan.request
    dataset = session.get(DatasetRow, request.dataset)
    if dataset is not None and request.profile not in (None, dataset.profile):
        raise ProblemError(409, f"dataset {request.dataset!r} has profile {dataset.profile!r}, not {request.profile!r}")
    profile = dataset.profile if dataset is not None else request.profile or "portable"
    now = time.time()
    if dataset is None:
        session.add(
            DatasetRow(
                name=request.dataset, profile=profile, created=now, clips=0, frames=0, bytes=0, categories={}, splits={}
            )
        )
    job = JobRow(
        id=new_id("j"),
        name=request.name,
        state="running",
        reason="",
        priority=request.priority,
        backend=request.backend,
        dataset=request.dataset,
        request=request.model_copy(update={"profile": profile}).model_dump(mode="json"),
        tags=[*request.tags],
        parts=[[part.units, part.clips] for part in plan.parts],
        part=0,
        index=0,
        planned=False,
        clips_wanted=sum(part.clips for part in plan.parts),
        clips_done=0,
        frames=0,
        bytes=0,
        replaced=0,
        failed=0,
        reasons={},
        trials={},
        created=now,
        version=0,
    )
    session.add(job)
    add_distribution(session, job, plan)
    note(session, "created", job.id, clips=job.clips_wanted)
    return job


def find_job(session: Session, identity: str) -> JobRow:
    """Return a job.

    Raises:
        ProblemError: There is none.
    """
    job = session.get(JobRow, identity)
    if job is None:
        raise ProblemError(404, f"there is no job {identity!r}; GET /v1/jobs lists them")
    return job


def act(session: Session, queue: ShardQueue, job: JobRow, action: str) -> None:
    """Cancel, pause, resume or retry a job; doing so twice changes nothing more.

    Raises:
        ProblemError: The job is in a state in which this means nothing.
    """
    allowed = STATES[action]
    if job.state not in allowed:
        raise ProblemError(409, f"job {job.id} is {job.state}: {action} is for jobs that are {' or '.join(allowed)}")
    before = job.state
    match action:
        case "cancel":
            job.state, job.reason = "cancelled", "by request"
            job.finished = job.finished or time.time()
            take_back_queued(session, queue, job)
            session.flush()
            session.execute(delete(ReplacementRow).where(ReplacementRow.job == job.id))
        case "pause":
            job.state, job.reason = "paused", "by request"
            take_back_queued(session, queue, job)
        case "resume":
            job.state, job.reason = "running", ""
        case _:
            rows = session.scalars(select(FailureRow).where(FailureRow.job == job.id)).all()
            for row in rows:
                alone = row.reason == "quarantined"  # it took workers with it
                session.add(
                    ReplacementRow(job=job.id, part=row.part, index=row.index, attempt=row.attempt, alone=alone)
                )
                session.delete(row)
            job.trials, job.failed = {}, job.failed - len(rows)
            if (rows or job.state == "failed") and job.state in ENDED:
                job.state, job.reason, job.finished = "running", "", None
    session.flush()
    settle_job(session, job)
    if job.state != before or action == "retry":
        job.version += 1
        note(session, DONE[action], job.id)


def job_page(
    session: Session,
    secret: bytes,
    *,
    state: str | None = None,
    dataset: str | None = None,
    tag: str | None = None,
    cursor: str | None = None,
    limit: int,
) -> JobPage:
    """Return jobs, newest first: those of a state, dataset or tag, from a cursor on."""
    query = select(JobRow).order_by(JobRow.created.desc(), JobRow.id.desc())
    if state is not None:
        query = query.where(JobRow.state == state)
    if dataset is not None:
        query = query.where(JobRow.dataset == dataset)
    if cursor is not None:
        created, identity = decode_cursor(secret, "jobs", cursor)
        query = query.where(tuple_(JobRow.created, JobRow.id) < tuple_(literal(created), literal(identity)))
    if tag is not None:
        query = query.where(cast(JobRow.tags, Text).contains(json.dumps(tag), autoescape=True))
    few = query.options(defer(JobRow.parts), defer(JobRow.trials))  # which may be long
    found = session.scalars(few.limit(limit + 1)).all()
    page = found[:limit]
    last = page[-1] if len(found) > limit else None
    following = None if last is None else encode_cursor(secret, "jobs", [last.created, last.id])
    return JobPage(items=described(session, page), next=following)


def described(session: Session, jobs: Sequence[JobRow]) -> list[Job]:
    """Return jobs as they are told."""
    ids = [job.id for job in jobs]
    counts = select(ShardRow.job, func.count()).where(ShardRow.job.in_(ids)).group_by(ShardRow.job)
    out = {row[0]: row[1] for row in session.execute(counts)}
    return [_described(job, out.get(job.id, 0)) for job in jobs]


def _described(job: JobRow, in_flight: int) -> Job:
    rate, eta, interval = _pace(job)
    return Job.model_validate(
        {
            "id": job.id,
            "state": job.state,
            "reason": job.reason,
            "request": {name: value for name, value in job.request.items() if name in JobRequest.model_fields},
            "created": job.created,
            "finished": job.finished,
            "progress": JobProgress(
                clips_wanted=job.clips_wanted,
                clips_done=job.clips_done,
                frames=job.frames,
                bytes=job.bytes,
                replaced=job.replaced,
                reasons=job.reasons,
                failed=job.failed,
                in_flight=in_flight,
                clips_per_hour=rate,
                eta_seconds=eta,
                eta_interval=interval,
            ),
        }
    )


def _pace(job: JobRow) -> tuple[float | None, float | None, list[float] | None]:
    """Return the rate [clips/h], the time to the end [s] and its interval, from what is done so far.

    Clips come as a Poisson process in the interval's reckoning: two standard deviations of a count.
    """
    if job.started is None or job.clips_done < 1:
        return None, None, None
    elapsed = max((job.finished or time.time()) - job.created, 1e-3)
    rate = job.clips_done / elapsed
    if job.state != "running":
        return round(3600.0 * rate, 1), None, None
    left = max(job.clips_wanted - job.clips_done, 0)
    spread = 2.0 / math.sqrt(job.clips_done)
    high = left / rate / max(1.0 - spread, 0.1)
    return round(3600.0 * rate, 1), round(left / rate, 1), [round(left / rate / (1.0 + spread), 1), round(high, 1)]
