"""Specs into a dataset on several processes of this machine; nothing is lost when one of them dies."""

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.context import SpawnContext
from pathlib import Path
from typing import Any

from simfactory.deadline import Deadline
from simfactory.errors import SimfactoryError, SimulationError
from simfactory.spec import SceneSpec
from simfactory.store import is_committed

__all__ = ["GRACE_SECONDS", "EpisodeResult", "Job", "core_count", "run_job"]

GRACE_SECONDS = 8.0  # for what is near its end when a run is told to stop
POLL_SECONDS = 0.5
STOP_SECONDS = 10.0  # after which a worker that does not stop is ended


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """How specs are recorded into a dataset.

    Attributes:
        dataset: Folder of an existing dataset.
        profile: Its precision profile.
        backend: Simulator backend.
        preset: Render preset.
        device: `cpu` or a CUDA device.
        deterministic: Whether reruns on a GPU give the same bytes.
        workers: Number of processes; 1 = this one.
        environments: Specs simulated at a time in each process, at most.
    """

    dataset: Path
    profile: str
    backend: str
    preset: str
    device: str
    workers: int
    environments: int = 2
    deterministic: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class EpisodeResult:
    """What became of the spec at `position`.

    Attributes:
        position: Place of the spec in the sequence given.
        committed: Ids of the clips that this run added.
        reasons: Why the quality gate refused the episode; empty if it passed.
        failure: What simulating or rendering it failed with, through no fault of the spec's; empty if neither did.
        cpu_seconds: CPU time of the recording process since its last result, by stage [s].
    """

    position: int
    committed: tuple[str, ...]
    reasons: tuple[str, ...]
    failure: str
    cpu_seconds: dict[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """Called while a job runs.

    Attributes:
        on_prepared: Kernels are ready; wall time it took [s].
        on_frames: Number of frames just recorded.
    """

    on_prepared: Callable[[float], None]
    on_frames: Callable[[int], None]


def core_count() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_job(
    job: Job, specs: Sequence[SceneSpec], *, progress: Progress, deadline: Deadline | None = None
) -> Iterator[EpisodeResult]:
    """Record specs; yield each result as it is known, in any order.

    Args:
        job: How.
        specs: What; siblings stand together.
        progress: Is told how it goes.
        deadline: When to stop: may be set at any time, also by a signal handler. What has no result then is not
            recorded.

    Raises:
        SimulationError: A worker process died.
        SimfactoryError: Whatever a spec was refused for.
    """
    deadline = deadline or Deadline()
    if deadline.is_set:
        return
    if job.workers <= 1 or len(specs) <= 1:
        yield from _work(job, iter(enumerate(specs)), progress, deadline)
    else:
        yield from _run_processes(job, specs, progress, deadline)


def _work(
    job: Job, numbered: Iterator[tuple[int, SceneSpec]], progress: Progress, deadline: Deadline
) -> Iterator[EpisodeResult]:
    """Record specs in this process."""
    from simfactory.engine import Engine
    from simfactory.recording import ClipHeader, Recorder, open_writer

    def open_recorder(header: ClipHeader) -> Recorder | None:
        if is_committed(job.dataset, header.clip_id):
            return None
        return open_writer(job.dataset, header)

    positions: list[int] = []
    engine = Engine(
        backend=job.backend,
        preset=job.preset,
        profile=job.profile,
        device=job.device,
        deterministic=job.deterministic,
        deadline=deadline,
        on_frames=progress.on_frames,
    )

    def specs() -> Iterator[SceneSpec]:
        for position, spec in numbered:
            if not positions:
                with engine.stages.measure("prepare"):
                    progress.on_prepared(engine.prepare(spec))
            positions.append(position)
            yield spec

    for outcome in engine.run(specs(), open_recorder=open_recorder, environments=job.environments):
        yield EpisodeResult(
            position=positions[outcome.number],
            committed=outcome.committed,
            reasons=outcome.reasons,
            failure=outcome.failure,
            cpu_seconds=engine.stages.taken(),
        )


def _run_processes(
    job: Job, specs: Sequence[SceneSpec], progress: Progress, deadline: Deadline
) -> Iterator[EpisodeResult]:
    context = multiprocessing.get_context("spawn")
    tasks: Any = context.Queue()  # Any: multiprocessing's queues are not generic at run time
    events: Any = context.Queue()
    shares = _shares(specs)
    for share in shares:
        tasks.put(share)
    count = min(job.workers, len(shares))
    job = replace(job, environments=max(1, min(job.environments, len(shares) // count - 1)))  # leave the others some
    for _ in range(count):
        tasks.put(None)
    workers = [_start(context, job, tasks, events)]
    waiting = len(specs)
    told = False
    try:
        while waiting and (any(worker.is_alive() for worker in workers) or not events.empty()):
            if deadline.is_set and not told:
                told = True
                for worker in workers:
                    worker.terminate()
            try:
                kind, value = events.get(timeout=POLL_SECONDS)
            except queue.Empty:
                _check_alive(workers)
                continue
            match kind:
                case "prepared":
                    if len(workers) == 1 and not told:  # the first one filled the kernel cache: the others only load
                        progress.on_prepared(value)
                        workers += [_start(context, job, tasks, events) for _ in range(count - 1)]
                case "frames":
                    progress.on_frames(value)
                case "result":
                    waiting -= 1
                    yield value
                case _:
                    raise value
        _check_alive(workers)
        for worker in workers if not waiting else ():
            worker.join()
    finally:
        _stop(workers)
        tasks.cancel_join_thread()  # nobody reads what is left
        tasks.close()


def _shares(specs: Sequence[SceneSpec]) -> list[list[tuple[int, SceneSpec]]]:
    """Return the specs with their positions, one by one but siblings together: one process commits a group."""
    shares: list[list[tuple[int, SceneSpec]]] = []
    for position, spec in enumerate(specs):
        before = shares[-1][-1][1].sibling if shares else None
        if spec.sibling is not None and before is not None and spec.sibling.group == before.group:
            shares[-1].append((position, spec))
        else:
            shares.append([(position, spec)])
    return shares


def _start(context: SpawnContext, job: Job, tasks: Any, events: Any) -> Any:  # Any: see _run_processes
    """Start a worker that hears no signal before it can answer: it inherits what is blocked here meanwhile."""
    worker = context.Process(target=_serve, args=(job, tasks, events), daemon=True)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        worker.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return worker


def _stop(workers: Sequence[Any]) -> None:  # Any: see _run_processes
    """Ask workers to stop at their next frame, which drops what they staged; end those that do not."""
    for worker in workers:
        if worker.is_alive():
            os.kill(worker.pid, signal.SIGINT)
    for worker in workers:
        worker.join(STOP_SECONDS)
        if worker.is_alive():
            worker.kill()
            worker.join()


def _check_alive(workers: Sequence[Any]) -> None:  # Any: see _run_processes
    for worker in workers:
        if worker.exitcode not in (None, 0):
            raise SimulationError(
                f"a worker process ended with exit code {worker.exitcode} (a negative one is a signal; -9 often means "
                "out of memory): run the same command again, with fewer --workers; committed clips are kept"
            )


def _serve(job: Job, tasks: Any, events: Any) -> None:  # Any: see _run_processes
    """Body of a worker process: take tasks until None, report events.

    On SIGTERM it finishes what is near its end, on SIGINT (the terminal's Ctrl-C, which the parent hears too) it stops
    at its next frame.
    """
    deadline = Deadline()
    unheard = threading.Event()  # the parent no longer listens

    def stop_now(number: int, frame: object) -> None:
        deadline.set(0.0)
        unheard.set()

    signal.signal(signal.SIGTERM, lambda number, frame: deadline.set(GRACE_SECONDS))
    signal.signal(signal.SIGINT, stop_now)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})

    def numbered() -> Iterator[tuple[int, SceneSpec]]:
        while not deadline.is_set:
            try:
                task = tasks.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            if task is None:
                return
            yield from task

    progress = Progress(
        on_prepared=lambda seconds: events.put(("prepared", seconds)),
        on_frames=lambda count: events.put(("frames", count)),
    )
    try:
        for result in _work(job, numbered(), progress, deadline):
            events.put(("result", result))
    except SimfactoryError as error:
        events.put(("error", error))
    if unheard.is_set():
        events.cancel_join_thread()
