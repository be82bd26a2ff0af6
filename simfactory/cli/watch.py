"""`simfactory watch`: how a job goes, until it has ended."""

from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from simfactory.cli.service import JsonLines, State, Url, by_reason, clean, connect, line, sized, span
from simfactory.errors import ServiceError

if TYPE_CHECKING:
    from simfactory.client import Client
    from simfactory.protocol import Failure, Job, JobProgress

__all__ = ["follow", "given_up", "watch"]

_SHOWN = 20  # given-up episodes that are told one by one
INTERRUPTED = 130  # 128 + SIGINT


def watch(
    job: Annotated[str, typer.Argument(help="Id of a job; `simfactory ls` lists them.")],
    url: Url = None,
    state: State = None,
    as_json: JsonLines = False,
) -> None:
    """Show how a job goes, until it has ended; Ctrl-C leaves the job as it is.

    Exit code: 0 = completed; 1 = failed, cancelled, or with episodes that were given up; 130 = Ctrl-C.
    With --json: the job, one document a line, each time it has changed.
    """
    with connect(url, state) as client:
        code = follow(client, job, as_json=as_json)
    raise typer.Exit(code)


def follow(client: "Client", job: str, *, as_json: bool) -> int:
    """Show how a job goes until it has ended; return the exit code that this means."""
    try:
        last = _shown(client, job, as_json=as_json)
        failures = client.failures(job) if last.progress.failed else []
    except KeyboardInterrupt:
        typer.echo(
            f"\nthe job goes on: `simfactory watch {job}` shows it again, `simfactory cancel {job}` ends it", err=True
        )
        return INTERRUPTED
    if not as_json:
        typer.echo(_summary(last))
    for text in given_up(failures, last.progress.failed):
        typer.echo(text, err=as_json)
    return 0 if last.state == "completed" and not last.progress.failed else 1


def _shown(client: "Client", job: str, *, as_json: bool) -> "Job":
    last = None
    if as_json:
        for last in client.watch(job):
            line(last)
    else:
        with _Bar(Console(stderr=True)) as bar:
            for last in client.watch(job):
                bar.show(last)
    if last is None:
        raise ServiceError(f"job {job} could not be watched: `simfactory get {job}` shows it")
    return last


def given_up(failures: "list[Failure]", count: int) -> list[str]:
    """Return what is to be said about episodes that were given up."""
    told = [
        f"given up: part {one.part}, episode {one.index}, after attempt {one.attempt}: {clean(one.reason)}"
        + (f": {clean(one.detail)}" if one.detail else "")
        for one in failures[:_SHOWN]
    ]
    more = max(count, len(failures)) - len(told)
    return [*told, f"given up: {more:,} more"] if more > 0 else told


def _summary(job: "Job") -> str:
    progress, request = job.progress, job.request
    parts = [
        f"job {job.id} {job.state}" + (f" ({clean(job.reason)})" if job.reason else ""),
        f"{progress.clips_done:,} of {progress.clips_wanted:,} clips in dataset {clean(request.dataset)}",
        f"{progress.frames:,} frames, {sized(progress.bytes)}",
    ]
    if job.finished is not None:
        parts.append(f"after {span(job.finished - job.created)}")
    if progress.replaced:
        parts.append(f"{progress.replaced:,} refused and replaced ({by_reason(progress.reasons)})")
    return "; ".join(parts)


class _Bar:
    """A bar over clips, with rate, time to the end, and failures by reason."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[pace]}", markup=False),
            TextColumn("{task.fields[trouble]}", markup=False),
            console=console,
        )
        self._task = self._bars.add_task("waiting", total=None, pace="", trouble="")

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def show(self, job: "Job") -> None:
        """Show a job as it is now."""
        progress = job.progress
        reason = f" ({clean(job.reason)})" if job.reason else ""
        self._bars.update(
            self._task,
            description=f"{job.id} {job.state}{reason}",
            total=progress.clips_wanted or None,
            completed=progress.clips_done,
            pace=_pace(progress) if job.finished is None else "",
            trouble=_trouble(progress),
            refresh=True,
        )


def _pace(progress: "JobProgress") -> str:
    if progress.clips_per_hour is None:
        return ""
    text = f"{progress.clips_per_hour:,.0f} clips/h"
    if progress.eta_seconds is None:
        return text
    interval = progress.eta_interval
    between = f" ({span(interval[0])} to {span(interval[1])})" if interval and len(interval) == 2 else ""
    return f"{text}, {span(progress.eta_seconds)} left{between}"


def _trouble(progress: "JobProgress") -> str:
    parts = [f"replaced {progress.replaced:,}: {by_reason(progress.reasons)}"] if progress.replaced else []
    return "; ".join([*parts, f"given up {progress.failed:,}"] if progress.failed else parts)
