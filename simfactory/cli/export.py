"""`simfactory export`: clips of the service as a local dataset."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from simfactory.cli.service import Json, State, Url, connect, document, sized
from simfactory.errors import ServiceError, SpecError

if TYPE_CHECKING:
    from simfactory.client import Client, Export
    from simfactory.protocol import Clip

__all__ = ["export"]


def export(
    source: Annotated[str, typer.Argument(metavar="DATASET|JOB", help="Name of a dataset, or id of a job.")],
    out: Annotated[Path, typer.Option(help="Folder of the local dataset; made if missing, continued if not.")],
    version: Annotated[int | None, typer.Option(help="Only the clips of this version of the dataset.")] = None,
    category: Annotated[str | None, typer.Option(help="Only clips of this category.")] = None,
    split: Annotated[str | None, typer.Option(help="Only clips of this split.")] = None,
    url: Url = None,
    state: State = None,
    as_json: Json = False,
) -> None:
    """Copy clips into a local dataset, as `generate` would have made it; a repeated command fetches what is missing.

    With --json: {"source": …, "dataset": …, "out": …, "clips": …, "fetched": …, "bytes": …}.
    """
    with connect(url, state) as client:
        dataset, found, total = _chosen(client, source, version)
        wanted = (clip.id for clip in found if category in (None, clip.category) and split in (None, clip.split))
        try:
            done = _copied(client, dataset, wanted, out, total=total)
        except KeyboardInterrupt:
            typer.echo("\nstopped; what is there stays, the same command fetches the rest", err=True)
            raise typer.Exit(130) from None
    if as_json:
        document({"source": source, "dataset": dataset, "out": str(out), **asdict(done)})
    else:
        typer.echo(f"{done.clips:,} clips of dataset {dataset} in {out}: {done.fetched:,} new, {sized(done.bytes)}")


def _chosen(client: "Client", source: str, version: int | None) -> tuple[str, "Iterator[Clip]", int | None]:
    """Return the dataset, the clips that are meant, and their size [B]."""
    try:
        dataset = client.dataset(source)
    except ServiceError as error:
        if error.status not in (404, 422):
            raise
    else:
        if version is not None:
            return dataset.name, client.manifest(dataset.name, version=version), None
        return dataset.name, client.clips(dataset=dataset.name), dataset.bytes
    if version is not None:
        raise SpecError(f"there is no dataset {source!r}, and only datasets have versions: leave --version out")
    try:
        job = client.job(source)
    except ServiceError as error:
        if error.status not in (404, 422):
            raise
        raise ServiceError(
            f"there is neither a dataset nor a job {source!r}: `simfactory ls` lists jobs and their datasets",
            status=error.status,
        ) from error
    return job.request.dataset, client.job_clips(job.id), job.progress.bytes


def _copied(client: "Client", dataset: str, clips: "Iterator[str]", out: Path, *, total: int | None) -> "Export":
    from simfactory.client import export as copy

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("0 clips", total=total)
        count = 0

        def done(size: int) -> None:
            nonlocal count
            count += 1
            bars.update(task, advance=size, description=f"{count:,} clips")

        result = copy(client, dataset, clips, out, done=done)
        bars.update(task, total=result.bytes, completed=result.bytes)  # what was here before or left out is no rest
        return result
