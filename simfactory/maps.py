"""Environment maps, textures and normal maps by digest: those of the package, and the user's in the asset folder."""

import hashlib
import json
import os
import re
import tomllib
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simfactory.assets import asset_root
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
Pixels = npt.NDArray[np.float32 | np.uint8]
UInt8 = npt.NDArray[np.uint8]
MapKind = Literal["environment", "texture", "normal"]

MAP_FORMATS = ("png", "jpg", "jpeg", "hdr")
BYTES_MAX = 64 * 2**20
EDGE_MAX = 8192  # of a file [px]
ENVIRONMENT_WIDTH = 128, 1024  # limits of an environment map in memory [px]
IMAGE_EDGE = 1024  # to which larger images are reduced [px]


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
        raise AssetError(
            f"no environment map or image with digest {digest} in the package or in {asset_root()}: "
            "run `simfactory assets add FILE` or set SIMFACTORY_ASSETS"
        )
    try:
        return MapRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        raise AssetError(f"the record {path} is damaged: add the file again") from error


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
    height, width = _decoded(content, path.name, chosen).shape[:2]
    digest = hashlib.sha256(content).hexdigest()
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
    low, high = ENVIRONMENT_WIDTH
    width = min(max(_power_of_two(image.shape[1]), low), high)
    if image.shape[1] != width:
        image = np.asarray(_resized(image, width // 2, width), np.float32)
    image.setflags(write=False)
    return image


@lru_cache(maxsize=64)
def load_image(digest: str, kind: Literal["texture", "normal"]) -> UInt8:
    """Return a texture or normal map `(height, width, 3)`, its edges powers of two, green of normals up; read-only.

    Raises:
        AssetError: The map is missing, changed, of another kind, or unreadable.
    """
    image = _loaded(digest, (kind,))
    height, width = (min(_power_of_two(edge), IMAGE_EDGE) for edge in image.shape[:2])
    if image.shape[:2] != (height, width):
        image = _resized(image, height, width)
    result = np.array(image, np.uint8)
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
    return _decoded(content, path.name, record.kind)


def _decoded(content: bytes, name: str, kind: MapKind) -> Pixels:
    """Decode a file to RGB `(height, width, 3)`: float32 for environment maps, otherwise uint8."""
    import cv2

    size = _declared_size(content)
    if size is not None and max(size) > EDGE_MAX:
        raise AssetError(f"{name} has {size[0]}x{size[1]} pixels; at most {EDGE_MAX} along an edge are allowed")
    try:
        flags = cv2.IMREAD_UNCHANGED if kind == "environment" else cv2.IMREAD_COLOR
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as error:
        raise AssetError(f"cannot read {name}: {error.err}") from error
    if size is None or image is None or image.ndim != 3 or image.shape[2] != 3:
        raise AssetError(f"cannot read {name} as an image in colour: it is damaged or of another format")
    image = np.ascontiguousarray(image[..., ::-1])
    if kind != "environment":
        return np.asarray(image, np.uint8)
    if image.shape[1] != 2 * image.shape[0]:
        raise AssetError(f"{name} has {image.shape[1]}x{image.shape[0]} pixels; an environment map is twice as wide")
    if image.dtype != np.float32 or not np.isfinite(image).all() or image.min() < 0.0 or image.max() <= 0.0:
        raise AssetError(f"{name} holds no light, negative light or values that are no numbers: write it anew")
    return np.asarray(image, np.float32)


def _declared_size(content: bytes) -> tuple[int, int] | None:
    """Return the width and height that a file's header declares; None where it has none that is known."""
    if content[:8] == b"\x89PNG\r\n\x1a\n" and len(content) > 24:
        return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return 1, 1  # only those of the package, which are small
    if content[:2] == b"#?":
        found = re.search(rb"\n-Y (\d{1,9}) \+X (\d{1,9})\n", content[:4096])
        return (int(found[2]), int(found[1])) if found else None
    place = 2
    while content[:2] == b"\xff\xd8" and place + 9 < len(content) and content[place] == 0xFF:
        marker, length = content[place + 1], int.from_bytes(content[place + 2 : place + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # start of a frame
            height, width = content[place + 5 : place + 7], content[place + 7 : place + 9]
            return int.from_bytes(width, "big"), int.from_bytes(height, "big")
        place += 2 + length
    return None


def _power_of_two(edge: int) -> int:
    """Return the power of two nearest to an edge [px], by ratio."""
    return 1 << max(round(float(np.log2(edge))), 0)


def _resized(image: Pixels, height: int, width: int) -> Pixels:
    import cv2

    mode = cv2.INTER_AREA if height <= image.shape[0] and width <= image.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=mode))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_bytes(content)
    partial.replace(path)
