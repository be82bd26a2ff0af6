"""Environment maps, textures and normal maps by digest: those of the package, and the user's in the asset folder."""

import hashlib
import json
import os
import tomllib
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simfactory.assets import EDGE_MAX, Pixels, asset_root, declared_size, decoded, read_image
from simfactory.errors import AssetError

__all__ = [
    "MAP_FORMATS",
    "MapKind",
    "MapRecord",
    "add_map",
    "find_map",
    "load_environment",
    "load_image",
    "shipped_maps",
]

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
MapKind = Literal["environment", "texture", "normal"]

MAP_FORMATS = ("png", "jpg", "jpeg", "hdr")
BYTES_MAX = 64 * 2**20


class MapRecord(BaseModel):
    """What is known about one map.

    Attributes:
        name: Its name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="Its name")
    kind: MapKind = Field(description="What it is for")
    file: str = Field(description="Its file, in the package's data or in the asset folder")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Digest of the file's bytes: specs name it so")
    bytes: int = Field(gt=0, le=BYTES_MAX, description="Size of the file [B]")
    width: int = Field(gt=0, le=EDGE_MAX, description="Width [px]")
    height: int = Field(gt=0, le=EDGE_MAX, description="Height [px]")
    licence: str = Field(min_length=1, description="Its licence, e.g. CC0-1.0")
    author: str = Field(default="", description="Who made it")
    source: str = Field(default="", description="Where it came from")
    green: Literal["up", "down"] = Field(default="up", description="Where green of a normal map leans in the image")
    setting: Literal["", "indoor", "outdoor"] = Field(default="", description="What an environment map shows")


@cache
def shipped_maps() -> dict[str, MapRecord]:
    """Return the maps that come with the package, by name, as its manifest lists them."""
    text = files("simfactory").joinpath("data", "manifest.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["asset"]
    return {name: MapRecord.model_validate({"name": name, **row}) for name, row in rows.items()}


def find_map(digest: str) -> MapRecord:
    """Return the record of a map.

    Raises:
        AssetError: No map has this digest, or its record is unreadable.
    """
    found = next((record for record in shipped_maps().values() if record.sha256 == digest), None)
    if found is not None:
        return found
    path = asset_root() / f"{digest}.json"
    if not path.is_file():
        came = next((p for p in (path.with_suffix(".png"), path.with_suffix(".jpg")) if p.is_file()), None)
        if came is not None:
            return _with_a_mesh(came, digest)
        raise AssetError(
            f"no environment map or image with digest {digest} in the package or in {asset_root()}: "
            "run `simfactory assets add FILE` or set SIMFACTORY_ASSETS"
        )
    try:
        return MapRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        raise AssetError(f"the record {path} is damaged: add the file again") from error


def _with_a_mesh(path: Path, digest: str) -> MapRecord:
    """Return the record of a texture that came with a mesh; what is known of it stands in the mesh's record."""
    content = path.read_bytes()
    width, height = declared_size(content) or (0, 0)
    if not 0 < width <= EDGE_MAX or not 0 < height <= EDGE_MAX or not 0 < len(content) <= BYTES_MAX:
        raise AssetError(f"the texture {path} is no image, or larger than {EDGE_MAX} px or {BYTES_MAX:,} bytes")
    return MapRecord(
        name="texture of a mesh",
        kind="texture",
        file=path.name,
        sha256=digest,
        bytes=len(content),
        width=width,
        height=height,
        licence="that of the mesh",
    )


def add_map(
    path: Path,
    *,
    licence: str,
    kind: MapKind | None = None,
    green: Literal["up", "down"] = "up",
    author: str = "",
    source: str = "",
) -> str:
    """Check an image or environment map, copy it into the asset folder with a record and return its digest.

    Args:
        path: A PNG or JPEG image, or a Radiance HDR environment map of twice its height in width.
        licence: Its licence, e.g. CC0-1.0.
        kind: What it is for; default: `environment` for HDR files, otherwise `texture`.
        green: Where green of a normal map leans in the image: `up` (OpenGL) or `down` (DirectX).
        author: Who made it.
        source: Where it came from.

    Raises:
        AssetError: The file is missing, too large, of an unknown format, or unreadable.
    """
    if not path.is_file():
        raise AssetError(f"no image file at {path}: give the path of a PNG, JPEG or HDR file")
    suffix = path.suffix.lower().lstrip(".")
    if suffix not in MAP_FORMATS:
        raise AssetError(f"{path.name} is {suffix or 'without an ending'}; allowed are {', '.join(MAP_FORMATS)}")
    if path.stat().st_size > BYTES_MAX:
        raise AssetError(f"{path.name} has {path.stat().st_size:,} bytes; at most {BYTES_MAX:,} are allowed")
    if not licence.strip():
        raise AssetError(f"{path.name} has no licence: name the one under which you may use it, e.g. CC0-1.0")
    chosen: MapKind = kind or ("environment" if suffix == "hdr" else "texture")
    if (chosen == "environment") != (suffix == "hdr"):
        raise AssetError(
            f"{path.name} cannot be a map of kind {chosen}: environment maps are HDR files, others are not"
        )
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    read_image(content, digest, label=path.name, light=chosen == "environment")
    width, height = declared_size(content) or (0, 0)
    record = MapRecord(
        name=path.stem,
        kind=chosen,
        file=f"{digest}.{suffix}",
        sha256=digest,
        bytes=len(content),
        width=width,
        height=height,
        licence=licence.strip(),
        green=green,
        author=author,
        source=source,
    )
    _write(asset_root() / record.file, content)
    _write(asset_root() / f"{digest}.json", json.dumps(record.model_dump(), indent=2).encode())
    return digest


@lru_cache(maxsize=64)
def load_environment(digest: str) -> Float32:
    """Return an environment map's radiance `(height, width, 3)`, linear, width twice the height, read-only.

    The first row is the zenith; the middle of a row looks along +x, its left and right end along -x, and columns run
    to the right as one turns to the right. The size is the file's or, where that is no power of two or out of limits,
    the nearest allowed one.

    Raises:
        AssetError: The map is missing, changed, of another kind, or unreadable.
    """
    image = _loaded(digest, ("environment",)).astype(np.float32)
    image.setflags(write=False)
    return image


@lru_cache(maxsize=64)
def load_image(digest: str, kind: Literal["texture", "normal"]) -> UInt8:
    """Return a texture or normal map `(height, width, 3)`, its edges powers of two, green of normals up; read-only.

    Raises:
        AssetError: The map is missing, changed, of another kind, or unreadable.
    """
    result = np.array(_loaded(digest, (kind,)), np.uint8)
    if find_map(digest).green == "down":
        result[..., 1] = 255 - result[..., 1]
    result.setflags(write=False)
    return result


def _loaded(digest: str, kinds: tuple[MapKind, ...]) -> Pixels:
    record = find_map(digest)
    if record.kind not in kinds:
        raise AssetError(f"map {record.name!r} is of kind {record.kind}, here {' or '.join(kinds)} is needed")
    shipped = record.name in shipped_maps() and shipped_maps()[record.name] == record
    path = Path(str(files("simfactory").joinpath("data", record.file))) if shipped else asset_root() / record.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AssetError(f"cannot read map {record.name!r} at {path}: {error.strerror or error}") from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise AssetError(f"map {path} no longer has the digest {digest}: add the file again")
    light = record.kind == "environment"
    if shipped:  # read here: these files are the package's own
        return decoded(content, light=light)
    return read_image(content, digest, label=path.name, light=light)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_bytes(content)
    partial.replace(path)
