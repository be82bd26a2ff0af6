"""Fills a dataset with what was asked for: checks, the run itself, previews and the report on the terminal."""

import json
from pathlib import Path

import typer
from rich.console import Console

from scenes.generate import Generation, generate, require_complete
from scenes.progress import RunProgress
from scenes.request import Request
from simfactory.cli.preview import write_preview
from simfactory.dataset import open_dataset
from simfactory.errors import SpecError
from simfactory.preflight import check_disk, check_memory, check_scene
from simfactory.processes import Job, core_count
from simfactory.splits import check_benchmark_apart
from simfactory.store import create_dataset, record_run

__all__ = ["fill"]


def fill(
    out: Path,
    request: Request,
    *,
    backend: str,
    preset: str,
    profile: str,
    device: str,
    workers: int | None,
    with_benchmark: bool,
    as_json: bool,
) -> None:
    """Record a request into a dataset and say what became of it; see the options of `simfactory generate`.

    Raises:
        SpecError: A spec is impossible, or benchmark scenes would come beside others.
        ResourceError: Memory or disk do not suffice.
        SimulationError: A worker died, or an episode found no attempt that passes.
    """
    if workers is not None and workers < 1:
        raise SpecError(f"workers is {workers}; give at least 1")
    specs = request.specs
    first = specs.together(0, 0)
    for spec in first:  # before the dataset's folder is made: a refused request leaves nothing
        check_scene(spec, backend=backend, preset=preset)
        check_memory(spec, preset=preset, in_memory=False)
        check_disk(spec, out, profile=profile)
    if not with_benchmark:
        every = [spec for index in range(len(specs)) for spec in specs.together(index, 0)] if request.given else first
        check_benchmark_apart(out, [spec.split for spec in every])
    create_dataset(out, profile=profile)  # type: ignore[arg-type]  # checked by create_dataset
    record_run(out, {**request.record, "backend": backend, "preset": preset, "with_benchmark": with_benchmark})
    job = Job(
        dataset=out,
        profile=profile,
        backend=backend,
        preset=preset,
        device=device,
        workers=core_count() if workers is None else workers,
    )
    console = Console(stderr=True)
    try:
        with RunProgress(console) as progress:
            generation = generate(specs, job, observer=progress)
    except KeyboardInterrupt:
        console.print("stopped; what was committed stays, the same command continues")
        raise typer.Exit(code=130) from None
    _report(out, generation, progress, as_json=as_json)
    require_complete(generation)


def _report(out: Path, generation: Generation, progress: RunProgress, *, as_json: bool) -> None:
    """Write the previews and say what the run did and where it is."""
    previews = _previews(out, generation.clip_ids)
    report = {
        "dataset": str(out),
        "clips": len(generation.clip_ids),
        "added": generation.added,
        "refused": dict(generation.refused),
        **previews,
        "prepare_seconds": round(generation.prepare_seconds, 2),
        "cpu_seconds": {stage: round(seconds, 3) for stage, seconds in sorted(generation.cpu_seconds.items())},
    }
    if as_json:
        typer.echo(json.dumps(report))
    else:
        progress.summarize(report)


def _previews(out: Path, clip_ids: list[str]) -> dict[str, str]:
    """Write the contact sheet and the video of the first clip beside the data."""
    if not clip_ids:
        return {}
    clip = open_dataset(out)[clip_ids[0]]
    sheet, video = write_preview(clip, out / "previews")
    return {"contact_sheet": str(sheet), "preview": str(video)}
