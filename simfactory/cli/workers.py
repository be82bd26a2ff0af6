"""`simfactory workers`: who works."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from simfactory.cli.service import JsonLines, State, Url, clean, connect, lines, sized, span, table

if TYPE_CHECKING:
    from simfactory.protocol import Worker

__all__ = ["workers"]


def workers(
    drain: Annotated[
        list[str] | None, typer.Option(help="Let this worker finish what it has begun, and leave; may be repeated.")
    ] = None,
    url: Url = None,
    state: State = None,
    as_json: JsonLines = False,
) -> None:
    """List the workers that reported within their lease."""
    with connect(url, state) as client:
        for name in drain or []:
            client.drain(name)
            typer.echo(f"{clean(name)} finishes what it has begun, and leaves", err=True)
        found = client.workers()
    if as_json:
        lines(found)
        return
    columns = ("worker", "state", "host", "device", "backends", "slots", "shards", "clips", "memory", "up", "seen")
    table(columns, [_row(worker) for worker in found])


def _row(worker: "Worker") -> tuple[object, ...]:
    now = time.time()
    return (
        worker.name,
        worker.state,
        f"{worker.host}:{worker.pid}",
        worker.device,
        ", ".join(worker.backends),
        f"{len(worker.slots)}/{worker.environments}",
        len(worker.shards),
        worker.clips,
        "-" if worker.memory_bytes is None else sized(worker.memory_bytes),
        span(now - worker.since),
        f"{span(now - worker.beat)} ago",
    )
