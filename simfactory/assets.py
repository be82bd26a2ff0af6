"""User meshes by digest: a content-addressed folder that any machine can fill."""

import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt

from simfactory.errors import AssetError

__all__ = ["add_mesh", "asset_root", "load_mesh"]

MESH_FORMATS = ("obj", "stl", "ply", "glb")
TRIANGLES_MAX = 1_000_000
BYTES_MAX = 256 * 2**20


def asset_root() -> Path:
    """Return the asset folder: `$SIMFACTORY_ASSETS`, else `~/.cache/simfactory/assets`."""
    given = os.environ.get("SIMFACTORY_ASSETS")
    return Path(given) if given else Path.home() / ".cache" / "simfactory" / "assets"


def add_mesh(path: Path) -> str:
    """Check a mesh file, copy it into the asset folder and return its digest.

    Args:
        path: An OBJ, STL, PLY or GLB file of one closed surface.

    Raises:
        AssetError: The file is missing, too large, of an unknown format, or not a closed mesh.
    """
    if not path.is_file():
        raise AssetError(f"no mesh file at {path}: give the path of an OBJ, STL, PLY or GLB file")
    suffix = path.suffix.lower().lstrip(".")
    if suffix not in MESH_FORMATS:
        raise AssetError(f"{path.name} is {suffix or 'without an ending'}; allowed are {', '.join(MESH_FORMATS)}")
    if path.stat().st_size > BYTES_MAX:
        raise AssetError(f"{path.name} has {path.stat().st_size:,} bytes; at most {BYTES_MAX:,} are allowed")
    _parse(path, suffix)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    target = asset_root() / f"{digest}.{suffix}"
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}.partial")
    shutil.copyfile(path, partial)
    partial.replace(target)
    return digest


def load_mesh(digest: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]:
    """Return vertices `(vertex, 3)` [file units] and triangles `(triangle, 3)` of an asset.

    Raises:
        AssetError: No asset has this digest, or its file changed or cannot be read.
    """
    root = asset_root()
    for suffix in MESH_FORMATS:
        path = root / f"{digest}.{suffix}"
        if path.is_file():
            if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
                raise AssetError(f"asset {path} no longer has the digest in its name: add the mesh again")
            return _parse(path, suffix)
    raise AssetError(
        f"no mesh with digest {digest} in {root}: run `simfactory assets add FILE` or set SIMFACTORY_ASSETS"
    )


def _parse(path: Path, suffix: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]:
    import trimesh

    try:
        mesh = trimesh.load_mesh(path, file_type=suffix)
    except Exception as error:  # readers of four formats raise whatever they like on broken bytes
        raise AssetError(f"cannot read {path.name} as {suffix}: {error}") from error
    if len(mesh.faces) == 0:
        raise AssetError(f"{path.name} holds no triangles: export a triangle mesh")
    if len(mesh.faces) > TRIANGLES_MAX:
        raise AssetError(f"{path.name} has {len(mesh.faces):,} triangles; at most {TRIANGLES_MAX:,} are allowed")
    mesh.merge_vertices(merge_tex=True, merge_norm=True)
    if not mesh.is_watertight or mesh.volume <= 0.0:
        raise AssetError(f"{path.name} is not a closed surface with outward faces: close its holes and fix its normals")
    return np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.int32)
