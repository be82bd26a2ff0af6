"""Certified distances: exact, conservative, and quick to name an overlap."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layouts import certify, certify_cameras, solid
from layouts.clearance import clearance
from simfactory.errors import SpecError
from simfactory.meshes import body_mesh
from simfactory.rng import stream
from simfactory.spec import (
    BodyRigid,
    BodySheet,
    Box,
    CameraFixed,
    CameraOrbit,
    CameraSpec,
    Capsule,
    Cone,
    Cylinder,
    Ground,
    PhysicalMaterial,
    Prism,
    Room,
    Sphere,
    Superellipsoid,
    VisualMaterial,
)
from simfactory.transforms import quat_to_matrix

PHYSICAL = PhysicalMaterial(density=500.0, static_friction=0.5, dynamic_friction=0.4, restitution=0.2)
VISUAL = VisualMaterial()
GROUND = Ground(physical=PHYSICAL, visual=VISUAL)
SHAPES = [
    Box(size=(0.3, 0.2, 0.4)),
    Sphere(radius=0.2),
    Cylinder(radius=0.15, height=0.4),
    Capsule(radius=0.1, height=0.3),
    Cone(radius=0.2, height=0.3),
    Prism(sides=5, radius=0.2, height=0.3, taper=0.5),
    Superellipsoid(radii=(0.1, 0.2, 0.15), exponents=(0.4, 0.8)),
]
SEEDS = st.integers(0, 2**32)


def body(name, geometry, position=(0.0, 0.0, 1.0), orientation=(0.0, 0.0, 0.0, 1.0), **fields):
    return BodyRigid(
        name=name,
        geometry=geometry,
        position=position,
        orientation=orientation,
        physical=PHYSICAL,
        visual=VISUAL,
        **fields,
    )


def random_pair(seed):
    draw = stream(seed, "pair")
    first = body("first", draw.choice(SHAPES), (0.0, 0.0, 1.0), draw.quat_xyzw(), aspect=(1.0, 1.0, 1.5))
    offset = tuple(float(c) for c in np.array(draw.direction()) * draw.uniform(0.0, 0.9) + np.array([0.0, 0.0, 1.0]))
    return first, body("second", draw.choice(SHAPES), offset, draw.quat_xyzw(), scale=1.3)


def world_vertices(item):
    return body_mesh(item).vertices @ quat_to_matrix(item.orientation).T + np.asarray(item.position)


POLYHEDRA = {"box", "prism"}


def sampled_separation(first, second):
    """The widest gap between two vertex sets along many directions: an independent lower bound of the distance.

    The directions are that of the centres, all face normals and, between polyhedra, the cross products of all edges:
    polyhedra are apart exactly where one of these separates them (Gottschalk, Lin, Manocha, SIGGRAPH 1996).
    """
    directions, edges = [np.asarray(second.position) - np.asarray(first.position)], []
    for item in (first, second):
        mesh, rotation = body_mesh(item), quat_to_matrix(item.orientation)
        corners = mesh.vertices[mesh.triangles]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        directions += list(normals @ rotation.T)
        edges.append((np.roll(corners, -1, axis=1) - corners).reshape(-1, 3) @ rotation.T)
    if {first.geometry.shape, second.geometry.shape} <= POLYHEDRA:
        directions += list(np.cross(edges[0][:, None], edges[1][None]).reshape(-1, 3))
    directions = np.array(directions)
    lengths = np.linalg.norm(directions, axis=-1)
    directions = directions[lengths > 1e-9] / lengths[lengths > 1e-9, None]
    directions = np.concatenate([directions, -directions])
    low = (world_vertices(second) @ directions.T).min(axis=0)
    high = (world_vertices(first) @ directions.T).max(axis=0)
    return float((low - high).max())


@given(SEEDS)
def test_support_functions_touch_what_the_meshes_touch(seed):
    item, _ = random_pair(seed)
    direction = np.array(stream(seed, "direction").direction())
    of_mesh = float((world_vertices(item) @ direction).max())
    reach = solid(item).reach(direction)
    # The mesh of a curved body is inscribed: its sagitta is at most 0.25 % of the largest radius used here.
    assert of_mesh - 1e-9 <= reach <= of_mesh + 2e-3


@given(SEEDS)
def test_the_bounding_radius_holds_every_support_point(seed):
    hull = solid(random_pair(seed)[0])
    point = hull.support(np.array(stream(seed, "direction").direction()))
    assert np.linalg.norm(point - hull.center) <= hull.radius + 1e-9


@given(st.floats(0.001, 3.0), SEEDS)
def test_clearance_of_balls_is_the_distance_of_their_surfaces(gap, seed):
    offset = np.array(stream(seed, "way").direction()) * (0.5 + gap)
    first = solid(body("first", Sphere(radius=0.2), (0.0, 0.0, 0.0)))
    second = solid(body("second", Sphere(radius=0.3), tuple(float(c) for c in offset)))
    assert clearance(first, second) == pytest.approx(gap, abs=1e-6)


@given(SEEDS)
def test_clearance_is_symmetric_and_never_above_the_distance_of_any_two_points(seed):
    first, second = random_pair(seed)
    distance = clearance(solid(first), solid(second))
    assert distance == pytest.approx(clearance(solid(second), solid(first)), abs=1e-5)
    corners = world_vertices(first)[:, None] - world_vertices(second)[None, ::7]
    assert distance <= np.linalg.norm(corners, axis=-1).min() + 1e-9


@given(SEEDS)
def test_a_separating_plane_means_clearance(seed):
    first, second = random_pair(seed)
    gap = sampled_separation(first, second)
    # Vertices of curved bodies lie up to 2 mm inside them, on either side.
    if gap > 5e-3:
        assert clearance(solid(first), solid(second)) >= gap - 4e-3


@given(SEEDS)
def test_polyhedra_that_no_axis_separates_touch_and_all_others_are_apart(seed):
    draw = stream(seed, "polyhedra")
    shapes = [shape for shape in SHAPES if shape.shape in POLYHEDRA]
    offset = tuple(float(c) for c in np.array(draw.direction()) * draw.uniform(0.1, 0.6))
    first = body("first", draw.choice(shapes), (0.0, 0.0, 0.0), draw.quat_xyzw())
    second = body("second", draw.choice(shapes), offset, draw.quat_xyzw(), scale=1.3)
    gap, distance = sampled_separation(first, second), clearance(solid(first), solid(second))
    if gap < -1e-6:
        assert distance == 0.0
    if gap > 1e-6:
        assert distance >= gap - 1e-6


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.shape)
@pytest.mark.parametrize("gap", [5e-4, 0.02])
def test_resting_gaps_are_measured_to_a_micrometre(shape, gap):
    below = body("below", Box(size=(0.5, 0.5, 0.2)), (0.0, 0.0, 0.0))
    above = body("above", shape, (0.03, -0.02, 0.0))
    height = 0.1 + gap + solid(above).extent(np.array([0.0, 0.0, -1.0]))
    above = body("above", shape, (0.03, -0.02, height))
    assert clearance(solid(below), solid(above)) == pytest.approx(gap, abs=2e-6)


def test_boxes_edge_to_edge_are_as_far_apart_as_their_edges():
    first = body("first", Box(size=(1.0, 1.0, 1.0)), (0.0, 0.0, 0.0))
    half = math.sqrt(0.5)
    turned = (0.0, 0.0, math.sin(math.pi / 8), math.cos(math.pi / 8))
    second = body("second", Box(size=(1.0, 1.0, 1.0)), (0.5 + half + 0.1, 0.0, 0.0), turned)
    assert clearance(solid(first), solid(second)) == pytest.approx(0.1, abs=1e-6)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.shape)
def test_a_planted_overlap_is_named(shape):
    items = [body("left", shape, (0.0, 0.0, 1.0)), body("right", shape, (0.05, 0.0, 1.05))]
    with pytest.raises(SpecError, match=r"left and right are 0 m apart, at least 0\.0001 m"):
        certify(items, GROUND)


def test_a_body_in_the_ground_is_named():
    with pytest.raises(SpecError, match="ball and the ground"):
        certify([body("ball", Sphere(radius=0.2), (0.0, 0.0, 0.19))], GROUND)
    certify([body("ball", Sphere(radius=0.2), (0.0, 0.0, 0.19))])


def test_a_body_in_a_wall_is_named():
    room = Room(size=(4.0, 4.0, 3.0), physical=PHYSICAL, visual=VISUAL)
    with pytest.raises(SpecError, match=r"box and the room's -y side"):
        certify([body("box", Box(size=(0.2, 0.2, 0.2)), (0.0, -1.95, 0.5))], GROUND, room)


def test_a_sheet_counts_with_the_space_that_it_sweeps():
    sheet = BodySheet(
        name="sheet",
        position=(0.0, 0.0, 1.0),
        size=(1.0, 1.0),
        amplitude=0.2,
        frequency=1.0,
        physical=PHYSICAL,
        visual=VISUAL,
    )
    with pytest.raises(SpecError, match="sheet and ball"):
        certify([sheet, body("ball", Sphere(radius=0.1), (0.0, 0.0, 1.25))])
    certify([sheet, body("ball", Sphere(radius=0.1), (0.0, 0.0, 1.31))])


def camera(path):
    return CameraSpec(name="eye", rig="test", width=64, height=64, field_of_view=50.0, path=path)


def test_a_camera_inside_a_body_or_below_the_ground_is_named():
    box = body("box", Box(size=(1.0, 1.0, 1.0)), (0.0, 0.0, 0.6))
    inside = camera(CameraFixed(position=(0.2, 0.1, 0.5), target=(3.0, 0.0, 0.5)))
    below = camera(CameraFixed(position=(3.0, 0.1, -0.5), target=(0.0, 0.0, 0.5)))
    with pytest.raises(SpecError, match="camera eye and box"):
        certify_cameras([inside], [box], GROUND, duration=1.0)
    with pytest.raises(SpecError, match="camera eye and the ground"):
        certify_cameras([below], [box], GROUND, duration=1.0)


def test_a_camera_that_meets_a_body_only_on_its_way_is_named():
    box = body("box", Box(size=(0.4, 0.4, 0.4)), (-2.0, 0.0, 0.6))
    orbit = CameraOrbit(target=(0.0, 0.0, 0.5), radius=2.0, height=0.1, azimuth=0.0, azimuth_rate=1.0)
    certify_cameras([camera(orbit)], [box], GROUND, duration=1.0)
    with pytest.raises(SpecError, match="camera eye and box"):
        certify_cameras([camera(orbit)], [box], GROUND, duration=4.0)


def test_enough_never_overstates_the_distance():
    hulls = [solid(body(f"b{k}", SHAPES[k], (0.9 * k, 0.0, 1.0))) for k in range(len(SHAPES))]
    for first, second in pairwise(hulls):
        exact = clearance(first, second)
        assert 0.1 <= clearance(first, second, enough=0.1) <= exact + 1e-6
