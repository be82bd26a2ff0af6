"""A worker: takes shards from the queue, keeps an engine's slots filled with their episodes, and reports each.

One process per core or GPU. It keeps its kernels and goes from shard to shard of one kind without emptying its slots.
Its heartbeat is a process of its own (`sidecar`). It outlives the queue's server: what it has to say waits until that
is back. What is committed is never recorded again, so an episode may be handed out twice without harm.
"""

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import cast

from simfactory.dataset import Clip
from simfactory.deadline import Deadline
from simfactory.errors import DiskFull, QueueError, SimfactoryError
from simfactory.live import LiveFrames, told_slots, told_spans
from simfactory.processes import GRACE_SECONDS
from simfactory.queue import Shard, ShardQueue, Unit, connect, until_there
from simfactory.siblings import record_group
from simfactory.sidecar import Sidecar
from simfactory.simulators import backend_class
from simfactory.spec import SceneSpec
from simfactory.store import JSON, DatasetFolder, create_dataset, is_committed, read_record, record_rejection
from simfactory.timeline import Timeline

__all__ = ["Worker", "WorkerOptions", "run_shard"]

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
TELL_SECONDS = 1.0  # between two words on the work
WAIT_SECONDS = 1  # for a shard, before looking round
BREAKS_MAX = 3  # shards in a row that broke: then it is the worker


def run_shard(shard: str, digest: str) -> None:
    """Be what queue jobs name; nobody calls it: a worker reads a shard's episodes instead.

    Raises:
        QueueError: Always.
    """
    raise QueueError(f"shard {shard} is for `simfactory worker`, not for other workers of RQ")


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerOptions:
    """How a worker works.

    Attributes:
        redis: Address of the queue's server.
        data: Folder or address below which the datasets are.
        backends: Simulator backends that it serves.
        device: `cpu` or a CUDA device.
        environments: Episodes that it simulates at a time.
        lease: How long it may be silent before it counts as dead [s].
        max_idle: Seconds without work after which it ends; None = never.
        name: Its name; made up if empty.
    """

    redis: str
    data: str
    backends: tuple[str, ...] = ("newton", "mock")
    device: str = "cpu"
    environments: int = 2
    lease: float = 20.0
    max_idle: float | None = None
    name: str = ""


@dataclass(slots=True)
class _Open:
    """A shard that is worked on."""

    shard: Shard
    left: dict[tuple[int, int, int], Unit] = field(default_factory=dict)  # not reported yet
    begun: set[tuple[int, int, int]] = field(default_factory=set)


@dataclass(slots=True)
class _Tally:
    """What has become of the specs of a unit so far; `added` are the clips that this worker committed."""

    specs: Sequence[SceneSpec] = ()
    added: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    failure: str = ""
    waiting: int = 0
    steps: int = 0  # frames simulated


