"""Convex parts of a mesh: what it collides as.

A convex mesh is its own and only part; others are split by CoACD, in a limited process, once.

Source: X. Wei, M. Liu, Z. Ling, H. Su, "Approximate convex decomposition for 3D meshes with collision-aware concavity
and tree search", ACM Transactions on Graphics 41 (2022).
"""

import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from simfactory.assets.limits import confine, report, run_confined
from simfactory.assets.vault import keep_arrays, kept_arrays
from simfactory.errors import AssetError

__all__ = ["convex_parts", "is_convex"]

CONCAVITY = 0.05  # of the mesh's size: how deep a dent may be filled
PARTS_MAX = 32
FLAT = 1e-6  # of the mesh's size
SEED = 0
SECONDS_MAX = 900  # of processor time
TRIANGLES_MAX = 100_000  # for the split: it takes minutes beyond

Points = npt.NDArray[np.float64]
Triangles = npt.NDArray[np.int32]
Part = tuple[Points, Triangles]


def convex_parts(digest: str, vertices: Points, triangles: Triangles) -> list[Part]:
    """Return convex meshes (vertices `(vertex, 3)` [file units], triangles `(triangle, 3)`) that cover an asset.

    Args:
        digest: The asset; the parts are kept beside it.
        vertices: `(vertex, 3)` of its surface.
        triangles: `(triangle, 3)`.

    Raises:
        AssetError: The mesh cannot be split here.
    """
    if is_convex(vertices, triangles):
        return [(vertices, triangles)]
    name = f"parts-{CONCAVITY:g}-{PARTS_MAX}-{SEED}"
    arrays = kept_arrays(digest, name)
    if arrays is None:
        if len(triangles) > TRIANGLES_MAX:
            raise AssetError(
                f"asset {digest[:12]} is not convex and has {len(triangles):,} triangles; at most {TRIANGLES_MAX:,} "
                "can be split into convex parts: simplify it"
            )
        with tempfile.TemporaryDirectory(prefix="simfactory-parts-") as folder:
            np.savez(Path(folder) / "mesh.npz", vertices=vertices, triangles=triangles)
            label = f"convex parts of asset {digest[:12]}"
            run_confined("simfactory.assets.convex", label=label, folder=Path(folder), seconds=SECONDS_MAX)
            with np.load(Path(folder) / "parts.npz", allow_pickle=False) as stored:
                arrays = {key: stored[key] for key in stored.files}
        keep_arrays(digest, name, arrays)
    corners = np.split(arrays["vertices"], np.cumsum(arrays["vertex_counts"])[:-1])
    faces = np.split(arrays["triangles"], np.cumsum(arrays["triangle_counts"])[:-1])
    return list(zip(corners, faces, strict=True))


def is_convex(vertices: Points, triangles: Triangles) -> bool:
    """Return whether a closed mesh is convex: connected, without handles, and nowhere bent inwards.

    Source: a closed, connected, locally convex surface bounds a convex body (Tietze 1928, Nakajima 1928).
    """
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    unique, index, counts = np.unique(edges, axis=0, return_inverse=True, return_counts=True)
    vertex_count = len(np.unique(triangles))
    if (counts != 2).any() or vertex_count - len(unique) + len(triangles) != 2:
        return False
    order = np.argsort(index.ravel(), kind="stable").reshape(-1, 2) // 3  # the two faces of every edge
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = normals / np.where(length > 0.0, length, 1.0)
    size = float(np.ptp(vertices, axis=0).max())
    corners = vertices[triangles[order[:, 1]]]
    outside = np.einsum("ekx,ex->ek", corners - a[order[:, 0]][:, None], normals[order[:, 0]]).max(axis=1)
    if (outside > FLAT * size).any():
        return False
    # Two nested or separate surfaces, one of them with a handle, pass the count above: look from all faces at once.
    step = max(1, len(normals) // 256)
    return bool(((vertices @ normals[::step].T).max(axis=0) <= (normals * a).sum(axis=1)[::step] + 1e-3 * size).all())


def _split() -> dict[str, object]:
    """Split `mesh.npz` of the working folder and leave `parts.npz` there."""
    try:
        import coacd
    except ImportError as error:
        raise AssetError("splitting a mesh into convex parts needs coacd: pip install 'simfactory[meshes]'") from error
    with np.load("mesh.npz", allow_pickle=False) as stored:
        vertices, triangles = stored["vertices"], stored["triangles"]
    center = 0.5 * (vertices.min(axis=0) + vertices.max(axis=0))
    size = float(np.ptp(vertices, axis=0).max())
    coacd.set_log_level("off")
    parts = coacd.run_coacd(
        coacd.Mesh((vertices - center) / size, triangles),
        threshold=CONCAVITY,
        max_convex_hull=PARTS_MAX,
        seed=SEED,
    )
    np.savez(
        "parts.npz",
        vertices=np.concatenate([np.asarray(corners, np.float64) for corners, _ in parts]) * size + center,
        triangles=np.concatenate([np.asarray(faces, np.int32) for _, faces in parts]),
        vertex_counts=np.array([len(corners) for corners, _ in parts]),
        triangle_counts=np.array([len(faces) for _, faces in parts]),
    )
    return {"part_count": len(parts)}


def main() -> None:
    """Split the mesh in the working folder under limits."""
    confine(seconds=SECONDS_MAX)
    report(_split)


if __name__ == "__main__":
    main()
