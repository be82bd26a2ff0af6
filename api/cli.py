"""`simfactory up`, `reconcile`, `catalog` and `token`: the commands of whoever runs the service."""

import os
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["catalog", "reconcile", "token", "up"]

STATE = typer.Option(help="Folder of what the service knows.", envvar="SIMFACTORY_STATE")
DEFAULT_STATE = Path(".simfactory")


def up(
    *,
    backend: Annotated[str, typer.Option(help="Backends of the workers, comma-separated.")] = "newton,mock",
    workers: Annotated[int | None, typer.Option(help="Worker processes; default: one per core, 0 = none.")] = None,
    environments: Annotated[int, typer.Option(help="Episodes that each worker simulates at a time.")] = 2,
    device: Annotated[str, typer.Option(help="cpu or a CUDA device, e.g. cuda:0.")] = "cpu",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port.", min=1, max=65535)] = 8000,
    state: Annotated[Path, STATE] = DEFAULT_STATE,
    data: Annotated[
        str | None, typer.Option(help="Folder or s3:// address of the datasets; default: in the state folder.")
    ] = None,
) -> None:
    """Run the service on this machine: queue, API and workers. Ctrl-C stops it; the next `up` goes on.

    With REDIS_URL and DATABASE_URL nothing is embedded.
    """
    from api.settings import Settings
    from api.supervisor import Supervisor, UpOptions
    from simfactory.processes import core_count
    from simfactory.simulators import check_backends

    backends = tuple(name.strip() for name in backend.split(",") if name.strip())
    check_backends(backends)
    settings = Settings.of(state, host=host, port=port, data=data)
    count = core_count() if workers is None else workers
    options = UpOptions(settings=settings, workers=count, backends=backends, device=device, environments=environments)
    Supervisor(options, typer.echo).run()


def reconcile(state: Annotated[Path, STATE] = DEFAULT_STATE) -> None:
    """Rebuild the queue from the database, and the catalogue from the commit records. For a service that is down."""
    from api.repair import reconcile as repair
    from api.settings import Settings

    found = repair(Settings.of(state))
    typer.echo(f"queued again {found.shards} shards of {found.jobs} jobs; entered {found.clips} clips")


catalog = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, help="The clip catalogue.")


@catalog.callback()
def _catalog() -> None:
    """Look after the catalogue; the datasets' commit records are what counts."""


@catalog.command("rebuild")
def rebuild(state: Annotated[Path, STATE] = DEFAULT_STATE) -> None:
    """Make the catalogue anew from the commit records of all datasets."""
    from api.repair import rebuild_catalogue
    from api.settings import Settings

    clips, datasets = rebuild_catalogue(Settings.of(state))
    typer.echo(f"{clips} clips in {datasets} datasets")


def token(
    scopes: Annotated[str, typer.Option(help="What it allows, comma-separated: read, submit, admin, worker.")] = "read",
    state: Annotated[Path, STATE] = DEFAULT_STATE,
) -> None:
    """Make a token and print it, this once. The API knows it after its next start."""
    from api.security import Tokens

    state.mkdir(parents=True, exist_ok=True)
    os.chmod(state, 0o700)  # noqa: PTH101  # the folder may be a link
    typer.echo(Tokens(state).add(scope.strip() for scope in scopes.split(",")))
