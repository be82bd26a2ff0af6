"""Writes simfactory/data/meshes: the project's own duck, mug, teapot and other figures; run again after a change.

    python deploy/make_meshes.py

Each figure is a signed distance field [m], z up, its base near z = 0; its zero surface is found by marching cubes and
kept as a binary PLY file with its record and its convex parts, as assets are.

Source of the distances: J. Hart, "Sphere tracing" (1996).
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import trimesh
import warp as wp
from warp.geometry import IsoSurfaceMarchingCubes

DATA = Path(__file__).resolve().parents[1] / "simfactory" / "data" / "meshes"

Field = npt.NDArray[np.float64]
Points = tuple[Field, Field, Field]


def ball(p: Points, center: tuple[float, float, float], radii: tuple[float, float, float]) -> Field:
    """Return about the distance to an ellipsoid."""
    x, y, z = ((axis - c) / r for axis, c, r in zip(p, center, radii, strict=True))
    length = np.sqrt(x * x + y * y + z * z)
    return (length - 1.0) * min(radii)


def tube(p: Points, start: tuple[float, float, float], end: tuple[float, float, float], a: float, b: float) -> Field:
    """Return the distance to a rod between two points whose radius goes from a to b."""
    points = np.stack(p, axis=-1)
    first, way = np.array(start), np.array(end) - np.array(start)
    share = np.clip((points - first) @ way / (way @ way), 0.0, 1.0)
    away = np.linalg.norm(points - first - share[..., None] * way, axis=-1)
    return np.asarray(away - (a + (b - a) * share))


def ring(p: Points, center: tuple[float, float, float], radius: float, thickness: float) -> Field:
    """Return the distance to a torus in the xz plane."""
    x, y, z = (axis - c for axis, c in zip(p, center, strict=True))
    around = np.sqrt(x * x + z * z) - radius
    return np.asarray(np.sqrt(around * around + y * y) - thickness)


def pot(p: Points, radius: float, low: float, high: float) -> Field:
    """Return about the distance to an upright cylinder."""
    x, y, z = p
    return np.maximum(np.sqrt(x * x + y * y) - radius, np.maximum(low - z, z - high))


def blended(a: Field, b: Field, reach: float) -> Field:
    """Return a smooth union.

    Source: I. Quilez, "Smooth minimum" (2013), the polynomial one.
    """
    share = np.clip(0.5 + 0.5 * (b - a) / reach, 0.0, 1.0)
    return np.asarray(b + (a - b) * share - reach * share * (1.0 - share))


def duck(p: Points) -> Field:
    """A bath duck, its beak towards +x, with a flat base."""
    body = ball(p, (0.0, 0.0, 0.075), (0.13, 0.09, 0.085))
    tail = ball(p, (-0.12, 0.0, 0.12), (0.045, 0.035, 0.03))
    head = ball(p, (0.075, 0.0, 0.19), (0.058, 0.056, 0.056))
    beak = ball(p, (0.14, 0.0, 0.18), (0.04, 0.03, 0.015))
    figure = blended(blended(blended(body, tail, 0.04), head, 0.035), beak, 0.012)
    return np.maximum(figure, 0.012 - p[2])


def mug(p: Points) -> Field:
    """A mug with its handle towards +x."""
    wall = np.maximum(pot(p, 0.075, 0.0, 0.17), -pot(p, 0.061, 0.016, 0.3))
    handle = np.maximum(ring(p, (0.078, 0.0, 0.085), 0.042, 0.0125), -pot(p, 0.068, 0.01, 0.3))
    return blended(wall, handle, 0.008)


def teapot(p: Points) -> Field:
    """A teapot with its spout towards +x and its handle towards -x."""
    body = np.maximum(ball(p, (0.0, 0.0, 0.09), (0.12, 0.12, 0.095)), 0.012 - p[2])
    spout = blended(
        tube(p, (0.09, 0.0, 0.07), (0.15, 0.0, 0.12), 0.032, 0.02),
        tube(p, (0.15, 0.0, 0.12), (0.185, 0.0, 0.18), 0.02, 0.014),
        0.015,
    )
    handle = np.maximum(ring(p, (-0.12, 0.0, 0.1), 0.052, 0.0135), p[0] + 0.08)
    lid = blended(ball(p, (0.0, 0.0, 0.178), (0.06, 0.06, 0.018)), ball(p, (0.0, 0.0, 0.21), (0.02, 0.02, 0.02)), 0.015)
    return blended(blended(blended(body, spout, 0.02), handle, 0.01), lid, 0.01)


def sculpture(p: Points) -> Field:
    """A figure that leans about a hole, on a plinth."""
    plinth = pot(p, 0.09, 0.0, 0.04)
    loop = ring(p, (0.0, 0.0, 0.14), 0.065, 0.034)
    head = ball(p, (0.035, 0.0, 0.265), (0.045, 0.045, 0.05))
    return blended(blended(plinth, loop, 0.03), head, 0.05)


def potato(p: Points) -> Field:
    """A lumpy ellipsoid."""
    lumps = 0.006 * (np.sin(31.0 * p[0] + 1.0) * np.sin(37.0 * p[1]) + np.sin(29.0 * p[2] + 2.0 * p[0]))
    return ball(p, (0.0, 0.0, 0.07), (0.11, 0.075, 0.068)) + lumps


def rotor(p: Points) -> Field:
    """A hub with three pitched blades about the z axis."""
    x, y, z = p
    figure = np.maximum(pot(p, 0.045, 0.0, 0.09), -0.2 - z)
    for turn in (0.0, 2.0 * np.pi / 3.0, 4.0 * np.pi / 3.0):
        along, across = np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x
        tilt = 0.6
        up = np.cos(tilt) * (z - 0.045) - np.sin(tilt) * across
        side = np.cos(tilt) * across + np.sin(tilt) * (z - 0.045)
        blade = np.maximum(np.maximum(np.abs(up) - 0.011, np.abs(side) - 0.045), np.maximum(along - 0.24, -along))
        figure = blended(figure, blade, 0.012)
    return figure


FIGURES: dict[str, tuple[Callable[[Points], Field], float]] = {  # and the spacing of its grid [m]
    "duck": (duck, 0.011),
    "mug": (mug, 0.0075),
    "potato": (potato, 0.011),
    "rotor": (rotor, 0.0095),
    "sculpture": (sculpture, 0.011),
    "teapot": (teapot, 0.0095),
}
BOX = np.array([[-0.3, -0.3, -0.03], [0.3, 0.3, 0.36]])


def surface(figure: Callable[[Points], Field], spacing: float) -> trimesh.Trimesh:
    """Return a figure's closed surface."""
    axes = [np.arange(low, high, spacing) for low, high in BOX.T]
    field = figure(tuple(np.meshgrid(*axes, indexing="ij")))
    found, triangles = IsoSurfaceMarchingCubes.extract(
        wp.array(field.astype(np.float32), dtype=wp.float32, device="cpu"), wp.float32(0.0)
    )
    vertices = BOX[0] + spacing * found.numpy().astype(np.float64)
    mesh = trimesh.Trimesh(vertices, triangles.numpy().reshape(-1, 3), process=True)
    mesh.update_faces(mesh.nondegenerate_faces())
    if mesh.volume < 0.0:
        mesh.invert()
    if not mesh.is_watertight:
        raise RuntimeError("the surface is not closed: change the spacing")
    return mesh


def main() -> None:
    """Write every figure as an asset folder has it."""
    shutil.rmtree(DATA, ignore_errors=True)
    DATA.mkdir(parents=True)
    os.environ["SIMFACTORY_ASSETS"] = str(DATA)
    from simfactory.assets import add_mesh

    with tempfile.TemporaryDirectory() as folder:
        for name, (figure, spacing) in FIGURES.items():
            path = Path(folder, f"{name}.ply")
            path.write_bytes(surface(figure, spacing).export(file_type="ply"))
            record = add_mesh(path, licence="Apache-2.0", source="simfactory", metres_per_unit=1.0)
            size = " x ".join(f"{edge:.3f}" for edge in record.extent)
            print(name, record.triangle_count, "triangles,", record.part_count, "parts,", size, "m")


if __name__ == "__main__":
    main()
