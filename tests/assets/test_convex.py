"""Convex parts: convex meshes stay whole, others are covered by convex parts."""

import numpy as np
import pytest
import trimesh

from simfactory.assets import add_mesh, convex_parts, load_mesh
from simfactory.assets.convex import is_convex
from simfactory.meshes import TriangleMesh, geometry_mesh
from simfactory.spec import Box, Capsule, Cone, Cylinder, Prism, Sphere, Superellipsoid


@pytest.mark.parametrize(
    "geometry",
    [
        Box(size=(0.3, 0.2, 0.1)),
        Sphere(radius=0.2),
        Cylinder(radius=0.1, height=0.3),
        Capsule(radius=0.06, height=0.2),
        Cone(radius=0.1, height=0.2),
        Prism(sides=5, radius=0.1, height=0.2, taper=0.5),
        Superellipsoid(radii=(0.1, 0.2, 0.1), exponents=(0.5, 1.0)),
    ],
    ids=lambda geometry: geometry.shape,
)
def test_primitives_are_convex(geometry):
    mesh = geometry_mesh(geometry)
    assert is_convex(mesh.vertices, mesh.triangles)


@pytest.mark.parametrize("shape", ["torus", "dented", "two", "shell"])
def test_others_are_not(shape, ball):
    if shape == "torus":
        mesh = trimesh.creation.torus(0.2, 0.08)
    elif shape == "dented":
        mesh = ball.copy()
        mesh.vertices[5] *= 0.9
    elif shape == "two":
        mesh = ball + ball.copy().apply_translation([1.0, 0.0, 0.0])
    else:
        inner = ball.copy().apply_scale(0.5)
        inner.invert()
        mesh = ball + inner
    assert not is_convex(np.asarray(mesh.vertices), np.asarray(mesh.faces, np.int32))


def test_parts_cover_a_corner_piece_and_little_else(assets, tmp_path):
    """An L-shaped bar is two boxes; its hull would fill the corner."""
    outline = np.array([[0, 0], [0.3, 0], [0.3, 0.1], [0.1, 0.1], [0.1, 0.3], [0, 0.3]], float)
    count = len(outline)
    vertices = np.array([[x, y, z] for z in (0.0, 0.1) for x, y in outline])
    caps = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 5]])
    sides = [(k, (k + 1) % count, (k + 1) % count + count) for k in range(count)]
    sides += [(k, (k + 1) % count + count, k + count) for k in range(count)]
    corner = trimesh.Trimesh(vertices, np.concatenate([caps[:, ::-1], caps + count, sides]), process=False)
    corner.export(tmp_path / "corner.ply")
    record = add_mesh(tmp_path / "corner.ply")
    parts = convex_parts(record.digest, *load_mesh(record.digest))
    assert record.part_count == len(parts) >= 2
    assert all(is_convex(corners, faces) for corners, faces in parts)
    volumes = [TriangleMesh(vertices=corners, triangles=faces).volume() for corners, faces in parts]
    assert sum(volumes) == pytest.approx(0.005, rel=0.05)
    assert min(volumes) > 0.0
    again = convex_parts(record.digest, *load_mesh(record.digest))
    for part, other in zip(parts, again, strict=True):
        assert np.array_equal(part[0], other[0])
