"""`simfactory up`, `reconcile`, `catalog`, `token` and `view`: the service, and what it shows without one."""

import os
import secrets
import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["catalog", "reconcile", "token", "up", "view"]

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


def view(
    clip: Annotated[Path, typer.Argument(help="Folder or address of a clip (….zarr) or dataset (its first clip).")],
    port: Annotated[int, typer.Option(help="Port on this machine; 0 = any that is free.", min=0, max=65535)] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
    rerun: Annotated[bool, typer.Option("--rerun", help="Open it in the Rerun viewer (extra: rerun).")] = False,
    out: Annotated[Path | None, typer.Option(help="With --rerun: write this .rrd file and open nothing.")] = None,
) -> None:
    """Look at a clip: pictures, the 4D scene, curves. Nothing but this machine can see it. Ctrl-C ends it."""
    from simfactory.cli.locate import locate
    from simfactory.errors import SpecError

    if out is not None and not rerun:
        raise SpecError("--out names the file that --rerun writes: give both or neither")
    _, clips = locate(clip)
    if rerun:
        from api.local_rerun import show

        show(clips[0], out=out, port=port or None, desktop=not no_browser and _has_desktop(), say=typer.echo)
        return
    from api.local_view import OneToken, loopback_socket, make_view, serve_view

    listener = loopback_socket(port)
    port, secret = listener.getsockname()[1], secrets.token_urlsafe(24)
    address = f"http://127.0.0.1:{port}/login?next=/clips/{clips[0].id}#token={secret}"

    def ready() -> None:
        typer.echo(address)
        if len(clips) > 1:
            typer.echo(f"{len(clips):,} clips; all are listed at http://127.0.0.1:{port}/")
        if not no_browser and _has_desktop():
            webbrowser.open(address)

    try:
        serve_view(make_view({each.id: each for each in clips}, OneToken(secret, port)), listener, ready=ready)
    except KeyboardInterrupt:
        typer.echo("")


def _has_desktop() -> bool:
    """Tell whether a browser would open a window, not take the terminal."""
    return sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
