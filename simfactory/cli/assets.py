"""`simfactory assets`: user meshes, images and environment maps into the content-addressed asset folder."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, help="Meshes and maps.")


class Unit(StrEnum):
    """Lengths in which mesh files are written."""

    m = "m"
    cm = "cm"
    mm = "mm"
    inch = "in"


METRES = {Unit.m: 1.0, Unit.cm: 0.01, Unit.mm: 0.001, Unit.inch: 0.0254}


@app.callback()
def _assets() -> None:
    """Manage meshes, images and environment maps; specs name them by digest."""


@app.command("add")
def add(
    file: Annotated[
        Path, typer.Argument(help="A mesh (OBJ, STL, PLY, GLB), an image (PNG, JPEG) or an environment map (HDR).")
    ],
    *,
    licence: Annotated[str | None, typer.Option(help="Its licence, an SPDX identifier such as CC0-1.0.")] = None,
    source: Annotated[str | None, typer.Option(help="Where it comes from: an address or a name.")] = None,
    author: Annotated[str, typer.Option(help="Who made it (images and maps).")] = "",
    unit: Annotated[Unit | None, typer.Option(help="What one unit of a mesh file is; m for GLB.")] = None,
    normal: Annotated[bool, typer.Option("--normal", help="The image is a normal map, not a texture.")] = False,
    green_down: Annotated[
        bool, typer.Option("--green-down", help="Green of the normal map leans down (DirectX), not up (OpenGL).")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a mesh's record instead of the digest.")] = False,
) -> None:
    """Check and add a mesh, image or map; print its digest."""
    from simfactory.assets import add_mesh
    from simfactory.maps import MAP_FORMATS, MapKind, add_map

    if file.suffix.lower().lstrip(".") in MAP_FORMATS:
        kind: MapKind | None = "normal" if normal else None
        green: Literal["up", "down"] = "down" if green_down else "up"
        added = add_map(file, licence=licence or "", kind=kind, green=green, author=author, source=source or "")
        typer.echo(added)
        return
    metres = None if unit is None else METRES[unit]
    record = add_mesh(file, licence=licence, source=source, metres_per_unit=metres)
    typer.echo(record.model_dump_json(indent=2) if as_json else record.digest)
    repairs = {name: count for name, count in record.repairs.model_dump().items() if count}
    if repairs:
        typer.echo("repaired: " + ", ".join(f"{count} {name}" for name, count in repairs.items()), err=True)
    if licence is None:
        typer.echo("no licence is recorded: add the mesh again with --licence to state it", err=True)


@app.command("list")
def list_assets(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print one record a line as JSON.")] = False
) -> None:
    """List the meshes in the asset folder and the maps that come with the package."""
    from simfactory.assets import list_records
    from simfactory.maps import shipped_maps

    for record in list_records():
        if as_json:
            typer.echo(record.model_dump_json())
        else:
            parts = "?" if record.part_count is None else record.part_count
            licence = record.licence or "no licence stated"
            typer.echo(f"{record.digest[:12]}  {record.triangle_count:>9,}  {parts:>3}  {licence:<20} {record.name}")
    for shipped in shipped_maps().values():
        if as_json:
            typer.echo(shipped.model_dump_json())
        else:
            size = f"{shipped.width}x{shipped.height}"
            typer.echo(f"{shipped.sha256}  {shipped.kind:11} {size:9} {shipped.licence:<8} {shipped.name}")


@app.command("show")
def show(digest: Annotated[str, typer.Argument(help="Digest of a mesh, or its beginning.")]) -> None:
    """Print a mesh's record, and the geometry and the looks to write into a spec."""
    from simfactory.assets import load_record

    record = load_record(digest)
    geometry = {"shape": "mesh", "digest": record.digest, "scale": record.metres_per_unit or 1.0}
    visual: dict[str, object] = {} if record.factors is None else record.factors.model_dump()
    if record.texture_digest is not None and record.has_texture_coordinates:
        visual = {"base_color": (1.0, 1.0, 1.0), **visual}
        visual["texture"] = {"pattern": "uv", "digest": record.texture_digest}
    typer.echo(json.dumps({**record.model_dump(), "geometry": geometry, "visual": visual}, indent=2))
