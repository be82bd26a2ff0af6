"""`simfactory assets`: user meshes, images and environment maps into the content-addressed asset folder."""

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, help="Meshes and maps.")


@app.callback()
def _assets() -> None:
    """Manage meshes, images and environment maps; specs name them by digest."""


@app.command("add")
def add(
    file: Annotated[
        Path, typer.Argument(help="A mesh (OBJ, STL, PLY, GLB), an image (PNG, JPEG) or an environment map (HDR).")
    ],
    licence: Annotated[str, typer.Option(help="Licence of an image or map, e.g. CC0-1.0; recorded beside it.")] = "",
    normal: Annotated[bool, typer.Option("--normal", help="The image is a normal map, not a texture.")] = False,
    green_down: Annotated[
        bool, typer.Option("--green-down", help="Green of the normal map leans down (DirectX), not up (OpenGL).")
    ] = False,
    author: Annotated[str, typer.Option(help="Who made it.")] = "",
    source: Annotated[str, typer.Option(help="Where it came from.")] = "",
) -> None:
    """Add a mesh, image or map and print its digest."""
    from simfactory.assets import add_mesh
    from simfactory.maps import MAP_FORMATS, MapKind, add_map

    if file.suffix.lower().lstrip(".") in MAP_FORMATS:
        kind: MapKind | None = "normal" if normal else None
        green: Literal["up", "down"] = "down" if green_down else "up"
        typer.echo(add_map(file, licence=licence, kind=kind, green=green, author=author, source=source))
    else:
        typer.echo(add_mesh(file))


@app.command("list")
def show() -> None:
    """List the maps that come with the package: name, kind, size, licence, digest."""
    from simfactory.maps import shipped_maps

    for record in shipped_maps().values():
        size = f"{record.width}x{record.height}"
        typer.echo(f"{record.name:12} {record.kind:11} {size:9} {record.licence} {record.sha256}")
