"""Refined surfaces are the same surfaces, closed, with short edges."""

import numpy as np
import pytest

from simfactory.errors import AssetError
from simfactory.meshes import TriangleMesh, body_mesh, geometry_mesh
from simfactory.refinement import refined
from simfactory.spec import Box, Cylinder, Prism, Sphere
from simfactory.testing.specs import make_soft

SHAPES = [
    Box(size=(0.4, 0.3, 0.1)),
    Cylinder(radius=0.2, height=0.6),
    Prism(sides=5, radius=0.3, height=0.4, taper=0.5),
]


def sides(triangles):
    return triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.shape)
def test_refined_surface_keeps_its_volume_and_stays_closed(shape):
    mesh = geometry_mesh(shape)
    corners = mesh.vertices[mesh.triangles]
    vertices, triangles, places = refined(mesh.vertices, mesh.triangles, longest=0.06, corners=corners)
    np.testing.assert_allclose(places, vertices[triangles], atol=1e-12)  # values of corners follow them
    after = TriangleMesh(vertices=vertices, triangles=triangles)
    assert after.volume() == pytest.approx(mesh.volume(), rel=1e-9)
    np.testing.assert_array_equal(vertices[: len(mesh.vertices)], mesh.vertices)
    directed = sides(triangles)
    assert np.linalg.norm(vertices[directed[:, 0]] - vertices[directed[:, 1]], axis=1).max() <= 0.06 * (1 + 1e-9)
    there, back = ({tuple(side) for side in pairs} for pairs in (directed, directed[:, ::-1]))
    assert there == back
    assert len(there) == len(directed)


def test_fine_surfaces_stay_as_they_are():
    mesh = geometry_mesh(Sphere(radius=0.2))
    corners = mesh.vertices[mesh.triangles]
    vertices, triangles, _ = refined(mesh.vertices, mesh.triangles, longest=1.0, corners=corners)
    assert vertices is mesh.vertices
    assert triangles is mesh.triangles


def test_endless_refinement_is_refused():
    mesh = geometry_mesh(Box(size=(1.0, 1.0, 1.0)))
    with pytest.raises(AssetError, match="lower the body's resolution"):
        refined(mesh.vertices, mesh.triangles, longest=1e-3, corners=mesh.vertices[mesh.triangles])


def test_surface_of_a_soft_box_bends_as_its_cells_do():
    mesh = body_mesh(make_soft(resolution=6))
    ends = sides(mesh.triangles)
    assert np.linalg.norm(mesh.vertices[ends[:, 0]] - mesh.vertices[ends[:, 1]], axis=1).max() <= 0.05 * (1 + 1e-9)
