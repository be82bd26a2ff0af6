"""The limited process that reads one mesh file: `python -m simfactory.assets.reading FILE SUFFIX FOLDER`."""

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from simfactory.assets.inspection import glb_factors, glb_texture, inspect_file, obj_texture
from simfactory.assets.limits import EXTENT_RANGE, TRIANGLES_MAX, confine, report
from simfactory.assets.repair import is_closed, repaired, signed_volume
from simfactory.errors import AssetError

__all__: list[str] = []

Points = npt.NDArray[np.float64]


def _read(path: Path, suffix: str, beside: Path) -> dict[str, object]:
    """Check, parse and repair a file; leave `mesh.npz` and perhaps `texture.png` in the working folder."""
    raw = path.read_bytes()
    inspect_file(raw, suffix)
    factors = glb_factors(raw) if suffix == "glb" else None
    given, faces, texture_coordinates = _parse(path, suffix)
    _check(given, faces)
    vertices, triangles, source, changes = repaired(given, faces)
    volume = signed_volume(vertices, triangles) if len(triangles) else 0.0
    diagonal = float(np.linalg.norm(np.ptp(vertices, axis=0))) if len(vertices) else 0.0
    if not len(triangles) or not is_closed(triangles) or not volume > 1e-9 * diagonal**3:
        raise AssetError(
            "not a closed surface that encloses a volume, and its holes are too large to close by guessing: "
            "close them and give thin parts a thickness"
        )
    arrays = {"vertices": vertices, "triangles": triangles.astype(np.int32)}
    if texture_coordinates is not None:
        own = texture_coordinates[np.maximum(source, 0)]
        first, ends = vertices[triangles[:, 0]], given[faces[np.maximum(source, 0)]]
        turned = np.linalg.norm(first - ends[:, 2], axis=-1) < np.linalg.norm(first - ends[:, 0], axis=-1)
        own[turned] = own[turned, ::-1]
        arrays["corner_uv"] = np.where((source >= 0)[:, None, None], own, 0.0).astype(np.float32)
    np.savez_compressed("mesh.npz", **arrays)  # type: ignore[arg-type] # its stub knows no mapping of arrays
    texture = obj_texture(raw, beside) if suffix == "obj" else glb_texture(raw) if suffix == "glb" else None
    if texture is not None:
        Path("texture." + texture[1]).write_bytes(texture[0])
    return {
        "vertex_count": len(vertices),
        "triangle_count": len(triangles),
        "extent": np.ptp(vertices, axis=0).tolist(),
        "volume": volume,
        "textured": texture_coordinates is not None,
        "texture": None if texture is None else "texture." + texture[1],
        "factors": factors,
        "changes": changes,
    }


def _parse(path: Path, suffix: str) -> tuple[Points, npt.NDArray[np.int64], npt.NDArray[np.float64] | None]:
    """Return vertices, triangles and per-corner texture coordinates `(triangle, 3, 2)` of everything in a file.

    Nothing else is opened: the reader is given no way to find other files. Texture coordinates count from the lower
    left of the image. GLB is y up by its standard: turned to z up.
    """
    import trimesh

    with path.open("rb") as stream:
        scene = trimesh.load_scene(stream, file_type=suffix, process=False, skip_materials=suffix == "obj")
    vertices, triangles, coordinates = [], [], []
    begin = total = 0
    for node in scene.graph.nodes_geometry:
        matrix, name = scene.graph[node]
        part = scene.geometry[name]
        if not isinstance(part, trimesh.Trimesh) or not len(part.faces):
            continue
        total += len(part.faces)
        if total > TRIANGLES_MAX:
            raise AssetError(f"has over {total:,} triangles; at most {TRIANGLES_MAX:,} are allowed: simplify it")
        faces = np.asarray(part.faces, np.int64)
        if faces.min() < 0 or faces.max() >= len(part.vertices):
            raise AssetError(f"a face names vertex {faces.max()} of {len(part.vertices)}")
        points = np.asarray(part.vertices, np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
        mirrored = np.linalg.det(matrix[:3, :3]) < 0.0
        uv = getattr(part.visual, "uv", None)
        corner_uv = np.zeros((len(faces), 3, 2)) if uv is None else np.asarray(uv, np.float64)[faces][:, :, :2]
        vertices.append(points)
        triangles.append((faces[:, ::-1] if mirrored else faces) + begin)
        coordinates.append((corner_uv[:, ::-1] if mirrored else corner_uv, uv is not None))
        begin += len(points)
    if not triangles:
        raise AssetError("holds no triangles: export a triangle mesh")
    every = np.concatenate(vertices)
    if suffix == "glb":
        every = np.stack([every[:, 0], -every[:, 2], every[:, 1]], axis=-1)
    textured = any(given for _, given in coordinates)
    corner_uvs = np.nan_to_num(np.concatenate([uv for uv, _ in coordinates])) if textured else None
    return every, np.concatenate(triangles), corner_uvs


def _check(vertices: Points, triangles: npt.NDArray[np.int64]) -> None:
    if not np.isfinite(vertices[triangles]).all():
        raise AssetError("a vertex is not a finite number: export the mesh again")
    used = vertices[np.unique(triangles)]
    extent = float(np.ptp(used, axis=0).max())
    low, high = EXTENT_RANGE
    if not low <= extent <= high or float(np.abs(used).max()) > 1e3 * high:
        raise AssetError(f"is {extent:.3g} file units long; {low:g} to {high:g} are allowed: scale it")


def main() -> None:
    """Read the file named on the command line under limits."""
    confine()
    path, suffix, beside = sys.argv[1:]
    report(lambda: _read(Path(path), suffix, Path(beside)))


if __name__ == "__main__":
    main()