class Worker:
    """Works until it is told to stop, or has been idle for long."""

    def __init__(self, options: WorkerOptions) -> None:
        self.options = options
        self.name = options.name or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self.queue = ShardQueue(connect(options.redis))
        self.stopping = threading.Event()
        self._deadline = Deadline()
        self._orders_queue = ShardQueue(connect(options.redis))
        self._stopped_jobs: set[str] = set()
        self._draining = False
        self._open: dict[str, _Open] = {}
        self._held: Shard | None = None
        self._clips = self._frames = self._breaks = 0
        self._prepared: set[tuple[str, ...]] = set()
        self._sidecar: Sidecar | None = None
        self._state, self._told, self._telling = "starting", 0.0, threading.Lock()
        begin = time.monotonic()
        self._timeline = Timeline(lambda: time.monotonic() - begin)
        self._live = LiveFrames(options.redis, self.name)

    def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Take nothing more, finish what is near its end, and give the rest back; a signal handler may call it."""
        self.stopping.set()
        self._deadline.set(grace)

    def run_to_end(self) -> int:
        """Work; return the exit code: 0 if it ended as it should."""
        self.run()
        return 1 if self._breaks >= BREAKS_MAX else 0

    def run(self) -> int:
        """Work; return how many clips were committed.

        Raises:
            QueueError: The control plane speaks another protocol.
        BackendUnavailable: A backend's packages are not installed.
        """
        until_there(self.queue.check_protocol, self.stopping)
        self._sidecar = Sidecar(self.options.redis, self.name, lease=self.options.lease)
        self._tell("starting", first=True)
        for name in self.options.backends:
            backend_class(name)
        self._tell("idle")
        threading.Thread(target=self._listen, name="orders", daemon=True).start()
        idle_since = time.monotonic()
        try:
            while not self.stopping.is_set() and not self._draining:
                shard = self._held or self._next(WAIT_SECONDS)
                self._held = None
                if shard is not None:
                    self._work(shard)
                    self._tell("idle")
                    idle_since = time.monotonic()
                else:
                    self._tell("idle")  # which starts a heartbeat again that has died
                if self.options.max_idle is not None and time.monotonic() - idle_since > self.options.max_idle:
                    break
                if self._breaks >= BREAKS_MAX:
                    logger.error("%d shards in a row broke: this worker takes no more", self._breaks)
                    break
            if self._held is not None:
                self._return(_Open(self._held, {unit.key: unit for unit in self._held.units}))
        finally:
            self.stopping.set()
            self._live.close()
            self._sidecar.close()
        return self._clips

    # ── what it is told, and tells ───────────────────────────────────────────────────────────────────────────────────

    def _listen(self) -> None:
        """Read orders, and say how the work goes on, while it does."""
        queue = self._orders_queue
        while not self.stopping.wait(POLL_SECONDS):
            found = until_there(lambda: (queue.orders(self.name), queue.is_watched()), self.stopping)
            if found is None:
                return
            (self._stopped_jobs, draining), self._live.watched = found
            if self._open and time.monotonic() - self._told > TELL_SECONDS - POLL_SECONDS / 2:
                self._tell()
            if draining and not self._draining:
                self._draining = True
                logger.info("told to drain")
            running = {each.shard.job for each in list(self._open.values())}
            if running and running <= self._stopped_jobs and not self._deadline.is_set:
                self._deadline.set(0.0)

    def _tell(self, state: str = "", *, first: bool = False) -> None:
        """Say what it does: a new state, or how it goes on."""
        assert self._sidecar is not None
        with self._telling:  # else an old state could be told after a new one
            self._state, self._told = state or self._state, time.monotonic()
            self._sidecar.tell(shards=self._open, status=self._status(first=first))

    def _status(self, *, first: bool) -> dict[str, object]:
        status: dict[str, object] = {
            "name": self.name,
            "state": "draining" if self._draining else self._state,
            "jobs": sorted({each.shard.job for each in list(self._open.values())}),  # other threads take shards
            "shards": sorted(self._open),
            "clips": self._clips,
            "frames": self._frames,
            "failures": self._breaks,
            "slots": told_slots(self._timeline),
            "spans": told_spans(self._timeline) if self._live.watched else [],
            "clock": round(self._timeline.clock(), 2),
        }
        if first:
            status |= {
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "version": version("simfactory"),
                "backends": [*self.options.backends],
                "device": self.options.device,
                "environments": self.options.environments,
                "since": time.time(),
            }
        return status

    def _report(self, call: Callable[[], object]) -> None:
        """Say something however long the server is away; a worker that is told to stop meanwhile waits a last while."""
        if until_there(lambda: (call(), True), self.stopping) is None:
            last = threading.Event()
            threading.Timer(GRACE_SECONDS, last.set).start()
            until_there(lambda: (call(), True), last)

    def _next(self, wait: int | None) -> Shard | None:
        try:
            return until_there(lambda: self.queue.pop(self.options.backends, wait=wait), self.stopping)
        except QueueError as error:
            logger.error("%s", error)
            return None

    # ── the work ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _work(self, first: Shard) -> None:
        """Record a shard, and those of its kind that follow while slots are busy."""
        if not self._deadline.is_set:
            self._deadline = Deadline()
        if self.stopping.is_set():
            self._deadline.set(GRACE_SECONDS)
        broken = ""
        self._take(first)
        try:
            self._record(first)
        except DiskFull as error:  # nobody's fault: what is left is given back, and the job pauses
            detail = str(error)
            self._report(lambda: self.queue.report({"kind": "blocked", "job": first.job, "detail": detail}))
        except (SimfactoryError, MemoryError) as error:
            broken = f"{type(error).__name__}: {error}"
            logger.warning("shard %s broke: %s", first.id, broken, extra=_about(first))
        self._breaks = self._breaks + 1 if broken else 0
        for each in list(self._open.values()):
            self._return(each, broken)
        self._deadline = Deadline()

    def _record(self, first: Shard) -> None:
        from simfactory.engine import Engine
        from simfactory.recording import ClipHeader, Recorder, open_writer

        location = self.options.data.rstrip("/") + "/" + first.dataset
        dataset = create_dataset(location, profile=first.profile)  # type: ignore[arg-type]  # checked there
        begun: list[tuple[_Open, Unit]] = []  # by the engine's number
        tallies: dict[tuple[str, tuple[int, int, int]], _Tally] = {}

        def open_recorder(header: ClipHeader) -> Recorder | None:
            return None if is_committed(dataset, header.clip_id) else open_writer(dataset, header)

        def on_frames(count: int) -> None:
            self._frames += count

        engine = Engine(
            backend=first.backend,
            preset=first.preset,
            profile=first.profile,
            device=self.options.device,
            deadline=self._deadline,
            on_frames=on_frames,
            on_look=self._live.look,
            timeline=self._timeline,
        )

        def specs() -> Iterator[SceneSpec]:
            for each, unit, resolved in self._units(first, dataset, engine):
                tallies[each.shard.id, unit.key] = _Tally(resolved, waiting=len(resolved))
                for spec in resolved:
                    begun.append((each, unit))
                    yield spec

        for outcome in engine.run(specs(), open_recorder=open_recorder, environments=self.options.environments):
            each, unit = begun[outcome.number]
            tally = tallies[each.shard.id, unit.key]
            tally.added += outcome.committed
            tally.reasons += outcome.reasons
            tally.failure = tally.failure or outcome.failure
            tally.waiting -= 1
            tally.steps += 0 if outcome.trajectory is None else outcome.trajectory.frame_count
            self._clips += len(outcome.committed)
            if outcome.reasons:
                identity: dict[str, JSON] = {
                    "scene": outcome.spec.digest(), "backend": first.backend, "preset": first.preset,
                }  # fmt: skip
                spec = outcome.spec.model_dump(mode="json")
                record_rejection(dataset, identity, reasons=outcome.reasons, spec=spec)
            if tally.waiting == 0:
                taken = engine.stages.taken()
                self._ended(each, unit, tallies.pop((each.shard.id, unit.key)), dataset, taken)

    def _units(
        self, first: Shard, dataset: DatasetFolder, engine: object
    ) -> Iterator[tuple[_Open, Unit, list[SceneSpec]]]:
        """Yield the units of shards of one kind, as long as there are more; report those that need no work."""
        from simfactory.preflight import check_memory, check_scene

        shard: Shard | None = first
        while shard is not None:
            each = self._take(shard) if shard.id not in self._open else self._open[shard.id]
            for unit in shard.units:
                if self.stopping.is_set() or self._deadline.is_set or shard.job in self._stopped_jobs:
                    break
                try:
                    resolved = [SceneSpec.model_validate(spec) for spec in unit.specs]
                    for spec in resolved:
                        check_scene(spec, backend=shard.backend, preset=shard.preset)
                        check_memory(spec, preset=shard.preset, in_memory=False)
                except (SimfactoryError, ValueError) as error:
                    self._ended(each, unit, _Tally(failure=f"{type(error).__name__}: {error}"), dataset, {})
                    continue
                if _clips(dataset, shard, resolved) is not None:
                    self._ended(each, unit, _Tally(resolved), dataset, {})
                    continue
                self._prepare(engine, resolved[0])
                each.begun.add(unit.key)
                identity, key = shard.id, unit.key
                self._report(lambda identity=identity, key=key: self.queue.begin(identity, key))  # type: ignore[misc]  # bound now
                yield each, unit, resolved
            if self.stopping.is_set() or self._draining or self._deadline.is_set or shard.alone:
                return
            shard = self._next(None)
            if shard is not None and (shard.group != first.group or shard.job in self._stopped_jobs):
                self._held, shard = shard, None

    def _prepare(self, engine: object, spec: SceneSpec) -> None:
        """Compile what a kind of scene needs, once; slots stay empty meanwhile."""
        from simfactory.engine import Engine

        assert isinstance(engine, Engine)
        kind = (engine.backend, engine.preset, *sorted({body.kind for body in spec.bodies}))
        if kind not in self._prepared:
            self._tell("preparing")
            engine.prepare(spec)
            self._prepared.add(kind)
            self._tell("working")

    def _take(self, shard: Shard) -> _Open:
        each = _Open(shard, {unit.key: unit for unit in shard.units})
        self._open[shard.id] = each
        self._tell("working")
        return each

    def _ended(
        self, each: _Open, unit: Unit, tally: _Tally, dataset: DatasetFolder, stages: Mapping[str, float]
    ) -> None:
        """Report what became of a unit."""
        shard = each.shard
        failure = tally.failure
        clips: Sequence[str] | None = ()
        if not failure and not tally.reasons:
            clips = _clips(dataset, shard, tally.specs)
            failure = "" if clips is not None else "a clip of it is not in the dataset"
        if clips and tally.specs[0].sibling is not None:
            _compare(dataset, clips)
        status = "failed" if failure else "rejected" if tally.reasons else "committed"
        message = {
            "kind": "unit",
            "shard": shard.id,
            "job": shard.job,
            "dataset": shard.dataset,
            "unit": [*unit.key],
            "status": status,
            "clips": [_described(dataset, clip) for clip in clips or ()],
            "added": len(tally.added),
            "steps": tally.steps,
            "backend": shard.backend,
            "reasons": sorted(set(tally.reasons)),
            "failure": failure[:2000],
            "worker": self.name,
            "device": self.options.device,
            "stages": dict(stages),
            "at": time.time(),
        }
        _log_unit(shard, unit, tally, failure)
        self._report(lambda: self.queue.ended(shard.id, unit.key, message))
        each.left.pop(unit.key, None)
        each.begun.discard(unit.key)
        if not each.left:
            self._close(each)

    def _return(self, each: _Open, broken: str = "") -> None:
        """Give what is left of a shard back."""
        message = {
            "kind": "returned",
            "shard": each.shard.id,
            "job": each.shard.job,
            "left": [[*key] for key in each.left],
            "begun": [[*key] for key in each.begun],
            "broken": broken[:2000],
            "worker": self.name,
            "at": time.time(),
        }
        if each.left:
            self._report(lambda: self.queue.report(message))
        self._close(each)

    def _close(self, each: _Open) -> None:
        self._open.pop(each.shard.id, None)
        self._tell("working" if self._open else "idle")
        self._report(lambda: self.queue.release([each.shard.id]))


def _about(shard: Shard) -> dict[str, object]:
    """Return what a line of the log about a shard names."""
    return {"job": shard.job, "shard": shard.id}


def _log_unit(shard: Shard, unit: Unit, tally: _Tally, failure: str) -> None:
    about = {**_about(shard), "episode": f"{unit.part}.{unit.index}", "attempt": unit.attempt}
    for clip in tally.added:
        logger.info("clip committed", extra={**about, "clip": clip})
    if failure:
        logger.warning("episode failed: %s", failure, extra=about)
    elif tally.reasons:
        logger.info("episode refused: %s", ", ".join(sorted(set(tally.reasons))), extra=about)


def _clips(dataset: DatasetFolder, shard: Shard, specs: Sequence[SceneSpec]) -> list[str] | None:
    """Return the ids of all clips of a unit if every one is committed."""
    from simfactory.annotations import annotations
    from simfactory.recording import ClipHeader

    found = []
    for spec in specs:
        active = annotations(spec.sensors.modalities, spec=spec)
        for camera in spec.cameras:
            header = ClipHeader.of(
                spec, camera, active, backend=shard.backend, preset=shard.preset, profile=shard.profile
            )
            clip = header.clip_id
            if not is_committed(dataset, clip):
                return None
            found.append(clip)
    return found


def _compare(dataset: DatasetFolder, clips: Sequence[str]) -> None:
    """Keep how much the siblings of a complete group differ."""
    attempts = {clip: str(read_record(dataset, clip)["attempt"]) for clip in clips}
    record_group(dataset, [Clip(dataset, clip, attempt=attempt) for clip, attempt in attempts.items()])


def _described(dataset: DatasetFolder, clip: str) -> dict[str, JSON]:
    """Return a clip's row in the catalogue, and its size."""
    record = read_record(dataset, clip)
    files = cast(dict[str, dict[str, int]], record["files"])
    size = sum(entry["bytes"] for entry in files.values())
    return {**cast(dict[str, JSON], record["row"]), "clip_id": clip, "bytes": size}
