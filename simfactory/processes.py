"""Specs into a dataset on several processes of this machine; nothing is lost when one of them dies."""

import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.context import SpawnContext
from pathlib import Path
from typing import Any

from simfactory.errors import SimfactoryError, SimulationError
from simfactory.spec import SceneSpec
from simfactory.store import is_committed

__all__ = ["EpisodeResult", "Job", "core_count", "run_job"]

STOP_SECONDS = 10.0  # a worker gets to end the frame it is at


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """How specs are recorded into a dataset.

    Attributes:
        dataset: Folder of an existing dataset.
        profile: Its precision profile.
        backend: Simulator backend.
        preset: Render preset.
        device: `cpu` or a CUDA device.
        workers: Number of processes; 1 = this one.
        environments: Specs simulated together in each process.
    """

    dataset: Path
    profile: str
    backend: str
    preset: str
    device: str
    workers: int
    environments: int = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class EpisodeResult:
    """What became of the spec at `position`.

    Attributes:
        position: Place of the spec in the sequence given.
        committed: Ids of the clips that this run added.
        reasons: Why the quality gate refused the episode; empty if it passed.
        cpu_seconds: CPU time of the recording process since its last result, by stage [s].
    """

    position: int
    committed: tuple[str, ...]
    reasons: tuple[str, ...]
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


def run_job(job: Job, specs: Sequence[SceneSpec], *, progress: Progress) -> Iterator[EpisodeResult]:
    """Record specs; yield each result as it is known, in any order.

    Raises:
        SimulationError: A worker process died.
        SimfactoryError: Whatever a spec was refused for.
    """
    if job.workers <= 1 or len(specs) <= 1:
        yield from _work(job, iter(enumerate(specs)), progress)
    else:
        yield from _run_processes(job, specs, progress)


def _work(job: Job, numbered: Iterator[tuple[int, SceneSpec]], progress: Progress) -> Iterator[EpisodeResult]:
    """Record specs in this process."""
    from simfactory.engine import Engine
    from simfactory.recording import ClipHeader, Recorder
    from simfactory.store import ClipWriter

    def open_recorder(header: ClipHeader) -> Recorder | None:
        if is_committed(job.dataset, header.clip_id):
            return None
        return ClipWriter(
            job.dataset,
            header.clip_id,
            signals=header.signals,
            frame_count=header.spec.frame_count,
            height=header.camera.height,
            width=header.camera.width,
            attributes=header.attributes(),
        )

    positions: list[int] = []
    engine = Engine(
        backend=job.backend, preset=job.preset, profile=job.profile, device=job.device, on_frames=progress.on_frames
    )

    def specs() -> Iterator[SceneSpec]:
        for position, spec in numbered:
            if not positions:
                with engine.stages.measure("prepare"):
                    progress.on_prepared(engine.prepare(spec))
            positions.append(position)
            yield spec

    try:
        for done, outcome in enumerate(engine.run(specs(), open_recorder=open_recorder, environments=job.environments)):
            yield EpisodeResult(
                position=positions[done],
                committed=outcome.committed,
                reasons=outcome.reasons,
                cpu_seconds=dict(engine.stages.seconds),
            )
            engine.stages.seconds.clear()
    finally:
        engine.close()


def _run_processes(job: Job, specs: Sequence[SceneSpec], progress: Progress) -> Iterator[EpisodeResult]:
    context = multiprocessing.get_context("spawn")
    tasks: Any = context.Queue()  # Any: multiprocessing's queues are not generic at run time
    events: Any = context.Queue()
    shares = _shares(specs)
    for share in shares:
        tasks.put(share)
    count = min(job.workers, len(shares))
    for _ in range(count):
        tasks.put(None)
    workers = [_start(context, job, tasks, events)]
    waiting = len(specs)
    try:
        while waiting:
            try:
                kind, value = events.get(timeout=1.0)
            except queue.Empty:
                _check_alive(workers)
                continue
            match kind:
                case "prepared":
                    if len(workers) == 1:  # the first one filled the kernel cache: the others only load
                        progress.on_prepared(value)
                        workers += [_start(context, job, tasks, events) for _ in range(count - 1)]
                case "frames":
                    progress.on_frames(value)
                case "result":
                    waiting -= 1
                    yield value
                case _:
                    raise value
        for worker in workers:
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
    """Start a worker that is deaf to Ctrl-C from its first instant on: it inherits what is blocked here meanwhile."""
    worker = context.Process(target=_serve, args=(job, tasks, events), daemon=True)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        worker.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return worker


def _stop(workers: Sequence[Any]) -> None:  # Any: see _run_processes
    """Ask workers to stop at their next frame, which drops what they staged; end those that do not."""
    for worker in workers:
        worker.terminate()
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
    """Body of a worker process: take tasks until None, report events; on SIGTERM leave at the next frame."""
    asked_to_stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: asked_to_stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C too, and asks its workers to stop

    def numbered() -> Iterator[tuple[int, SceneSpec]]:
        while not asked_to_stop.is_set():
            try:
                task = tasks.get(timeout=0.5)
            except queue.Empty:
                continue
            if task is None:
                return
            yield from task

    def on_frames(count: int) -> None:
        if asked_to_stop.is_set():
            events.cancel_join_thread()  # the parent no longer listens
            sys.exit(0)
        events.put(("frames", count))

    progress = Progress(on_prepared=lambda seconds: events.put(("prepared", seconds)), on_frames=on_frames)
    try:
        for result in _work(job, numbered(), progress):
            events.put(("result", result))
    except SimfactoryError as error:
        events.put(("error", error))
