"""`simfactory ls`, `cancel`, `pause`, `resume` and `retry`: the jobs of the service."""

from collections.abc import Callable
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from simfactory.cli.service import JsonLines, State, Url, by_reason, connect, line, lines, span, table, when

if TYPE_CHECKING:
    from simfactory.client import Client
    from simfactory.protocol import Job, JobState

__all__ = ["cancel", "ls", "pause", "resume", "retry"]

Jobs: TypeAlias = Annotated[list[str], typer.Argument(help="Ids of jobs; `simfactory ls` lists them.")]


class Stage(StrEnum):
    """States of a job."""

    running = "running"
    paused = "paused"
    completed = "completed"
    cancelled = "cancelled"
    failed = "failed"


def ls(
    stage: Annotated[Stage | None, typer.Option("--job-state", help="Only jobs in this state.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only jobs with this label.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only jobs for this dataset.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="The newest so many; 0 = all.")] = 20,
    url: Url = None,
    state: State = None,
    as_json: JsonLines = False,
) -> None:
    """List jobs, newest first."""
    with connect(url, state) as client:
        wanted: JobState | None = None if stage is None else stage.value
        found = islice(client.jobs(state=wanted, tag=tag, dataset=dataset, page=min(limit or 100, 100)), limit or None)
        if as_json:
            lines(found)
        else:
            table(("job", "name", "state", "dataset", "done", "clips", "left", "created", "remarks"), map(_row, found))


def _row(job: "Job") -> tuple[object, ...]:
    progress = job.progress
    remarks = [job.reason] if job.reason else []
    if progress.failed:
        remarks.append(f"given up {progress.failed:,}")
    if progress.replaced:
        remarks.append(f"replaced {progress.replaced:,} ({by_reason(progress.reasons)})")
    return (
        job.id,
        job.request.name,
        job.state,
        job.request.dataset,
        progress.clips_done,
        progress.clips_wanted,
        span(progress.eta_seconds if job.finished is None else None),
        when(job.created),
        "; ".join(remarks),
    )


def cancel(jobs: Jobs, url: Url = None, state: State = None, as_json: JsonLines = False) -> None:
    """End jobs; the clips that are committed stay."""
    _each(jobs, lambda client, job: client.cancel(job), url, state, as_json=as_json)


def pause(jobs: Jobs, url: Url = None, state: State = None, as_json: JsonLines = False) -> None:
    """Let jobs rest, until `simfactory resume`; what workers have begun is finished."""
    _each(jobs, lambda client, job: client.pause(job), url, state, as_json=as_json)


def resume(jobs: Jobs, url: Url = None, state: State = None, as_json: JsonLines = False) -> None:
    """Let paused jobs go on."""
    _each(jobs, lambda client, job: client.resume(job), url, state, as_json=as_json)


def retry(jobs: Jobs, url: Url = None, state: State = None, as_json: JsonLines = False) -> None:
    """Try the episodes that jobs gave up again."""
    _each(jobs, lambda client, job: client.retry(job), url, state, as_json=as_json)


def _each(
    jobs: list[str],
    act: "Callable[[Client, str], Job]",
    url: str | None,
    state: Path | None,
    *,
    as_json: bool,
) -> None:
    with connect(url, state) as client:
        for job in jobs:
            found = act(client, job)
            if as_json:
                line(found)
            else:
                progress = found.progress
                done = f"{progress.clips_done:,} of {progress.clips_wanted:,} clips"
                typer.echo(f"{found.id} {found.state}; {done}")
