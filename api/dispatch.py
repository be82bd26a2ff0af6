"""Hands a job's episodes out, a bounded number of shards ahead of the workers, and again where workers were lost."""

import logging
import time
from collections import OrderedDict
from collections.abc import Sequence
from threading import Event, Lock
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from api.database import Database, new_id, note
from api.distribution import Places, Spans, count_requested, keep_places, places_of, requested_spans, unit_name
from api.ledger import give_up, replacement, settle_job
from api.settings import Settings
from api.tables import AssetSetRow, DistributionRow, JobRow, ReplacementRow, ShardRow
from simfactory.errors import SimfactoryError
from simfactory.protocol import JobRequest
from simfactory.queue import PRIORITIES, Shard, ShardQueue, Unit, queue_name

if TYPE_CHECKING:
    from api.planner import Plan

__all__ = ["Dispatcher", "take_back_queued"]

logger = logging.getLogger(__name__)

UNITS_MAX = 16  # of a shard
SHARES = 8  # a job has at least so many shards, if it has as many episodes
PLANS_KEPT = 32
# What a request raises that was taken once and means nothing any more: to another version, say.
UNPLANNABLE = (SimfactoryError, ValueError, LookupError, TypeError)
Key = tuple[int, int, int]


class Dispatcher:
    """Fills the queue.

    Args:
        database: State of record.
        queue: The queue.
        settings: How far ahead.

    Attributes:
        stopping: Once it is set, nothing more is handed out.
    """

    def __init__(self, database: Database, queue: ShardQueue, settings: Settings) -> None:
        self._database, self._queue, self._settings = database, queue, settings
        self._plans: OrderedDict[str, "Plan"] = OrderedDict()
        self._lock = Lock()
        self.stopping = Event()

    def plan(self, job: JobRow) -> "Plan":
        """Return the plan of a job."""
        from api.planner import Plan  # see api.app

        with self._lock:
            if job.id in self._plans:
                self._plans.move_to_end(job.id)
                return self._plans[job.id]
        request = JobRequest.model_validate(job.request)
        meshes = []
        if request.assets is not None:
            with self._database.reading() as session:
                row = session.get(AssetSetRow, request.assets)
                meshes = [] if row is None else row.meshes
        return self.remember(job.id, Plan(request, meshes))

    def remember(self, job: str, plan: "Plan") -> "Plan":
        """Keep a plan that was made already."""
        with self._lock:
            self._plans[job] = plan
            while len(self._plans) > PLANS_KEPT:
                self._plans.popitem(last=False)
        return plan

    def fill(self) -> int:
        """Queue shards for every running job that has room for more; return how many."""
        with self._database.reading() as session:
            again = select(ReplacementRow.job)
            has_more = or_(JobRow.planned.is_(False), JobRow.id.in_(again))
            query = select(JobRow).where(JobRow.state == "running", has_more).order_by(JobRow.created)
            jobs = session.scalars(query).all()
            out = dict(session.execute(select(ShardRow.job, func.count()).group_by(ShardRow.job)).all())
        # So many wait beside those that are worked on: else many workers would wait for a job's next shard.
        ahead = self._settings.backlog + self._queue.worker_count()
        count = 0
        for job in sorted(jobs, key=lambda job: PRIORITIES.index(job.priority)):
            try:
                room = min(ahead, job.request["max_workers"] or ahead)
                room -= out.get(job.id, 0)
                while room > 0 and not self.stopping.is_set() and self._hand_out(job.id):
                    room -= 1
                    count += 1
            except UNPLANNABLE as error:
                self._fail(job.id, error)
        return count

    def push(self, job: JobRow, shard: ShardRow, *, at_front: bool = False) -> None:
        """Queue a shard, sampled anew from its numbers."""
        units = []
        try:
            plan = self.plan(job)
            for part, index, attempt in shard.units:
                specs = tuple(spec.model_dump(mode="json") for spec in plan.units(part, index, attempt))
                units.append(Unit(part, index, attempt, specs))
        except UNPLANNABLE as error:
            self._fail(job.id, error)
            return
        self._queue.push(self._shard(job, shard.id, units, alone=shard.alone), job.priority, at_front=at_front)

    def _fail(self, identity: str, error: Exception) -> None:
        """Have a job fail that cannot be planned (any more): one bad job must not stop the others."""
        logger.error("job %s cannot be planned: %s", identity, error, extra={"job": identity})
        with self._database.writing() as session:
            job = session.get(JobRow, identity, with_for_update=True)
            if job is not None and job.state == "running":
                job.state, job.finished = "failed", time.time()
                job.reason = f"it cannot be planned: {type(error).__name__}: {error}"[:2000]
                job.version += 1
                note(session, "job_failed", identity, reason=job.reason)

    def _hand_out(self, identity: str) -> bool:
        """Queue one more shard of a job; False if there is nothing to hand out."""
        with self._database.reading() as session:
            job = session.get(JobRow, identity)
            if job is None or job.state != "running":
                return False
            rows = self._waiting(session, job)
            kept = session.get(DistributionRow, identity)
        size = self._size(job)
        alone = bool(rows) and rows[0].alone
        if rows:
            rows = rows[:1] if alone else [row for row in rows if not row.alone][:size]
            wanted = [(row.part, row.index, row.attempt) for row in rows]
            part, index = job.part, job.index
        else:
            wanted, part, index = self._following(job, size)
        if job.planned and not wanted:
            return False
        units, lost, places = self._sampled(job, wanted, None if kept is None else kept.spans)
        shard = self._shard(job, new_id("s"), units, alone=alone)
        with self._database.writing() as session:
            current = session.get(JobRow, identity, with_for_update=True)
            if current is None or current.state != "running" or (current.part, current.index) != (job.part, job.index):
                return False
            current.part, current.index = part, index
            current.planned = part >= len(current.parts)
            if rows:
                session.execute(delete(ReplacementRow).where(ReplacementRow.id.in_([row.id for row in rows])))
            for key, detail in lost:
                give_up(session, current, key, "sampling", detail)
            if units:
                name = queue_name(job.backend, job.priority)
                keys = [list(unit.key) for unit in units]
                session.add(ShardRow(id=shard.id, job=job.id, queue=name, units=keys, alone=alone, created=time.time()))
                keep_places(session, shard.id, places)
                if not rows:
                    count_requested(session, current, list(places.values()))
            current.version += 1
            settle_job(session, current)
        if units:
            self._queue.push(shard, job.priority)
            self._take_back_if_stopped(identity)
        return bool(units or lost)

    def _take_back_if_stopped(self, identity: str) -> None:
        """Take back what was queued while its job was paused or cancelled."""
        with self._database.reading() as session:
            state = session.scalar(select(JobRow.state).where(JobRow.id == identity))
        if state in ("paused", "cancelled"):
            with self._database.writing() as session:
                job = session.get(JobRow, identity, with_for_update=True)
                if job is not None and job.state == state:
                    take_back_queued(session, self._queue, job)

    def _waiting(self, session: Session, job: JobRow) -> Sequence[ReplacementRow]:
        """Return what is to be tried again; what took workers with it only when all else is done."""
        query = select(ReplacementRow).where(ReplacementRow.job == job.id).order_by(ReplacementRow.id).limit(UNITS_MAX)
        rows = session.scalars(query.where(~ReplacementRow.last)).all()
        if rows or not job.planned:
            return rows
        if session.scalar(select(ShardRow.id).where(ShardRow.job == job.id).limit(1)) is not None:
            return []
        return session.scalars(query.limit(1)).all()

    def _size(self, job: JobRow) -> int:
        total = sum(int(part[0]) for part in job.parts)
        return max(1, min(UNITS_MAX, total // SHARES))

    def _following(self, job: JobRow, size: int) -> tuple[list[Key], int, int]:
        """Return the numbers of the next first attempts, and where it goes on after them."""
        part, index, wanted = job.part, job.index, list[Key]()
        while part < len(job.parts) and len(wanted) < size:
            if index >= job.parts[part][0]:
                part, index = part + 1, 0
                continue
            wanted.append((part, index, 0))
            index += 1
        while part < len(job.parts) and index >= job.parts[part][0]:
            part, index = part + 1, 0
        return wanted, part, index

    def _sampled(
        self, job: JobRow, wanted: Sequence[Key], spans: Spans | None
    ) -> tuple[list[Unit], list[tuple[Key, str]], dict[str, Places]]:
        """Return units with their specs, those that cannot be sampled, with the reason, and the bins of values."""
        units, lost, places = list[Unit](), list[tuple[Key, str]](), dict[str, Places]()
        plan = self.plan(job)
        spans = requested_spans(plan.request) if spans is None else spans
        for key in wanted:
            try:
                specs = plan.units(*key)
                units.append(Unit(*key, tuple(spec.model_dump(mode="json") for spec in specs)))
                places[unit_name(key)] = places_of(specs, spans)
            except SimfactoryError as error:
                lost.append((key, str(error)))
        return units, lost, places

    def _shard(self, job: JobRow, identity: str, units: Sequence[Unit], *, alone: bool) -> Shard:
        return Shard(
            id=identity,
            job=job.id,
            dataset=job.dataset,
            profile=job.request["profile"],
            backend=job.backend,
            preset=job.request["preset"],
            alone=alone,
            units=tuple(units),
        )


def take_back_queued(session: Session, queue: ShardQueue, job: JobRow) -> None:
    """Take a job's waiting shards out of the queue; those that are worked on are left to their workers."""
    waiting = {shard for shards in queue.queued([queue_name(job.backend, job.priority)]).values() for shard in shards}
    for row in session.scalars(select(ShardRow).where(ShardRow.job == job.id)).all():
        if row.id not in waiting:
            continue
        queue.drop(row.id, row.queue)
        for part, index, attempt in row.units if job.state != "cancelled" else ():
            session.add(replacement(job, (part, index, attempt)))
        session.delete(row)
