"""A user's cup that is not convex: what falls into it stays in it, through the whole chain."""

import numpy as np
import pytest
import trimesh

from layouts.clearance import certify
from simfactory.assets import add_mesh
from simfactory.collision import body_parts
from simfactory.episode import scene_surfaces
from simfactory.errors import SpecError
from simfactory.meshes import body_mesh
from simfactory.quality.penetration import penetration
from simfactory.simulation import simulate
from simfactory.simulators.newton import NewtonSimulator
from simfactory.spec import Box, MeshAsset, Sphere
from simfactory.testing.ground_truth import assert_exact, check, mock_trajectory
from simfactory.testing.specs import make_body, make_camera, make_spec

RADIUS, HEIGHT, WALL, BALL = 0.1, 0.2, 0.02, 0.03  # [m]
REST = 0.0005  # [m] above the ground

pytest.importorskip("coacd")


@pytest.fixture(scope="module")
def cup(tmp_path_factory):
    """Geometry of an eight-sided cup, 20 cm wide and high, its wall and floor 2 cm thick."""
    folder = tmp_path_factory.mktemp("cup")
    inner = RADIUS - WALL
    profile = [[0, 0], [RADIUS, 0], [RADIUS, HEIGHT], [inner, HEIGHT], [inner, WALL], [0, WALL]]
    trimesh.creation.revolve(np.array(profile, float), sections=8).export(folder / "cup.stl")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIMFACTORY_ASSETS", str(folder / "assets"))
        yield MeshAsset(digest=add_mesh(folder / "cup.stl", licence="CC0-1.0").digest)


def scene(cup, *, mobility, x=0.01, above=0.1, **options):
    stand = make_body("cup", cup)
    bottom = -body_mesh(stand).vertices[:, 2].min()
    bodies = [
        make_body("cup", cup, position=(0.0, 0.0, bottom + REST), mobility=mobility),
        make_body("ball", Sphere(radius=BALL), position=(x, 0.0, HEIGHT + above)),
    ]
    return make_spec(bodies=bodies, **options)


@pytest.mark.parametrize("mobility", ["static", "dynamic"])
def test_a_ball_dropped_into_a_cup_stays_in_it(cup, mobility):
    """On the cup's convex hull it would rest at a height of 0.23 m."""
    simulator = NewtonSimulator()
    simulator.load([scene(cup, mobility=mobility)])
    for _ in range(24):
        simulator.step()
    stand, ball = simulator.state(0).position
    floor = REST + WALL + BALL
    assert ball[2] == pytest.approx(floor, abs=0.004), "the parts follow the cup's floor to 2 % of its size"
    assert np.hypot(*(ball - stand)[:2]) < RADIUS - WALL - 0.5 * BALL
    assert np.linalg.norm(simulator.state(0).linear_velocity[1]) < 0.05
    assert np.linalg.norm(simulator.state(0).linear_velocity[0]) < 0.01


def test_a_cup_that_falls_on_a_table_comes_to_rest_on_it(cup):
    """Its parts touch the table at many points, whose corrections must not add up to a kick."""
    bottom = -body_mesh(make_body("cup", cup)).vertices[:, 2].min()
    table = make_body("table", Box(size=(0.6, 0.6, 0.2)), position=(0.0, 0.0, 0.1))
    stand = make_body("cup", cup, position=(0.0, 0.0, 0.2 + bottom + 0.2))
    simulator = NewtonSimulator()
    simulator.load([make_spec(bodies=[table, stand])])
    for _ in range(24):
        simulator.step()
    state = simulator.state(0)
    assert state.position[1, 2] == pytest.approx(0.2 + bottom, abs=0.002)
    assert np.abs(state.linear_velocity).max() < 0.01
    assert np.abs(state.angular_velocity).max() < 0.05


def test_a_cup_weighs_what_its_mesh_weighs(cup):
    simulator = NewtonSimulator()
    simulator.load([scene(cup, mobility="dynamic")])
    properties = simulator.properties(0)
    body = make_body("cup", cup)
    assert properties.mass[0] == pytest.approx(body.physical.density * body_mesh(body).volume(), rel=1e-5)
    assert properties.mass[1] == pytest.approx(500.0 * 4.0 / 3.0 * np.pi * BALL**3, rel=1e-4)
    reference = trimesh.Trimesh(body_mesh(body).vertices, body_mesh(body).triangles)
    expected = reference.moment_inertia * body.physical.density
    np.testing.assert_allclose(properties.inertia[0], expected, atol=1e-4 * expected.max())
    assert "cup" in properties.rules["parts"]


def test_the_parts_of_a_cup_leave_its_inside_free(cup):
    parts = body_parts(make_body("cup", cup))
    body = body_mesh(make_body("cup", cup))
    assert len(parts) > 4
    assert sum(part.volume() for part in parts) == pytest.approx(body.volume(), rel=0.1)
    low, high = (body.vertices[:, 2].min() + WALL + 0.01, body.vertices[:, 2].max())
    for z in np.linspace(low, high, 7):
        point = np.array([0.0, 0.0, z])
        for part in parts:
            a, b, c = (part.vertices[part.triangles[:, k]] for k in range(3))
            assert (np.einsum("tx,tx->t", np.cross(b - a, c - a), point - a) > 0.0).any(), "the axis is outside"


def test_a_ball_may_start_inside_a_cup_but_not_in_its_wall(cup):
    certify(scene(cup, mobility="static", above=-0.1).bodies)
    with pytest.raises(SpecError, match="ball"):
        certify(scene(cup, mobility="static", x=0.08, above=-0.1).bodies)


def test_a_recording_of_the_cup_is_exact_and_passes_the_gate(cup):
    camera = make_camera(size=(96, 96), position=(0.3, -0.35, 0.45), target=(0.0, 0.0, 0.1))
    spec = scene(cup, mobility="dynamic", above=0.04, frame_count=10, cameras=[camera])
    episode = simulate(spec, backend="newton")
    for figures in check(episode, closed_form=False):
        assert_exact(figures)
    assert not set(episode.quality["reasons"]) & {"penetration", "flow", "reprojection", "warp"}, episode.quality


def test_a_ball_inside_the_wall_is_noticed(cup):
    """The gate looks at the parts: a ball in the middle of the cup is fine, one that sits in its wall is not."""
    free = scene(cup, mobility="static", above=-0.1, frame_count=1)
    stuck = scene(cup, mobility="static", x=RADIUS - WALL / 2, above=-0.1, frame_count=1)
    depths = [penetration(spec, mock_trajectory(spec), scene_surfaces(spec)) for spec in (free, stuck)]
    assert depths[0] == 0.0
    assert depths[1] > 0.3
