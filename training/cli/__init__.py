"""The `simfactory-train` command; its subcommands are the files beside this one."""

import importlib
import pkgutil
import sys
from importlib.metadata import version
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from simfactory.errors import SimfactoryError
from simfactory.spec import explain

__all__ = ["main"]


class CommandGroup(TyperGroup):
    """Imports a subcommand when it is asked for: `NAME.py` holds it as `COMMAND`; `_NAME.py` is none."""

    def list_commands(self, ctx: Any) -> list[str]:  # Any: typer keeps its own copy of click's Context
        """Return the names of all subcommands."""
        return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # Any: as above, for Context and Command
        """Return a subcommand, or None if there is none of this name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        subapp = typer.Typer(add_completion=False, rich_markup_mode=None)
        subapp.command()(importlib.import_module(f"{__name__}.{cmd_name}").COMMAND)
        command = typer.main.get_command(subapp)
        command.name = cmd_name
        return command


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
    """Train video models on exactly annotated clips."""


def main() -> None:
    """Run the command line; errors that are raised on purpose are printed as one line."""
    try:
        app(prog_name="simfactory-train")
    except SimfactoryError as error:
        typer.echo(f"error: {error.args[0] if error.args else error}", err=True)
        sys.exit(1)
    except ValidationError as error:
        typer.echo(f"error: {explain(error)}", err=True)
        sys.exit(1)
