"""Energy, penetration and deformation figures on trajectories whose answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simfactory.episode import BodyProperties, Contacts, Trajectory, scene_surfaces
from simfactory.meshes import body_mesh
from simfactory.quality import QualityReport, Thresholds, episode_report
from simfactory.quality.deformation import area_ratio, folded_share
from simfactory.quality.energy import body_radii, energy_growth, mechanical_energy
from simfactory.quality.penetration import penetration
from simfactory.spec import Box, Capsule, Cylinder, MotionLinear, Push, Sphere
from simfactory.testing.ground_truth import mock_trajectory
from simfactory.testing.specs import make_body, make_room, make_sheet, make_spec
from simfactory.transforms import quat_from_axis_angle, quat_multiply

G = 9.81


def trajectory_of(spec, position, *, quat=None, velocity=None, angular=None, mass=None, rules=None):
    """A trajectory with the given positions (time, body, 3) and otherwise a body at rest."""
    position = np.asarray(position, np.float32)
    frames, bodies = position.shape[:2]
    quat = np.tile([0.0, 0.0, 0.0, 1.0], (frames, bodies, 1)) if quat is None else quat
    zero = np.zeros_like(position)
    return Trajectory(
        time=np.arange(frames) / spec.fps,
        position=position,
        quat_xyzw=np.asarray(quat, np.float32),
        linear_velocity=zero if velocity is None else np.asarray(velocity, np.float32),
        angular_velocity=zero if angular is None else np.asarray(angular, np.float32),
        vertices={},
        contacts=(Contacts.none(),) * frames,
        properties=BodyProperties(
            mass=np.ones(bodies) if mass is None else np.asarray(mass, np.float64),
            inertia=np.tile(np.eye(3) * 0.1, (bodies, 1, 1)),
            friction=np.zeros(bodies),
            restitution=np.zeros(bodies),
            ground_friction=0.0,
            rules=rules or {},
        ),
    )


def growth(spec, trajectory):
    return energy_growth(spec, trajectory, body_radii(scene_surfaces(spec), len(spec.bodies)))


def depth(spec, trajectory):
    return penetration(spec, trajectory, scene_surfaces(spec))


def thrown(speed_after=None, fps=24.0, frames=24):
    """A ball thrown upwards; from the middle on, at another speed if one is given."""
    spec = make_spec(bodies=[make_body("ball", Sphere(radius=0.2))], frame_count=frames, fps=fps)
    time = np.arange(frames) / fps
    velocity = np.zeros((frames, 1, 3))
    velocity[:, 0, 2] = 5.0 - G * time
    position = np.zeros((frames, 1, 3))
    position[:, 0, 2] = 3.0 + 5.0 * time - G * time**2 / 2
    if speed_after is not None:
        velocity[frames // 2 :, 0, 0] = speed_after
    return spec, trajectory_of(spec, position, velocity=velocity)


def test_energy_of_a_throw_is_conserved():
    spec, trajectory = thrown()
    energy = mechanical_energy(spec, trajectory)[:, 0]
    np.testing.assert_allclose(energy, 12.5 + G * 3.0, rtol=1e-6)
    assert growth(spec, trajectory) < 1e-5


def test_rotation_counts_and_is_conserved_by_turning_axes():
    spec = make_spec(bodies=[make_body()], gravity=(0.0, 0.0, 0.0), frame_count=2)
    trajectory = trajectory_of(spec, np.zeros((2, 1, 3)), angular=np.tile([0.0, 0.0, 4.0], (2, 1, 1)))
    np.testing.assert_allclose(mechanical_energy(spec, trajectory), 0.5 * 0.1 * 16.0)


@given(st.floats(2.0, 50.0))
def test_energy_from_nowhere_is_found(speed):
    spec, trajectory = thrown(speed_after=speed)
    assert growth(spec, trajectory) > Thresholds().energy_growth


def test_losing_energy_is_no_growth():
    spec, trajectory = thrown()
    slowed = trajectory_of(spec, trajectory.position, velocity=trajectory.linear_velocity * np.float32(0.1))
    velocity = trajectory.linear_velocity.copy()
    velocity[12:] = slowed.linear_velocity[12:]
    fallen = trajectory.position.copy()
    fallen[12:, :, 2] = 0.2
    assert growth(spec, trajectory_of(spec, fallen, velocity=velocity)) < 0.05


def test_a_push_may_give_energy():
    spec = make_spec(bodies=[make_body("ball", Sphere(radius=0.2), position=(0, 0, 5))], frame_count=12)
    spec = spec.model_copy(update={"triggers": (Push(body="ball", time=0.2, impulse=(100.0, 0.0, 30.0)),)})
    trajectory = mock_trajectory(spec)
    assert growth(spec, trajectory) < 1e-3
    unpushed = spec.model_copy(update={"triggers": ()})
    assert growth(unpushed, trajectory) > Thresholds().energy_growth


def test_a_moving_paddle_may_give_energy_and_a_resting_one_may_not():
    bodies = [make_body("ball", Sphere(radius=0.2)), make_body("paddle", mobility="kinematic")]
    motion = MotionLinear(body="paddle", velocity=(2.0, 0.0, 0.0))
    spec = make_spec(bodies=bodies, motions=[motion], frame_count=8)
    velocity = np.zeros((8, 2, 3))
    velocity[:, 1, 0] = 2.0
    velocity[4:, 0, 0] = 4.0  # an elastic blow
    trajectory = trajectory_of(spec, np.full((8, 2, 3), 1.0), velocity=velocity, mass=[1.0, np.inf])
    assert growth(spec, trajectory) < 1e-6
    rests = make_spec(bodies=bodies, frame_count=8)
    assert growth(rests, trajectory) > Thresholds().energy_growth


def test_bodies_that_do_not_react_have_no_energy():
    spec = make_spec(bodies=[make_body(mobility="static")], frame_count=3)
    trajectory = trajectory_of(spec, np.zeros((3, 1, 3)), mass=[np.inf])
    assert (mechanical_energy(spec, trajectory) == 0.0).all()
    assert growth(spec, trajectory) == 0.0


@pytest.mark.parametrize(("height", "expected"), [(0.2, 0.0), (0.16, 0.1), (0.0, 0.5)])
def test_depth_below_the_ground_is_relative_to_thickness(height, expected):
    spec = make_spec(bodies=[make_body()], frame_count=2)
    assert depth(spec, trajectory_of(spec, np.full((2, 1, 3), [0.0, 0.0, height]))) == pytest.approx(expected, abs=1e-6)


def test_a_body_beyond_the_floors_edge_may_fall():
    spec = make_spec(bodies=[make_body()], frame_count=2)
    assert depth(spec, trajectory_of(spec, np.full((2, 1, 3), [30.0, 0.0, -5.0]))) == 0.0


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        ((0.0, 0.0, 1.0), 0.0),
        ((2.9, 0.0, 1.0), 0.25),
        ((0.0, -2.9, 1.0), 0.25),
        ((0.0, 0.0, 2.9), 0.25),
        ((2.9, 0, 3.5), 1.75),
    ],
)
def test_depth_in_walls_and_ceiling(position, expected):
    spec = make_spec(bodies=[make_body()], room=make_room(ceiling=True), frame_count=1)
    assert depth(spec, trajectory_of(spec, np.full((1, 1, 3), position))) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("first", "second", "offset", "expected"),
    [
        (Box(size=(0.4, 0.4, 0.4)), Box(size=(0.4, 0.4, 0.4)), (0.3, 0.05, 0.0), 0.1),
        (Box(size=(0.4, 0.4, 0.4)), Box(size=(0.4, 0.4, 0.4)), (0.41, 0.0, 0.0), 0.0),
        (Box(size=(2.0, 2.0, 0.1)), Box(size=(0.2, 0.2, 0.2)), (0.9, 0.8, 0.14), 0.01),
        (Sphere(radius=0.3), Sphere(radius=0.2), (0.2, 0.3, 0.2), 0.5 - 0.17**0.5),
        (Sphere(radius=0.3), Box(size=(0.4, 0.4, 0.4)), (0.45, 0.0, 0.0), 0.05),
        (Capsule(radius=0.1, height=1.0), Capsule(radius=0.1, height=1.0), (0.18, 0.0, 0.0), 0.02),
        (Cylinder(radius=0.2, height=0.4), Cylinder(radius=0.2, height=0.4), (0.0, 0.0, 0.36), 0.04),
    ],
)
def test_overlap_of_two_bodies(first, second, offset, expected):
    bodies = [make_body("a", first), make_body("b", second)]
    spec = make_spec(bodies=bodies, ground=False, frame_count=1)
    trajectory = trajectory_of(spec, [[(0.0, 0.0, 2.0), np.add((0.0, 0.0, 2.0), offset)]])
    thickness = min(np.ptp(body_mesh(body).vertices, axis=0).min() for body in bodies)
    assert depth(spec, trajectory) * thickness == pytest.approx(expected, abs=0.006)  # tessellation of round bodies


def test_crossed_edges_overlap_although_no_corner_is_inside():
    bodies = [make_body("a", Box(size=(2.0, 0.2, 0.2))), make_body("b", Box(size=(2.0, 0.2, 0.2)))]
    spec = make_spec(bodies=bodies, ground=False, frame_count=1)
    quat = [[(0, 0, 0, 1), quat_from_axis_angle((0, 0, 1), np.pi / 2)]]
    trajectory = trajectory_of(spec, [[(0, 0, 2), (0, 0, 2.15)]], quat=quat)
    assert depth(spec, trajectory) * 0.2 == pytest.approx(0.05, abs=1e-3)


def test_what_a_step_travels_is_no_penetration():
    spec = make_spec(bodies=[make_body()], frame_count=1)
    position = [[(0.0, 0.0, 0.2 - 0.03)]]
    assert depth(spec, trajectory_of(spec, position)) > 0.05
    assert depth(spec, trajectory_of(spec, position, velocity=[[(0.0, 0.0, -8.0)]])) == 0.0


def test_static_bodies_may_overlap():
    bodies = [make_body("a", mobility="static"), make_body("b", mobility="static")]
    spec = make_spec(bodies=bodies, frame_count=1)
    assert depth(spec, trajectory_of(spec, np.zeros((1, 2, 3)), mass=[np.inf, np.inf])) == 0.0


def test_a_sheet_at_rest_is_neither_stretched_nor_folded():
    mesh = body_mesh(make_sheet())
    assert area_ratio(mesh, mesh.vertices[None]) == pytest.approx(1.0)
    assert folded_share(mesh, mesh.vertices[None]) == 0.0


def test_stretching_collapse_and_folding_are_seen():
    mesh = body_mesh(make_sheet(cells=8))
    assert area_ratio(mesh, mesh.vertices[None] * 4.0) == pytest.approx(16.0)
    flat = mesh.vertices.copy()
    flat[:, 0] = 0.0
    assert area_ratio(mesh, flat[None]) == np.inf
    assert area_ratio(mesh, np.stack([mesh.vertices, flat, mesh.vertices])) == np.inf
    folded = mesh.vertices.copy()
    folded[:, 0] = np.abs(folded[:, 0])
    folded[:, 2] = 0.01 * (mesh.vertices[:, 0] > 0)
    assert folded_share(mesh, np.stack([mesh.vertices, folded])) > 0.01


@pytest.mark.parametrize(("cells", "verdict"), [(8, np.inf), (32, 1.0)])
def test_a_collapsed_triangle_counts_where_it_is_a_part_of_the_surface(cells, verdict):
    mesh = body_mesh(make_sheet(cells=cells, amplitude=0.0))
    vertices = mesh.vertices.copy()
    corner = np.flatnonzero(np.isclose(vertices[:, :2], vertices[:, :2].min(axis=0)).all(axis=1))[0]
    (triangle, *_) = mesh.triangles[(mesh.triangles == corner).any(axis=1)]
    vertices[corner] = vertices[triangle[triangle != corner]].mean(axis=0)
    assert area_ratio(mesh, vertices[None]) == pytest.approx(verdict)


def test_a_clean_flight_passes():
    spec, trajectory = thrown()
    report = episode_report(spec, trajectory, scene_surfaces(spec), [])
    assert report.passed
    assert report.reasons == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p, v: (p * np.where(np.arange(24)[:, None, None] == 5, np.nan, 1), v), "not_finite"),
        (lambda p, v: (p + 1e3, v), "out_of_bounds"),
        (lambda p, v: (p, v * 100), "out_of_bounds"),
        (lambda p, v: (p, v + 10 * (np.arange(24)[:, None, None] > 5)), "energy_growth"),
        (lambda p, v: (p - 4.0 * (np.arange(24)[:, None, None] > 20), v), "penetration"),
    ],
)
def test_each_fault_has_its_reason(change, reason):
    spec, trajectory = thrown()
    position, velocity = change(trajectory.position.astype(float), trajectory.linear_velocity.astype(float))
    report = episode_report(spec, trajectory_of(spec, position, velocity=velocity), scene_surfaces(spec), [])
    assert not report.passed
    assert reason in report.reasons


def test_a_backend_without_contact_is_not_blamed_for_penetration():
    spec, trajectory = thrown()
    sunk = trajectory_of(spec, trajectory.position - np.float32(10.0), rules={"contact": "none: bodies pass"})
    assert "penetration" not in episode_report(spec, sunk, scene_surfaces(spec), []).figures


def test_a_folded_sheet_is_refused():
    spec = make_spec(bodies=[make_sheet()], frame_count=3)
    trajectory = mock_trajectory(spec)
    assert episode_report(spec, trajectory, scene_surfaces(spec), []).passed
    trajectory.vertices[0][:, :, 0] *= np.float32(1e-3)
    assert episode_report(spec, trajectory, scene_surfaces(spec), []).reasons == ("inverted_elements",)


def test_json_has_only_finite_numbers():
    report = QualityReport(reasons=("penetration",), figures={"b": float("inf"), "a": 1.23456789})
    assert report.to_json() == {"passed": False, "reasons": ["penetration"], "figures": {"a": 1.23457, "b": None}}


@pytest.mark.parametrize("turn", [0.0, 0.3, 1.1, 2.0])
@pytest.mark.parametrize(("gap", "depth"), [(2e-4, 0.0), (-2e-3, 2e-3)])
def test_the_depth_of_long_round_bodies_is_that_of_their_surfaces(gap, depth, turn):
    rod = Capsule(radius=0.03, height=0.8)
    level = quat_from_axis_angle((1.0, 0.0, 0.0), np.pi / 2)
    crossed = quat_multiply(quat_from_axis_angle((0.0, 0.0, 1.0), turn), level)
    bodies = [
        make_body("below", rod, position=(0.0, 0.0, 1.0), orientation=tuple(level)),
        make_body("above", rod, position=(0.05, 0.02, 1.06 + gap), orientation=tuple(crossed)),
    ]
    if turn == 0.0:
        bodies[1] = make_body("above", rod, position=(0.0, 0.1, 1.06 + gap), orientation=tuple(level))
    spec = make_spec(bodies=bodies)
    poses = [[body.position for body in bodies]]
    still = trajectory_of(spec, poses, quat=[[body.orientation for body in bodies]])
    # 256 support points stand for each rod: they lie up to 1 % of its radius inside it, and never outside.
    measured = penetration(spec, still, scene_surfaces(spec)) * 0.06
    assert depth - 7e-4 <= measured <= depth + 1e-6
