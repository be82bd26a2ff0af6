"""Tetrahedral meshes: volume, orientation, shape, and the surface that rides in them."""

import numpy as np
import pytest
import trimesh

from simfactory.embedding import embed
from simfactory.errors import AssetError
from simfactory.extrusion import extruded_tetrahedra
from simfactory.meshes import TriangleMesh, geometry_mesh
from simfactory.spec import Box, Capsule, Cone, Cylinder, Prism, Sphere, Superellipsoid
from simfactory.tetrahedra import refined, tetrahedralize

SHAPES = {
    "box": Box(size=(0.3, 0.2, 0.1)),
    "sphere": Sphere(radius=0.2),
    "cylinder": Cylinder(radius=0.1, height=0.3),
    "capsule": Capsule(radius=0.06, height=0.2),
    "cone": Cone(radius=0.1, height=0.2),
    "prism": Prism(sides=5, radius=0.1, height=0.2, taper=0.5),
    "superellipsoid": Superellipsoid(radii=(0.1, 0.2, 0.1), exponents=(0.3, 0.4)),
}
OTHERS = {
    "torus": lambda: trimesh.creation.torus(0.2, 0.08),
    "tube": lambda: trimesh.creation.annulus(0.05, 0.1, 0.2),
}


@pytest.fixture(params=[*SHAPES, *OTHERS])
def mesh(request, surface):
    name = request.param
    return geometry_mesh(SHAPES[name]) if name in SHAPES else surface(OTHERS[name]())


@pytest.fixture(params=[8, 13])
def filled(request, mesh):
    return mesh, tetrahedralize(mesh, resolution=request.param)


def dihedral_angles(nodes, tets):
    corners = nodes[tets]
    normals = []
    for a, b, c in ((1, 2, 3), (0, 3, 2), (0, 1, 3), (0, 2, 1)):
        normal = np.cross(corners[:, b] - corners[:, a], corners[:, c] - corners[:, a])
        normals.append(normal / np.linalg.norm(normal, axis=1, keepdims=True))
    cosines = [(normals[i] * normals[j]).sum(axis=1) for i in range(4) for j in range(i)]
    return 180.0 - np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))


def test_the_volume_is_that_of_the_surface(filled):
    mesh, tets = filled
    assert (tets.volumes() > 0.0).all()
    assert tets.volumes().sum() == pytest.approx(mesh.volume(), rel=0.02)


def test_tetrahedra_are_neither_thin_nor_overlapping(filled):
    _, tets = filled
    angles = dihedral_angles(tets.vertices, tets.tets)
    assert angles.min() > 12.0
    assert angles.max() < 160.0
    # A mesh whose tetrahedra share whole faces has a closed outer surface that encloses the sum of their volumes.
    a, b, c = (tets.vertices[tets.boundary()[:, k]] for k in range(3))
    assert np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0 == pytest.approx(tets.volumes().sum(), rel=1e-9)
    edges = np.sort(tets.boundary()[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] % 2 == 0).all()


def test_outer_nodes_lie_near_the_surface(filled):
    mesh, tets = filled
    cell = np.ptp(mesh.vertices, axis=0).max() / 8
    outer = tets.vertices[np.unique(tets.boundary())]
    query = trimesh.Trimesh(mesh.vertices, mesh.triangles, process=False)
    near = trimesh.proximity.closest_point_naive(query, outer[::7])[1]
    assert near.max() < 0.2 * cell


def test_the_surface_rests_where_it_was(filled):
    mesh, tets = filled
    total = np.add.reduceat(tets.embedding.weights, tets.embedding.start[:-1])
    assert total == pytest.approx(1.0, abs=1e-9)
    size = np.ptp(mesh.vertices, axis=0).max()
    assert np.abs(tets.surface(tets.vertices) - mesh.vertices).max() < 1e-6 * size


def test_the_surface_follows_an_affine_map_exactly(filled):
    mesh, tets = filled
    matrix = np.array([[1.3, 0.2, 0.0], [0.1, 0.7, -0.3], [0.0, 0.4, 1.1]])
    moved = tets.surface(tets.vertices @ matrix.T + [0.1, 0.2, 0.3])
    np.testing.assert_allclose(moved, mesh.vertices @ matrix.T + [0.1, 0.2, 0.3], atol=1e-9)


def test_the_surface_moves_without_jumps_where_tetrahedra_deform_differently(surface):
    """Points 3e-4 of a cell apart along a path around a ball, most of it outside the tetrahedra, stay as close."""
    mesh = surface(trimesh.creation.icosphere(subdivisions=4, radius=0.2))
    tets = tetrahedralize(mesh, resolution=6)
    cell = 0.4 / 6
    angle = np.arange(0.0, 2.0 * np.pi, 3e-4 * cell / 0.2)
    axis = np.array([0.36, 0.48, 0.8])
    side = np.array([0.8, -0.6, 0.0])
    path = 0.2 * (np.cos(angle)[:, None] * side + np.sin(angle)[:, None] * np.cross(axis, side))
    carried = embed(path, tets.vertices, tets.tets)
    apart = np.linalg.norm(carried.points(tets.vertices) - path, axis=-1)
    moved = tets.vertices + np.random.default_rng(3).uniform(-0.3, 0.3, tets.vertices.shape) * cell
    steps = np.linalg.norm(np.diff(carried.points(moved), axis=0), axis=-1)
    assert apart.max() < 1e-12
    assert steps.max() < 4.0 * np.linalg.norm(np.diff(path, axis=0), axis=-1).max()


