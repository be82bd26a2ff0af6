"""The Newton backend keeps the simulator contract, and its shapes weigh and stand as their meshes do."""

import numpy as np
import pytest

from simfactory.errors import SpecError
from simfactory.meshes import TriangleMesh, body_mesh
from simfactory.quality.deformation import area_ratio
from simfactory.simulators.newton import NewtonSimulator, shapes
from simfactory.spec import Box, Capsule, Cone, Cylinder, MotionLinear, MotionRotation, Prism, Sphere, Superellipsoid
from simfactory.testing.simulator import SimulatorContract
from simfactory.testing.specs import make_body, make_material, make_soft, make_spec


class TestNewton(SimulatorContract):
    simulator_class = NewtonSimulator
    body_kinds = ("cloth", "fluid", "granular", "inflatable", "rigid", "rope", "soft_body")


def load_one(spec):
    simulator = NewtonSimulator()
    simulator.load([spec])
    return simulator


def test_every_native_shape_has_the_mass_and_centre_of_its_mesh():
    """Native shapes are round where meshes are faceted: 64 segments lose up to 0.65 % of a ball's volume."""
    geometries = [
        Box(size=(0.2, 0.3, 0.4)),
        Sphere(radius=0.3),
        Cylinder(radius=0.2, height=0.5),
        Capsule(radius=0.2, height=0.5),
        Cone(radius=0.2, height=0.5),
        Prism(sides=6, radius=0.3, height=0.4, taper=0.5),
        Superellipsoid(radii=(0.2, 0.3, 0.4), exponents=(0.5, 1.5)),
    ]
    for aspect in ((1.0, 1.0, 1.0), (1.0, 1.0, 2.0), (0.7, 1.3, 1.0)):
        bodies = [make_body(f"b{k}", geometry, aspect=aspect) for k, geometry in enumerate(geometries)]
        properties = load_one(make_spec(bodies=bodies, ground=False)).properties(0)
        for index, body in enumerate(bodies):
            mass = body.physical.density * body_mesh(body).volume()
            assert properties.mass[index] == pytest.approx(mass, rel=7e-3)
            assert (np.linalg.eigvalsh(properties.inertia[index]) > 0.0).all()


def test_inertia_of_a_mesh_is_that_of_the_solid():
    """A four-sided prism without taper is a box on its side: m (a² + b²)/12."""
    prism = make_body("prism", Prism(sides=4, radius=0.5 * 2**0.5, height=2.0, taper=1.0))
    properties = load_one(make_spec(bodies=[prism], ground=False)).properties(0)
    mass = properties.mass[0]
    assert mass == pytest.approx(500.0 * 2.0, rel=1e-5)
    assert np.allclose(
        properties.inertia[0], np.diag([mass * 5 / 12, mass * 5 / 12, mass * 2 / 12]), rtol=1e-4, atol=1e-2
    )


def test_a_cone_stands_on_its_base_at_a_quarter_of_its_height():
    cone = make_body("cone", Cone(radius=0.3, height=0.8), position=(0.0, 0.0, 0.2))
    simulator = load_one(make_spec(bodies=[cone]))
    for _ in range(12):
        simulator.step()
    assert simulator.state(0).position[0] == pytest.approx((0.0, 0.0, 0.2), abs=1e-3)


def test_a_mesh_beyond_the_hull_limit_rests_on_its_outermost_vertices():
    mesh = body_mesh(make_body("ball", Sphere(radius=0.2)))
    fine = TriangleMesh(vertices=np.tile(mesh.vertices, (4, 1)), triangles=mesh.triangles)
    hull = np.asarray(shapes._hull(fine).vertices)
    assert len(hull) <= shapes.HULL_DIRECTIONS
    assert np.linalg.norm(hull, axis=1) == pytest.approx(0.2, rel=1e-5)
    assert hull[:, 2].min() == pytest.approx(-0.2, abs=2e-4)


def test_a_kinematic_body_shows_its_start_velocity_at_frame_zero():
    wheel = make_body("wheel", mobility="kinematic")
    motion = MotionRotation(body="wheel", angular_velocity=(0.0, 0.0, 2.0))
    state = load_one(make_spec(bodies=[wheel], motions=[motion])).state(0)
    assert state.angular_velocity[0] == pytest.approx((0.0, 0.0, 2.0))


def test_a_body_too_stiff_for_its_mesh_is_refused_with_what_is_allowed():
    steel = make_soft(physical=make_material(density=1000.0, young_modulus=1e9))
    with pytest.raises(SpecError, match="allowed is a young_modulus up to"):
        load_one(make_spec(bodies=[steel]))


def test_a_plate_does_not_crush_the_cells_of_a_very_soft_body():
    """With contacts forty times as stiff as its cells one of them turns inside out and areas shrink twentyfold."""
    dough = make_material(density=1239.0, young_modulus=3.16e4, poisson_ratio=0.448)
    half_turn = (0.0, 0.0, 0.999820288, -0.018957641)
    soft = make_soft(
        "dough", Box(size=(0.2562, 0.1864, 0.157)), position=(0.0, 0.0, 0.079), orientation=half_turn, physical=dough
    )
    plate = make_body(
        "plate",
        Box(size=(0.0622, 0.7118, 0.4384)),
        position=(0.088945956, 0.278320327, 0.222694389),
        orientation=(0.0, 0.0, 0.8075933, -0.589739826),
        mobility="kinematic",
    )
    push = MotionLinear(body="plate", start=0.218, stop=1.348, velocity=(-0.174934486, -0.547386586, 0.0))
    spec = make_spec(bodies=[soft, plate], motions=[push], frame_count=36, gravity=(0.0, 0.0, -8.47))
    simulator = load_one(spec)
    vertices = []
    for _ in range(35):
        simulator.step()
        vertices.append(simulator.state(0).vertices[0])
    assert area_ratio(body_mesh(soft), np.array(vertices)) < 5.0


def test_stiffer_soft_bodies_get_more_solver_steps_and_rigid_scenes_one():
    simulator = NewtonSimulator()
    specs = [
        make_spec(bodies=[make_soft(physical=make_material(density=1000.0, young_modulus=young))])
        for young in (1e4, 1e5, 1e6)
    ]
    assert [simulator.signature(spec)[2] for spec in specs] == [1, 1, 4]
    assert simulator.signature(make_spec())[:3] == (24.0, 10, 1)
