"""What is written down about a mesh, a user's or one of the package: one JSON file beside it."""

import os
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simfactory.assets.limits import MESH_FORMATS
from simfactory.errors import AssetError

__all__ = [
    "AssetRecord",
    "Repairs",
    "asset_root",
    "asset_roots",
    "list_records",
    "load_record",
    "shipped_meshes",
    "write_record",
]

DIGEST = re.compile(r"[0-9a-f]{64}")
_SHIPPED = Path(str(files("simfactory").joinpath("data", "meshes")))

Sha256 = Annotated[str, Field(pattern=DIGEST.pattern + "$")]


class Repairs(BaseModel):
    """What was changed in a mesh before it was accepted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    merged_vertices: int = Field(ge=0, description="Vertices that lay on others")
    dropped_faces: int = Field(ge=0, description="Faces without area, double, or back to back")
    turned_faces: int = Field(ge=0, description="Faces turned to agree with their neighbours and look outwards")
    closed_holes: int = Field(ge=0, description="Small holes closed")


class Factors(BaseModel):
    """Factors of a file's material, in the words of specs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_color: tuple[float, float, float] = Field(description="Base colour, sRGB, 0–1; it multiplies the image")
    metallic: float = Field(ge=0.0, le=1.0, description="0 dielectric – 1 metal")
    roughness: float = Field(ge=0.0, le=1.0, description="Microfacet roughness, 0–1")


class AssetRecord(BaseModel):
    """A user mesh."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: Sha256 = Field(description="SHA-256 of the file as given; how specs name it")
    name: str = Field(description="File name as given")
    suffix: str = Field(description="Format: obj, stl, ply or glb")
    byte_count: int = Field(ge=0, description="Size of the file [byte]")
    licence: str | None = Field(default=None, max_length=200, description="SPDX identifier; null = not stated")
    source: str | None = Field(default=None, max_length=2000, description="Where it comes from; null = not stated")
    metres_per_unit: float | None = Field(
        default=None, gt=0.0, le=100.0, description="Scale to use in specs [m per file unit]; null = not known"
    )
    up_axis: str = Field(description="Axis of the file that becomes z: z, or y for glb")
    vertex_count: int = Field(ge=0, description="Vertices after repair")
    triangle_count: int = Field(ge=0, description="Triangles after repair")
    extent: tuple[float, float, float] = Field(description="Size along x, y, z [file units]")
    volume: float = Field(gt=0.0, description="Enclosed volume [cubic file units]")
    repairs: Repairs
    part_count: int | None = Field(default=None, description="Convex parts for contact; null = not made yet")
    has_texture_coordinates: bool = Field(description="Whether its faces carry texture coordinates")
    texture_digest: Sha256 | None = Field(default=None, description="SHA-256 of its base-colour image; null = none")
    factors: Factors | None = Field(default=None, description="Of its material; null = it states none")
    texture_suffix: str | None = Field(default=None, description="Format of that image: png or jpg")


def asset_root() -> Path:
    """Return the asset folder: `$SIMFACTORY_ASSETS`, else `~/.cache/simfactory/assets`."""
    given = os.environ.get("SIMFACTORY_ASSETS")
    return Path(given) if given else Path.home() / ".cache" / "simfactory" / "assets"


def asset_roots() -> tuple[Path, Path]:
    """Return where assets are looked for: the asset folder, and the meshes of the package."""
    return asset_root(), _SHIPPED


@cache
def shipped_meshes() -> dict[str, str]:
    """Return the digests of the meshes that come with the package, by name."""
    records = (load_record(path.stem) for path in _paths((_SHIPPED,)))
    return {Path(record.name).stem: record.digest for record in records}


def write_record(record: AssetRecord) -> None:
    """Write a record beside its mesh; an older one is replaced at once."""
    target = asset_root() / f"{record.digest}.json"
    partial = target.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(record.model_dump_json(indent=2) + "\n")
    partial.replace(target)


def load_record(digest: str) -> AssetRecord:
    """Return the record of a mesh; the beginning of a digest will do if no other record shares it.

    Raises:
        AssetError: There is no such record, there are several, or it cannot be read.
    """
    found = [path for path in _paths() if path.stem.startswith(digest)]
    if len(found) != 1 or not digest:
        known = "several begin" if found else "no record begins"
        raise AssetError(f"{known} with {digest!r} in {asset_root()}: see `simfactory assets list`")
    try:
        return AssetRecord.model_validate_json(found[0].read_bytes())
    except ValidationError as error:
        raise AssetError(f"{found[0]} is no record of a mesh: add the mesh again") from error


def list_records() -> list[AssetRecord]:
    """Return the records of all meshes, ordered by name.

    Raises:
        AssetError: One cannot be read.
    """
    return sorted((load_record(path.stem) for path in _paths()), key=lambda record: (record.name, record.digest))


def _paths(roots: Iterable[Path] | None = None) -> list[Path]:
    """Return the records of meshes: those of images, in the same folder, have no mesh beside them."""
    found = {path.stem: path for root in reversed([*(roots or asset_roots())]) for path in root.glob("*.json")}
    named = [path for stem, path in sorted(found.items()) if DIGEST.fullmatch(stem)]
    return [path for path in named if any(path.with_suffix(f".{suffix}").is_file() for suffix in MESH_FORMATS)]
