"""The `simfactory` command; its subcommands are found through the entry points `simfactory.commands`."""

import sys
from importlib.metadata import EntryPoint, entry_points, version
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from simfactory.errors import SimfactoryError
from simfactory.spec import explain

__all__ = ["main"]

GROUP = "simfactory.commands"


class CommandGroup(TyperGroup):
    """Loads a subcommand when it is asked for, so that one that is not installed does not disturb the others."""

    def list_commands(self, ctx: Any) -> list[str]:  # Any: typer keeps its own copy of click's Context
        """Return the names of all registered subcommands."""
        return sorted({entry.name for entry in entry_points(group=GROUP)})

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # Any: as above, for Context and Command
        """Return a subcommand, or None if there is none of this name."""
        for entry in entry_points(group=GROUP, name=cmd_name):
            return _command(entry)
        return None


def _command(entry: EntryPoint) -> Any:  # Any: typer keeps its own copy of click's Command
    try:
        loaded = entry.load()
    except ImportError as error:
        loaded = _absent(entry.name, error)
    if isinstance(loaded, typer.Typer):
        subapp = loaded
    else:
        # Only the whole command offers to install completion, for all of its subcommands.
        subapp = typer.Typer(add_completion=False, rich_markup_mode=None)
        subapp.command()(loaded)
    command = typer.main.get_command(subapp)
    command.name = entry.name
    return command


def _absent(name: str, reason: ImportError) -> typer.Typer:
    """Return what stands for a subcommand that cannot be loaded, so that help and completion list the others."""
    subapp = typer.Typer(add_completion=False, rich_markup_mode=None)

    @subapp.command(
        help=f"Not available here: {reason}.",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
    def absent() -> None:
        raise SimfactoryError(
            f"`simfactory {name}` cannot run here: {reason}; pip install 'simfactory[all]'"
        ) from reason

    return subapp


app = typer.Typer(
    cls=CommandGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"simfactory {version('simfactory')}")
        raise typer.Exit


@app.callback()
def _group(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Simulate randomized scenes and record exactly annotated clips."""


def main() -> None:
    """Run the command line; errors that simfactory raises on purpose are printed as one line."""
    try:
        app()
    except SimfactoryError as error:
        typer.echo(f"error: {error.args[0] if error.args else error}", err=True)
        sys.exit(1)
    except ValidationError as error:
        typer.echo(f"error: {explain(error)}", err=True)
        sys.exit(1)
