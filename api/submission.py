"""How a request becomes a job, by whichever door it came: checked, estimated, entered, and once per key."""

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.control import Control
from api.database import Database
from api.jobs import add_job, described, open_dataset_of
from api.problems import ProblemError, RequestError
from api.settings import Settings
from api.tables import AssetSetRow, IdempotencyRow, RateRow
from simfactory.protocol import Estimate, JobRequest, ProblemItem

if TYPE_CHECKING:
    from api.planner import Plan

__all__ = ["Taken", "estimate_of", "plan_of", "take"]

STALE_SECONDS = 60.0  # after which an unanswered request counts as lost


@dataclass(frozen=True, slots=True)
class Taken:
    """A job that was taken: what is told of it, and where.

    Attributes:
        body: The job, as JSON.
        location: Its address.
        status: HTTP status.
    """

    body: dict[str, Any] | None  # Any: JSON
    location: str
    status: int = 202


def estimate_of(database: Database, control: Control, body: JobRequest) -> Estimate:
    """Return what a request would take, checked as though it were a job.

    Raises:
        RequestError: It cannot be fulfilled.
    """
    from api.estimate import estimate  # see api.app

    plan = plan_of(database, body)
    with database.reading() as session:
        rates = session.scalars(select(RateRow)).all()
    return estimate(plan, rates, workers=len(control.workers()))


def take(database: Database, control: Control, settings: Settings, body: JobRequest, key: str | None) -> Taken:
    """Take a job; the same key gives the same job, however often it is sent.

    Raises:
        RequestError: It cannot be fulfilled.
        ProblemError: The key belongs to another request (422), or to one that is being answered (409).
    """
    from api.templates import filled_in  # see api.app

    mine = None
    if key is not None:
        digest = hashlib.sha256(filled_in(body).model_dump_json().encode()).hexdigest()
        known = _known(database, key, digest)
        if isinstance(known, Taken):
            return known
        mine = key, known
    try:
        plan = plan_of(database, body)
        open_dataset_of(plan, settings)
        with database.writing() as session:
            job = add_job(session, plan)
            (told,) = described(session, [job])
            taken = Taken(told.model_dump(mode="json"), f"/v1/jobs/{job.id}")
            if mine is not None:
                kept = _kept(session, *mine)
                if kept is None:
                    detail = f"Idempotency-Key {mine[0]!r} was taken over: this took longer than {STALE_SECONDS:.0f} s"
                    raise ProblemError(409, detail)
                kept.status, kept.body, kept.location = taken.status, taken.body, taken.location
    except BaseException:
        if mine is not None:
            with database.writing() as session:
                if (kept := _kept(session, *mine)) is not None:
                    session.delete(kept)  # nothing came of it: the key is free again
        raise
    control.dispatcher.remember(job.id, plan)
    control.wake()
    return taken


def plan_of(database: Database, body: JobRequest) -> "Plan":
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


def _known(database: Database, key: str, digest: str) -> Taken | float:
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
        return Taken(row.body, row.location, row.status)


def _kept(session: Session, key: str, since: float) -> IdempotencyRow | None:
    """Return the row of a key; None if another request has it by now."""
    row = session.get(IdempotencyRow, key)
    return row if row is not None and row.created == since else None
