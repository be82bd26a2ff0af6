"""The control plane at work: reads what workers report, hands out episodes, and notices who is lost.

Four threads. None keeps anything that is not in the database or can be read again: when this process dies, the next
one goes on.
"""

import logging
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import delete, func, select
from sqlalchemy.exc import DBAPIError, OperationalError, StatementError
from sqlalchemy.orm import Session

from api.database import Database, note, trim_events
from api.dispatch import Dispatcher
from api.ledger import apply_result, hand_back
from api.settings import Settings
from api.tables import IdempotencyRow, JobRow, MetaRow, ShardRow
from api.telemetry import SAMPLE_SECONDS, History
from api.viewing import View
from simfactory import catalog
from simfactory.protocol import Worker
from simfactory.queue import AWAY, ShardQueue, connect
from simfactory.store import open_folder

__all__ = ["Control"]

logger = logging.getLogger(__name__)

READ_SECONDS = 1.0
FILL_SECONDS = 0.5
JANITOR_SECONDS = 2.0
BATCH = 512  # results a transaction
DISK = "disk: "
SWEEP_SECONDS = 600.0
KEYS_SECONDS = 86_400.0  # for which an idempotency key gives the same answer


class Control:
    """Runs the control plane's threads.

    Args:
        database: State of record.
        settings: Settings.

    Attributes:
        queue: The queue.
        dispatcher: Hands episodes out.
        counts: What happened since the start, for metrics.
        history: The figures of the last hour.
        view: What workers tell, for many eyes.
        health: What is wrong, by part; empty = nothing.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database, self._settings = database, settings
        self.queue = ShardQueue(connect(settings.redis))
        self.dispatcher = Dispatcher(database, self.queue, settings)
        self.counts: Counter[str] = Counter()
        self.history = History(settings)
        self.view = View(self.queue, self.workers)
        self.health: dict[str, str] = {}
        self._stop = threading.Event()
        self._wake, self._soon = threading.Event(), threading.Event()
        self._reading = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._leases: dict[str, tuple[int, float]] = {}  # shard → heartbeat, and when it was first seen
        self._workers: dict[str, tuple[int, float]] = {}
        self._missing: dict[str, float] = {}
        self._sweep_due = 0.0
        self._listed: dict[str, int] = {}  # dataset → clips when its catalogue was last written

    def start(self) -> None:
        """Start the threads."""
        reader = ShardQueue(connect(self._settings.redis))
        loops = {
            "results": lambda: self.read(reader, block=READ_SECONDS),
            "dispatch": self._fill,
            "janitor": self._look_round,
            "telemetry": self._observe,
        }
        for name, loop in loops.items():
            thread = threading.Thread(target=self._repeat, args=(name, loop), name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """End the threads."""
        self._stop.set()
        self.dispatcher.stopping.set()
        self._wake.set()
        self._soon.set()
        for thread in self._threads:
            thread.join(10.0)

    def workers(self) -> list[Worker]:
        """Return the workers that report; none while the queue's server is away."""
        try:
            return _workers(self.queue.workers())
        except AWAY:
            return []

    def parts(self, dataset: str, clips: int) -> list[str]:
        """Return the names of a dataset's catalogue parts, after those that are missing were written."""
        folder = open_folder(self._settings.data / dataset)
        if self._listed.get(dataset) != clips:
            catalog.update(folder)
            self._listed[dataset] = clips
        return list(folder.volume.names("catalog"))

    def wake(self) -> None:
        """Look at once whether there is something to hand out."""
        self._wake.set()

    def _repeat(self, name: str, loop: Callable[[], None]) -> None:
        while not self._stop.is_set():
            try:
                loop()
                self.health.pop(name, None)
            except AWAY as error:
                self.health[name] = f"the queue's server is away: {error}"
                self._stop.wait(0.5)
            except Exception as error:  # one bad round must not end the service: it is logged, shown, and tried again
                logger.exception("%s", name)
                self.health[name] = f"{type(error).__name__}: {error}"
                self._stop.wait(1.0)

    # ── results ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def read(self, queue: ShardQueue, *, block: float | None = None) -> int:
        """Enter the next results, and the place they came from, in one transaction; return how many."""
        if block is not None and not queue.results(self._position(queue), count=1, block=block):
            return 0  # nothing new; nobody else was kept from reading meanwhile
        with self._reading:
            position = self._position(queue)
            found = queue.results(position, count=BATCH)
            if not found:
                return 0
            counts: Counter[str] = Counter()
            with self._database.writing() as session:
                for _, message in found:
                    _enter(session, message, counts)
                row = session.get(MetaRow, "results")
                if row is None:
                    row = MetaRow(key="results", value="")
                    session.add(row)
                row.value = found[-1][0]
                trim_events(session)
            self.counts.update(counts)
            queue.cut_results(found[-1][0])
            queue.forget(self._done([message for _, message in found]))
        self._wake.set()
        return len(found)

    def _position(self, queue: ShardQueue) -> str:
        """Return where reading goes on; at the start where the stream is younger than that."""
        with self._database.reading() as session:
            row = session.get(MetaRow, "results")
        if row is None or _parts(queue.newest_result()) < _parts(row.value):
            return "0-0"
        return row.value

    def _done(self, messages: Sequence[Mapping[str, Any]]) -> set[str]:  # Any: JSON
        """Return the shards of results that are no longer out."""
        shards = {str(message["shard"]) for message in messages if "shard" in message}
        with self._database.reading() as session:
            return shards - set(session.scalars(select(ShardRow.id).where(ShardRow.id.in_(shards))))

    # ── handing out ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _fill(self) -> None:
        self._wake.wait(FILL_SECONDS)
        self._wake.clear()
        if not self._stop.is_set():
            self.dispatcher.fill()

    # ── figures ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _observe(self) -> None:
        self.observe()
        self._stop.wait(SAMPLE_SECONDS)

    def observe(self) -> None:
        """Take a sample of all figures."""
        with self._database.reading() as session:
            out = dict(session.execute(select(ShardRow.queue, func.count()).group_by(ShardRow.queue)).all())
            jobs = session.scalar(select(func.count()).select_from(JobRow).where(JobRow.state == "running")) or 0
        try:
            self.queue.connection.ping()  # while its server is away nobody knows: that is no zero
            waiting: int | None = sum(self.queue.depth(out).values())
            workers: list[Worker] | None = self.view.workers()
        except AWAY:
            waiting, workers = None, None
        counts = dict(self.counts)  # a copy: other threads go on counting
        self.history.observe(counts, workers, waiting=waiting, out=sum(out.values()), jobs=jobs)

    # ── who is lost ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _look_round(self) -> None:
        self.janitor()
        self._soon.wait(min(JANITOR_SECONDS, self._settings.lease / 3.0))
        self._soon.clear()

    def janitor_soon(self) -> None:
        """Tell workers soon what is stopped."""
        self._soon.set()

    def janitor(self) -> None:
        """Take back what dead workers had, queue again what is nowhere, pause for a full disk, say who is to stop."""
        now = time.monotonic()
        self.queue.greet()
        leases = self.queue.leases()
        dead = self._silent(self._leases, {shard: lease["beat"] for shard, lease in leases.items()}, now)
        for shard in dead:
            self._take_back(shard, str(leases[shard]["worker"]))
            leases.pop(shard)
        workers = self.queue.workers()
        for name in self._silent(self._workers, {name: worker["count"] for name, worker in workers.items()}, now):
            self.queue.forget_worker(name)
            with self._database.writing() as session:
                note(session, "worker_lost", worker=name)
        self._queue_missing(set(leases), now)
        self._watch_disk()
        with self._database.reading() as session:
            stopped = session.scalars(
                select(JobRow.id)
                .where(JobRow.state.in_(("paused", "cancelled")))
                .order_by(JobRow.created.desc())
                .limit(1000)
            ).all()
        self.queue.set_stopped(stopped)
        if now > self._sweep_due:
            self._sweep_due = now + SWEEP_SECONDS
            with self._database.writing() as session:
                session.execute(delete(IdempotencyRow).where(IdempotencyRow.created < time.time() - KEYS_SECONDS))

    def _silent(self, seen: dict[str, tuple[int, float]], beats: dict[str, int], now: float) -> list[str]:
        """Return those whose heartbeat has not changed for a lease."""
        for name in seen.keys() - beats.keys():
            del seen[name]
        for name, beat in beats.items():
            if name not in seen or seen[name][0] != beat:
                seen[name] = beat, now
        return [name for name, (_, since) in seen.items() if now - since > self._settings.lease]

    def _take_back(self, identity: str, worker: str) -> None:
        """Take a shard back from a worker that is dead."""
        begun = self.queue.begun(identity)
        while self.read(self.queue):  # what it said before it died
            pass
        with self._database.writing() as session:
            shard = session.get(ShardRow, identity)
            job = None if shard is None else session.get(JobRow, shard.job, with_for_update=True)
            if shard is not None and job is not None:
                self.counts["leases_expired"] += 1
                note(session, "lease_expired", job.id, shard=identity, worker=worker)
                open_units = {tuple(key) for key in shard.units}
                suspects = [key for key in begun if key in open_units]
                detail = f"worker {worker} died with it"
                hand_back(session, job, shard, suspects, detail=detail, crashed=True)
            name = "" if shard is None else shard.queue
        self.queue.drop(identity, name or "sf-none")
        self._wake.set()

    def _queue_missing(self, leased: set[str], now: float) -> None:
        """Queue again what neither waits nor is worked on."""
        with self._database.reading() as session:
            queues = {row.id: row.queue for row in session.execute(select(ShardRow.id, ShardRow.queue))}
        waiting = {shard for shards in self.queue.queued(set(queues.values())).values() for shard in shards}
        missing = queues.keys() - waiting - leased
        self._missing = {shard: self._missing.get(shard, now) for shard in missing}
        for shard, since in list(self._missing.items()):
            if now - since <= self._settings.lease:
                continue
            with self._database.reading() as session:
                row = session.get(ShardRow, shard)
                job = None if row is None else session.get(JobRow, row.job)
            if row is not None and job is not None:
                if job.state == "running":
                    self.dispatcher.push(job, row, at_front=True)
                    self.counts["requeued"] += 1
                else:
                    with self._database.writing() as session:
                        found = session.get(ShardRow, shard)
                        owner = session.get(JobRow, row.job)
                        if found is not None and owner is not None:
                            hand_back(session, owner, found, [], detail="", crashed=False)
            del self._missing[shard]

    def _watch_disk(self) -> None:
        """Pause all jobs while the disk is full, and resume those that were paused for that."""
        if not isinstance(self._settings.data, Path):
            return  # an object store has room
        self._settings.data.mkdir(parents=True, exist_ok=True)
        free, reserve = shutil.disk_usage(self._settings.data).free, self._settings.disk_reserve
        full = free < reserve
        with self._database.writing() as session:
            state = "running" if full else "paused"
            for job in session.scalars(select(JobRow).where(JobRow.state == state)).all():
                if full:
                    reason = f"{DISK}{free >> 20} MB are free, {reserve >> 20} MB shall stay so; room lets it go on"
                    job.state, job.reason = "paused", reason
                    note(session, "paused", job.id, reason=reason)
                elif job.reason.startswith(DISK):
                    job.state, job.reason = "running", ""
                    note(session, "resumed", job.id)
                else:
                    continue
                job.version += 1
        if full:
            self.health["disk"] = f"{free >> 20} MB free"
        else:
            self.health.pop("disk", None)