def test_the_surface_follows_a_bend_to_second_order(surface):
    mesh = surface(trimesh.creation.icosphere(subdivisions=4, radius=0.2))

    def bend(points):
        return points + np.stack([np.zeros(len(points)), np.zeros(len(points)), 2.0 * points[:, 0] ** 2], axis=-1)

    errors = []
    for resolution in (6, 24):
        tets = tetrahedralize(mesh, resolution=resolution)
        errors.append(np.abs(tets.surface(bend(tets.vertices)) - bend(mesh.vertices)).max())
    assert np.log(errors[0] / errors[-1]) / np.log(4.0) > 1.6, errors


def test_the_same_surface_gives_the_same_tetrahedra(mesh):
    first, second = (tetrahedralize(mesh, resolution=8) for _ in range(2))
    assert np.array_equal(first.vertices, second.vertices)
    assert np.array_equal(first.tets, second.tets)
    assert np.array_equal(first.embedding.weights, second.embedding.weights)


def test_a_box_is_filled_exactly():
    mesh = geometry_mesh(Box(size=(0.4, 0.2, 0.1)))
    tets = tetrahedralize(mesh, resolution=8)
    assert len(tets.vertices) == 9 * 5 * 3
    assert len(tets.tets) == 5 * 8 * 4 * 2
    assert tets.volumes().sum() == pytest.approx(mesh.volume(), rel=1e-12)


def test_refined_keeps_the_surface_and_shortens_its_edges():
    mesh = geometry_mesh(Box(size=(0.4, 0.2, 0.1)))
    fine = refined(mesh, edge=0.05)
    corners = fine.vertices[fine.triangles]
    assert np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=-1).max() <= 0.05
    assert fine.volume() == pytest.approx(mesh.volume(), rel=1e-12)
    assert tetrahedralize(fine, resolution=8).volumes().sum() == pytest.approx(mesh.volume(), rel=1e-12)


def test_walls_thinner_than_the_cells_are_refused(surface):
    with pytest.raises(AssetError, match="thinner than two cells; raise resolution above 4"):
        tetrahedralize(surface(trimesh.creation.annulus(0.095, 0.1, 0.2)), resolution=4)


def test_a_surface_without_volume_is_refused(surface):
    with pytest.raises(AssetError, match="must be closed"):
        tetrahedralize(surface(trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])), resolution=8)


@pytest.mark.parametrize("resolution", [0, 65])
def test_a_resolution_out_of_range_is_refused(resolution):
    with pytest.raises(AssetError, match="1 to 64"):
        tetrahedralize(geometry_mesh(Sphere(radius=0.2)), resolution=resolution)


UPRIGHT = {  # how far surface vertices may stand out [m]
    "cylinder": (Cylinder(radius=0.1, height=0.3), 2.5e-3),
    "prism": (Prism(sides=5, radius=0.1, height=0.2, taper=0.5), 1e-9),
    "lying cylinder": (Cylinder(radius=0.1, height=0.3), 2.5e-3),
}


@pytest.mark.parametrize("name", UPRIGHT)
def test_rims_of_upright_solids_are_rims_of_the_tetrahedra(name):
    geometry, tolerance = UPRIGHT[name]
    mesh = geometry_mesh(geometry)
    if name.startswith("lying"):
        mesh = TriangleMesh(vertices=mesh.vertices[:, [2, 0, 1]], triangles=mesh.triangles)
    tets = tetrahedralize(mesh, resolution=6)
    # What surface vertices stand out beyond the tetrahedra would sink into what the body lies on.
    query = trimesh.Trimesh(tets.vertices, tets.boundary(), process=False)
    outside = trimesh.proximity.closest_point_naive(query, mesh.vertices)[1]
    outside[np.add.reduceat(tets.embedding.weights < -1e-9, tets.embedding.start[:-1]) == 0] = 0.0
    assert outside.max() < tolerance
    assert tets.volumes().sum() == pytest.approx(mesh.volume(), rel=1e-9)
    rim = mesh.vertices.max(axis=0)
    assert tets.vertices.max(axis=0) == pytest.approx(rim, rel=0.025)  # 12 chords of a circle's area stand out 2.3 %


def test_other_solids_are_not_taken_for_upright_ones():
    for geometry in (Sphere(radius=0.2), Capsule(radius=0.06, height=0.2), Cone(radius=0.1, height=0.2)):
        mesh = geometry_mesh(geometry)
        assert extruded_tetrahedra(mesh.vertices, volume=mesh.volume(), cell=0.05) is None
    tube = trimesh.creation.annulus(0.05, 0.1, 0.2)
    assert extruded_tetrahedra(np.asarray(tube.vertices), volume=tube.volume, cell=0.05) is None
