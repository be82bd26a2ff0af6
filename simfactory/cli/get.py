"""`simfactory get` and `simfactory clips`: one job or clip in full, and clips by what they are."""

import json
import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simfactory.cli.service import (
    Json,
    JsonLines,
    State,
    Url,
    by_reason,
    connect,
    document,
    lines,
    pairs,
    sized,
    span,
    when,
)
from simfactory.cli.service import table as show_table
from simfactory.errors import ServiceError, SpecError

if TYPE_CHECKING:
    from simfactory.client import Client, FileEntry
    from simfactory.protocol import Clip, Failure, Job

__all__ = ["clips", "get"]

_CLIP_ID = re.compile(r"[0-9a-f]{32}")


def get(
    identity: Annotated[str, typer.Argument(metavar="JOB|CLIP", help="Id of a job or a clip.")],
    out: Annotated[Path | None, typer.Option(help="Write a clip's files into this folder, as CLIP.zarr.")] = None,
    url: Url = None,
    state: State = None,
    as_json: Json = False,
) -> None:
    """Show a job with its failures, or a clip with its files; or download a clip.

    With --json: {"job": …, "failures": […]} or {"clip": …, "files": […]}, with --out also "path".
    """
    with connect(url, state) as client:
        found = _job(client, identity) if not _CLIP_ID.fullmatch(identity) else None
        if found is None:
            _get_clip(client, identity, out, as_json=as_json)
            return
        if out is not None:
            raise SpecError(f"{identity} is a job: `simfactory export {identity} --out {out}` fetches its clips")
        failures = client.failures(identity)
    if as_json:
        document({"job": found.model_dump(mode="json"), "failures": [one.model_dump(mode="json") for one in failures]})
    else:
        _show_job(found, failures)


def _job(client: "Client", identity: str) -> "Job | None":
    try:
        return client.job(identity)
    except ServiceError as error:
        if error.status in (404, 422):
            raise ServiceError(
                f"there is neither a job nor a clip {identity!r}: `simfactory ls` and `simfactory clips` list them",
                status=error.status,
            ) from error
        raise


def _get_clip(client: "Client", identity: str, out: Path | None, *, as_json: bool) -> None:
    clip, files = client.clip(identity), client.clip_files(identity)
    path = None if out is None else client.download_clip(identity, out)
    if as_json:
        described = {"clip": clip.model_dump(mode="json"), "files": [entry.model_dump(mode="json") for entry in files]}
        document(described if path is None else {**described, "path": str(path)})
    elif path is not None:
        typer.echo(str(path))
    else:
        _show_clip(clip, files)


def _show_job(job: "Job", failures: "list[Failure]") -> None:
    from simfactory.cli.watch import given_up

    progress, request = job.progress, job.request
    interval = progress.eta_interval
    between = f" ({span(interval[0])} to {span(interval[1])})" if interval and len(interval) == 2 else ""
    pairs(
        {
            "job": job.id,
            "name": request.name,
            "state": job.state + (f" ({job.reason})" if job.reason else ""),
            "dataset": request.dataset,
            "tags": ", ".join(request.tags),
            "created": when(job.created),
            "finished": "" if job.finished is None else when(job.finished),
            "clips": f"{progress.clips_done:,} of {progress.clips_wanted:,}",
            "frames": progress.frames,
            "size": sized(progress.bytes),
            "rate": "" if progress.clips_per_hour is None else f"{progress.clips_per_hour:,.0f} clips/h",
            "left": "" if progress.eta_seconds is None else span(progress.eta_seconds) + between,
            "in flight": progress.in_flight,
            "replaced": f"{progress.replaced:,} ({by_reason(progress.reasons)})" if progress.replaced else "",
            "given up": progress.failed or "",
            "request": json.dumps(request.model_dump(mode="json", exclude_defaults=True, exclude={"dataset", "name"})),
        }
    )
    for text in given_up(failures, progress.failed):
        typer.echo(text)


def _show_clip(clip: "Clip", files: "list[FileEntry]") -> None:
    pairs(
        {
            "clip": clip.id,
            "caption": clip.caption,
            "dataset": clip.dataset,
            "job": clip.job or "",
            "scene": f"{clip.category} / {clip.scene} / {clip.tier}, split {clip.split}",
            "episode": f"seed {clip.seed}, index {clip.index}",
            "camera": f"{clip.camera} ({clip.rig})",
            "made by": f"{clip.backend}, {clip.preset}",
            "frames": f"{clip.frame_count} at {clip.fps:g}/s, {clip.width}x{clip.height}",
            "modalities": ", ".join(clip.modalities),
            "size": f"{sized(clip.bytes)} in {len(files)} files",
            "committed": when(clip.committed),
        }
    )


def clips(
    job: Annotated[str | None, typer.Argument(help="Only clips of this job.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only clips of this dataset.")] = None,
    category: Annotated[str | None, typer.Option(help="Only clips of this category.")] = None,
    scene: Annotated[str | None, typer.Option(help="Only clips of this base scene.")] = None,
    tier: Annotated[str | None, typer.Option(help="Only clips of this tier.")] = None,
    split: Annotated[str | None, typer.Option(help="Only clips of this split.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="The first so many; 0 = all.")] = 50,
    url: Url = None,
    state: State = None,
    as_json: JsonLines = False,
) -> None:
    """List clips in the order they were committed."""
    with connect(url, state) as client:
        page = min(limit or 500, 500)
        listing = client.clips(
            job=job, dataset=dataset, category=category, scene=scene, tier=tier, split=split, page=page
        )
        found = islice(listing, limit or None)
        if as_json:
            lines(found)
        else:
            columns = ("clip", "dataset", "category", "scene", "tier", "split", "camera", "frames", "size", "committed")
            show_table(columns, map(_row, found))


def _row(clip: "Clip") -> tuple[object, ...]:
    return (
        clip.id,
        clip.dataset,
        clip.category,
        clip.scene,
        clip.tier,
        clip.split,
        clip.camera,
        clip.frame_count,
        sized(clip.bytes),
        when(clip.committed),
    )
