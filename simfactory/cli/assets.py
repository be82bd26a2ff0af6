"""`simfactory assets`: user meshes into the content-addressed asset folder."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, help="User meshes.")


@app.callback()
def _assets() -> None:
    """Manage user meshes; specs name them by digest."""


@app.command("add")
def add(file: Annotated[Path, typer.Argument(help="An OBJ, STL, PLY or GLB file of one closed surface.")]) -> None:
    """Add a mesh and print its digest."""
    from simfactory.assets import add_mesh

    typer.echo(add_mesh(file))
