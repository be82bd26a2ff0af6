"""Fills a dataset with what was asked for: checks, the run itself, previews and the report on the terminal."""

import json
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType

import typer
from rich.console import Console

from scenes.generate import Generation, generate, require_complete
from scenes.progress import RunProgress
from scenes.request import Request
from simfactory.cli.preview import preview_folder, write_preview
from simfactory.dataset import open_dataset
from simfactory.deadline import Deadline
from simfactory.errors import SimfactoryError, SpecError
from simfactory.preflight import check_disk, check_memory, check_scene, check_solvable
from simfactory.processes import GRACE_SECONDS, Job, core_count
from simfactory.spec import SceneSpec
from simfactory.splits import check_apart
from simfactory.store import create_dataset, record_run
from simfactory.store.location import location_of

__all__ = ["fill"]


def fill(
    out: Path,
    request: Request,
    *,
    backend: str,
    preset: str,
    profile: str,
    device: str,
    deterministic: bool = False,
    workers: int | None,
    environments: int = 2,
    with_benchmark: bool,
    as_json: bool,
) -> None:
    """Record a request into a dataset and say what became of it; see the options of `simfactory generate`.

    Raises:
        SpecError: A spec is impossible, or benchmark or evaluation scenes would come beside others.
        ResourceError: Memory or disk do not suffice.
        SimulationError: A worker died, or an episode found no attempt that passes.
    """
    if workers is not None and workers < 1:
        raise SpecError(f"workers is {workers}; give at least 1")
    if environments < 1:
        raise SpecError(f"environments is {environments}; give at least 1")
    specs = request.specs
    every = [spec for index in range(len(specs)) for spec in specs.together(index, 0)] if request.given else []
    _check(every or specs.together(0, 0), out, backend=backend, preset=preset, profile=profile, given=request.given)
    if not with_benchmark:
        check_apart(out, [spec.split for spec in every or specs.together(0, 0)])
    create_dataset(out, profile=profile)  # type: ignore[arg-type]  # checked by create_dataset
    record_run(out, {**request.record, "backend": backend, "preset": preset, "with_benchmark": with_benchmark})
    job = Job(
        dataset=out,
        profile=profile,
        backend=backend,
        preset=preset,
        device=device,
        deterministic=deterministic,
        workers=core_count() if workers is None else workers,
        environments=environments,
    )
    console = Console(stderr=True)
    deadline = Deadline()
    try:
        with _told_by_signals(deadline) as interrupted, RunProgress(console) as progress:
            generation = generate(specs, job, observer=progress, deadline=deadline, violations=request.violations)
            if interrupted.is_set():
                raise KeyboardInterrupt  # of which the first was lost
    except KeyboardInterrupt:
        console.print("stopped; what was committed stays, the same command continues")
        raise typer.Exit(code=130) from None
    _report(out, generation, progress, as_json=as_json)
    if generation.stopped:
        console.print("told to stop; what was committed stays, the same command continues")
        raise typer.Exit(code=143)
    require_complete(generation)


@contextmanager
def _told_by_signals(deadline: Deadline) -> Iterator[Event]:
    """Have SIGTERM and Ctrl-C set a deadline; Ctrl-C also sets the event and raises KeyboardInterrupt.

    The exception alone does not do: raised while compiled code asks Python something (pydantic, what type a value has)
    it is printed and forgotten.
    """
    interrupted = Event()

    def stop_now(number: int, frame: FrameType | None) -> None:
        deadline.set(0.0)
        interrupted.set()
        signal.default_int_handler(number, frame)

    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda number, frame: deadline.set(GRACE_SECONDS)),
        signal.SIGINT: signal.signal(signal.SIGINT, stop_now),
    }
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _check(specs: Sequence[SceneSpec], out: Path, *, backend: str, preset: str, profile: str, given: bool) -> None:
    """Refuse what cannot be recorded before the dataset's folder is made, so that a refused request leaves nothing."""
    for number, spec in enumerate(specs, 1):
        try:
            check_scene(spec, backend=backend, preset=preset)
            check_memory(spec, preset=preset, in_memory=False)
            check_disk(spec, out, profile=profile)
            if given:  # what is sampled keeps within what the solvers take
                check_solvable(spec, backend=backend)
        except SimfactoryError as error:
            if len(specs) == 1:
                raise
            raise type(error)(f"spec {number} of {len(specs)} ({spec.scene}): {error}") from error


def _report(out: Path, generation: Generation, progress: RunProgress, *, as_json: bool) -> None:
    """Write the previews and say what the run did and where it is."""
    previews = _previews(out, generation.clip_ids)
    losers = {
        name: {"asked": each.asked, "kept": each.kept, "refused": dict(each.refused)}
        for name, each in generation.losers.items()
    }
    report = {
        "dataset": str(location_of(out)),
        "clips": len(generation.clip_ids) + len(generation.loser_ids),
        "added": generation.added,
        "refused": dict(generation.refused),
        **({"losers": losers} if losers else {}),
        **previews,
        "prepare_seconds": round(generation.prepare_seconds, 2),
        "cpu_seconds": {stage: round(seconds, 3) for stage, seconds in sorted(generation.cpu_seconds.items())},
    }
    if as_json:
        typer.echo(json.dumps(report))
    else:
        progress.summarize(report)


def _previews(out: Path, clip_ids: list[str]) -> dict[str, str]:
    """Write the contact sheet and the video of the first clip, beside the data where that is a folder."""
    if not clip_ids:
        return {}
    clip = open_dataset(out)[clip_ids[0]]
    sheet, video = write_preview(clip, preview_folder(out))
    return {"contact_sheet": str(sheet), "preview": str(video)}
