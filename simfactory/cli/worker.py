"""`simfactory worker`: works for a service, on this machine or another."""

import os
import signal
from typing import Annotated

import typer

__all__ = ["worker"]


def worker(
    *,
    redis: Annotated[str, typer.Option(help="Address of the queue's server.", envvar="REDIS_URL")],
    data: Annotated[str, typer.Option(help="Folder or s3:// address of the datasets.", envvar="SIMFACTORY_DATA")],
    backend: Annotated[str, typer.Option(help="Backends to serve, comma-separated.")] = "newton,mock",
    device: Annotated[str, typer.Option(help="cpu or a CUDA device, e.g. cuda:0.")] = "cpu",
    environments: Annotated[int, typer.Option(help="Episodes to simulate at a time.", min=1)] = 2,
    lease: Annotated[
        float, typer.Option(help="Silence after which it counts as dead [s].", envvar="SIMFACTORY_LEASE")
    ] = 20.0,
    max_idle: Annotated[float | None, typer.Option(help="End after so many seconds without work.")] = None,
) -> None:
    """Take shards from a queue, record their episodes, report each. SIGTERM finishes what is near its end."""
    from simfactory.logs import write_json_logs
    from simfactory.simulators import check_backends
    from simfactory.worker import Worker, WorkerOptions

    write_json_logs()
    backends = tuple(name.strip() for name in backend.split(",") if name.strip())
    check_backends(backends)
    options = WorkerOptions(
        redis=redis,
        data=data,
        backends=backends,
        device=device,
        environments=environments,
        lease=lease,
        max_idle=max_idle,
    )
    work = Worker(options)
    write_json_logs(worker=work.name)
    signal.signal(signal.SIGTERM, lambda number, frame: work.stop())
    signal.signal(signal.SIGINT, lambda number, frame: work.stop(0.0))
    os.environ.pop("REDIS_URL", None)  # what engines start need not know the password
    raise typer.Exit(work.run_to_end())