def _workers(told: Mapping[str, Mapping[str, Any]]) -> list[Worker]:  # Any: JSON
    """Return the workers among what reports; one that writes nonsense does not hide the others."""
    known, found = Worker.model_fields.keys(), []
    for values in told.values():
        if "name" not in values or "since" not in values:
            continue  # its heartbeat has begun, itself not yet
        try:
            found.append(Worker.model_validate({name: value for name, value in values.items() if name in known}))
        except ValidationError as error:
            logger.warning(
                "what worker %.100r tells makes no sense: %s", values["name"], error, extra={"worker": values["name"]}
            )
    return sorted(found, key=lambda worker: worker.name)


def _enter(session: Session, message: dict[str, Any], counts: Counter[str]) -> None:  # Any: JSON
    """Enter a report and count it; one that makes no sense is noted instead: it must not stop those behind it."""
    try:
        with session.begin_nested():
            counted = _counted(message)
            apply_result(session, message)
            session.flush()
        counts.update(counted)
    except (LookupError, TypeError, ValueError, AttributeError, StatementError) as error:
        if isinstance(error, OperationalError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
            raise  # the database is to blame, not the report
        logger.error("a report cannot be entered: %s", error)
        note(session, "refused", detail=f"a report cannot be entered: {type(error).__name__}")


def _counted(message: dict[str, Any]) -> Counter[str]:  # Any: JSON
    """Return what a report adds to the metrics."""
    if message["kind"] != "unit":
        return Counter([str(message["kind"])])
    counts: Counter[str] = Counter()
    clips = message["clips"]
    for reason in message["reasons"] or [""]:
        counts[f"clips_by.{message['backend']}|{message['status']}|{reason}"] += len(clips) or 1
    counts["steps"] += message["steps"]
    counts["frames"] += sum(clip["frame_count"] for clip in clips)
    counts["bytes"] += sum(clip["bytes"] for clip in clips)
    counts["known"] += len(clips) - message["added"]
    for stage, seconds in message["stages"].items():
        counts[f"stage.{stage}"] += seconds
    return counts


def _parts(position: str) -> tuple[int, int]:
    first, _, second = position.partition("-")
    return int(first or 0), int(second or 0)
