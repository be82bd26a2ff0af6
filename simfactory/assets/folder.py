"""The asset folder: meshes go in checked and repaired, and come out as arrays."""

import hashlib
import shutil
import tempfile
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from simfactory.assets.convex import convex_parts
from simfactory.assets.limits import BYTES_MAX, MESH_FORMATS, run_confined
from simfactory.assets.record import AssetRecord, asset_root, asset_roots, write_record
from simfactory.assets.vault import keep_arrays, kept_arrays
from simfactory.errors import AssetError

__all__ = ["add_mesh", "load_mesh", "load_texture_coordinates"]

MESH_VERSION = 2  # of reading and repair; arrays of another version are made again


def add_mesh(
    path: Path,
    *,
    licence: str | None = None,
    source: str | None = None,
    metres_per_unit: float | None = None,
) -> AssetRecord:
    """Check and repair a mesh file, copy it into the asset folder with its record, and split it into convex parts.

    The file is read in a process with limited memory and time; nothing that it refers to is opened, except images and
    materials in its own folder.

    Args:
        path: An OBJ, STL, PLY or GLB file of closed surfaces.
        licence: Its licence as an SPDX identifier.
        source: Where it comes from.
        metres_per_unit: Scale to use in specs [m per file unit]; by default 1 for GLB, which is in metres.

    Raises:
        AssetError: The file is missing, too large, of an unknown format, hostile, or encloses no volume.
    """
    suffix = _checked_suffix(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    root = asset_root()
    root.mkdir(parents=True, exist_ok=True)
    target = root / f"{digest}.{suffix}"
    with tempfile.TemporaryDirectory(dir=root, prefix=".reading-") as folder:
        copied = Path(folder) / f"copy.{suffix}"
        shutil.copyfile(path, copied)
        answer = _read(copied, digest, suffix, label=path.name, beside=path.parent, folder=Path(folder))
        texture = _kept_texture(Path(folder), answer["texture"])
        copied.replace(target)
    vertices, triangles = load_mesh(digest)
    parts = convex_parts(digest, vertices, triangles)
    record = AssetRecord(
        digest=digest,
        name=path.name,
        suffix=suffix,
        byte_count=target.stat().st_size,
        licence=licence,
        source=source,
        metres_per_unit=1.0 if metres_per_unit is None and suffix == "glb" else metres_per_unit,
        up_axis="y" if suffix == "glb" else "z",
        vertex_count=answer["vertex_count"],
        triangle_count=answer["triangle_count"],
        extent=answer["extent"],
        volume=answer["volume"],
        repairs=answer["changes"],
        part_count=len(parts),
        has_texture_coordinates=answer["textured"],
        texture_digest=None if texture is None else texture.stem,
        factors=answer["factors"],
        texture_suffix=None if texture is None else texture.suffix.lstrip("."),
    )
    write_record(record)
    return record


def load_mesh(digest: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]:
    """Return the closed surface of an asset: vertices `(vertex, 3)` [file units] and triangles `(triangle, 3)`.

    Raises:
        AssetError: No asset has this digest, or its file changed or cannot be read.
    """
    arrays = _arrays(digest)
    return arrays["vertices"].copy(), arrays["triangles"].copy()


def load_texture_coordinates(digest: str) -> npt.NDArray[np.float32] | None:
    """Return texture coordinates `(triangle, 3, 2)` per corner of `load_mesh`'s triangles, from the lower left.

    Returns:
        None where the file has none.

    Raises:
        AssetError: As `load_mesh`.
    """
    coordinates = _arrays(digest).get("corner_uv")
    return None if coordinates is None else coordinates.copy()


def _checked_suffix(path: Path) -> str:
    if not path.is_file():
        raise AssetError(f"no mesh file at {path}: give the path of an OBJ, STL, PLY or GLB file")
    suffix = path.suffix.lower().lstrip(".")
    if suffix not in MESH_FORMATS:
        raise AssetError(f"{path.name} is {suffix or 'without an ending'}; allowed are {', '.join(MESH_FORMATS)}")
    if path.stat().st_size > BYTES_MAX:
        raise AssetError(f"{path.name} has {path.stat().st_size:,} bytes; at most {BYTES_MAX:,} are allowed")
    return suffix


def _read(
    path: Path, digest: str, suffix: str, *, label: str, beside: Path, folder: Path
) -> dict[str, Any]:  # Any: JSON, checked by the record
    """Read a file in a limited process and keep its arrays; return what the process said about it."""
    module = "simfactory.assets.reading"
    answer = run_confined(module, str(path), suffix, str(beside.resolve()), label=label, folder=folder)
    with np.load(folder / "mesh.npz", allow_pickle=False) as stored:
        keep_arrays(digest, f"mesh-{MESH_VERSION}", {name: stored[name] for name in stored.files})
    return answer


def _kept_texture(folder: Path, name: object) -> Path | None:
    """Move an image that was found with a mesh into the asset folder, named by its digest."""
    if name not in ("texture.png", "texture.jpg"):
        return None
    found = folder / str(name)
    target = asset_root() / f"{hashlib.sha256(found.read_bytes()).hexdigest()}{found.suffix}"
    found.replace(target)
    return target


def _arrays(digest: str) -> dict[str, npt.NDArray[Any]]:  # Any: several dtypes
    for root, suffix in product(asset_roots(), MESH_FORMATS):
        path = root / f"{digest}.{suffix}"
        if path.is_file():
            stat = path.stat()
            if _file_digest(path, stat.st_mtime_ns, stat.st_size) != digest:
                raise AssetError(f"asset {path} no longer has the digest in its name: add the mesh again")
            kept = kept_arrays(digest, f"mesh-{MESH_VERSION}")
            if kept is None:
                with tempfile.TemporaryDirectory(prefix="simfactory-mesh-") as folder:
                    _read(path, digest, suffix, label=path.name, beside=root, folder=Path(folder))
                kept = kept_arrays(digest, f"mesh-{MESH_VERSION}")
            if kept is None:
                raise AssetError(f"cannot keep the arrays of {path} in {asset_root()}: is the folder writable?")
            return kept
    raise AssetError(
        f"no mesh with digest {digest} in {asset_root()}: run `simfactory assets add FILE` or set SIMFACTORY_ASSETS"
    )


@lru_cache(maxsize=256)
def _file_digest(path: Path, _changed: int, _size: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
