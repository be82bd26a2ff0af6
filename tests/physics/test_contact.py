"""Bodies in contact stay sane: they come to rest, keep their energy's sign, and report what they touch."""

import numpy as np
import pytest

from simfactory.episode import FIRST_BODY, GROUND, Trajectory
from simfactory.meshes import body_mesh
from simfactory.simulators import create_simulator
from simfactory.spec import (
    Box,
    Capsule,
    Cone,
    Cylinder,
    MotionLinear,
    Prism,
    Sphere,
    Superellipsoid,
)
from simfactory.testing.specs import make_body, make_ground, make_material, make_room, make_spec
from simfactory.transforms import quat_rotate, quat_to_matrix

SHAPES = {
    "box": Box(size=(0.3, 0.4, 0.2)),
    "plank": Box(size=(0.8, 0.2, 0.1)),
    "ball": Sphere(radius=0.2),
    "cylinder": Cylinder(radius=0.15, height=0.5),
    "cone": Cone(radius=0.2, height=0.4),
    "capsule": Capsule(radius=0.12, height=0.3),
    "prism": Prism(sides=5, radius=0.25, height=0.3, taper=0.6),
    "superellipsoid": Superellipsoid(radii=(0.2, 0.25, 0.15), exponents=(0.4, 0.6)),
}


def trajectories(specs):
    simulator = create_simulator("newton")
    simulator.load(specs)
    states = [[simulator.state(index)] for index in range(len(specs))]
    for _ in range(specs[0].frame_count - 1):
        simulator.step()
        for index in range(len(specs)):
            states[index].append(simulator.state(index))
    return [Trajectory.from_states(list(path), simulator.properties(index)) for index, path in enumerate(states)]


def energies(path, gravity=9.81):
    rotation = quat_to_matrix(path.quat_xyzw)
    inertia = np.einsum("tbij,bjk,tblk->tbil", rotation, path.properties.inertia, rotation)
    spin = np.einsum("tbi,tbij,tbj->tb", path.angular_velocity, inertia, path.angular_velocity)
    speed = (path.linear_velocity.astype(float) ** 2).sum(axis=-1)
    height = path.position[..., 2]
    return (path.properties.mass * (0.5 * speed + gravity * height) + 0.5 * spin).sum(axis=1)


def tumbling_spec(geometry):
    """One body that falls askew, spins, and slides at 1 m/s."""
    body = make_body(
        "body",
        geometry,
        orientation=(0.36, 0.48, 0.0, 0.8),
        linear_velocity=(1.0, 0.0, 0.0),
        angular_velocity=(3.0, -2.0, 1.0),
        physical=make_material(friction=0.4, restitution=0.4),
    )
    return make_spec(bodies=[body], frame_count=73, ground=make_ground(physical=make_material(friction=0.4)))


@pytest.fixture(scope="module")
def tumbles():
    specs = {name: tumbling_spec(geometry) for name, geometry in SHAPES.items()}
    return dict(zip(specs, zip(specs.values(), trajectories(list(specs.values())), strict=True), strict=True))


@pytest.mark.parametrize("name", SHAPES)
def test_tumbling_bodies_do_not_gain_energy(name, tumbles):
    """XPBD lifts what has sunk into the ground by up to g dt² a step: at most 0.2 % of the energy in a frame."""
    _, path = tumbles[name]
    energy = energies(path)
    assert np.diff(energy).max() < 2e-3 * energy[0]
    assert energy.max() < 1.002 * energy[0]


@pytest.mark.parametrize("name", SHAPES)
def test_what_collides_is_what_is_seen(name, tumbles):
    """No vertex of the seen mesh sinks below the ground by more than 2 mm, and the body does touch the ground.

    An edge or a tip lies on one or two contact points that XPBD holds at depth g dt² to first order: 0.17 mm per
    point and step; a cone on its side showed 1.4 mm.
    """
    spec, path = tumbles[name]
    vertices = body_mesh(spec.bodies[0]).vertices
    lowest = np.array(
        [
            (position + quat_rotate(quat, vertices))[:, 2].min()
            for position, quat in zip(path.position[:, 0], path.quat_xyzw[:, 0], strict=True)
        ]
    )
    assert lowest.min() > -2e-3
    assert lowest[36:].min() < 2e-3


@pytest.mark.parametrize("name", ["box", "plank", "prism"])
def test_flat_bodies_come_to_rest(name, tumbles):
    """Friction 0.4 stops a body within 3 s; the solver cuts speeds below 1e-4 m/s to zero."""
    _, path = tumbles[name]
    assert np.abs(path.linear_velocity[-1]).max() < 2e-3
    assert np.abs(path.angular_velocity[-1]).max() < 1e-2


def test_contacts_name_who_touches_whom_where():
    lower = make_body("lower", position=(0.0, 0.0, 0.2))
    upper = make_body("upper", position=(0.0, 0.0, 0.6))
    apart = make_body("apart", position=(2.0, 0.0, 3.0))
    (path,) = trajectories([make_spec(bodies=[lower, upper, apart], frame_count=5)])
    contacts = path.contacts[-1]
    assert set(zip(contacts.a.tolist(), contacts.b.tolist(), strict=True)) == {
        (GROUND, FIRST_BODY),
        (FIRST_BODY, FIRST_BODY + 1),
    }
    assert np.allclose(contacts.normal, (0.0, 0.0, 1.0), atol=1e-3)
    assert np.allclose(contacts.point[contacts.a == GROUND, 2], 0.0, atol=1e-3)
    assert np.allclose(contacts.point[contacts.a == FIRST_BODY, 2], 0.4, atol=2e-3)
    assert np.isnan(contacts.impulse).all()


def test_walls_keep_bodies_in_the_room():
    thrown = make_body("ball", Sphere(radius=0.2), linear_velocity=(20.0, 13.0, 9.0))
    spec = make_spec(bodies=[thrown], room=make_room(size=(3.0, 3.0, 2.5), ceiling=True), frame_count=49)
    (path,) = trajectories([spec])
    assert np.abs(path.position[..., :2]).max() < 1.5 - 0.2 + 0.01
    assert path.position[..., 2].max() < 2.5 - 0.2 + 0.01
    assert path.position[..., 2].min() > 0.2 - 0.01


def test_a_fast_small_ball_does_not_pass_a_thin_wall():
    """40 m/s is 0.17 m a step, the ball is 0.04 m wide, the wall 0.05 m thick."""
    ball = make_body("ball", Sphere(radius=0.02), position=(-2.0, 0.0, 1.0), linear_velocity=(40.0, 0.0, 0.0))
    wall = make_body("wall", Box(size=(0.05, 2.0, 2.0)), mobility="static")
    (path,) = trajectories([make_spec(bodies=[ball, wall], frame_count=13)])
    assert path.position[:, 0, 0].max() < 0.0


def test_a_moving_belt_drags_what_stands_on_it():
    """A box on a kinematic slab ends at the slab's velocity: friction acts on relative motion."""
    slab = make_body("slab", Box(size=(6.0, 2.0, 0.2)), position=(0.0, 0.0, 0.1), mobility="kinematic")
    rider = make_body("rider", position=(0.0, 0.0, 0.4))
    motion = MotionLinear(body="slab", velocity=(0.6, 0.0, 0.0))
    (path,) = trajectories([make_spec(bodies=[slab, rider], motions=[motion], ground=False, frame_count=25)])
    assert path.linear_velocity[-1, 1, 0] == pytest.approx(0.6, abs=0.01)


def test_odd_substeps_work_as_even_ones():
    """Three steps of 1/180 s and six of 1/360 s differ by the step's order only."""
    specs = [make_spec(fps=60.0, substeps=substeps, frame_count=31) for substeps in (3, 6)]
    coarse, fine = (trajectories([spec])[0] for spec in specs)
    assert np.abs(coarse.position[:, 0] - fine.position[:, 0]).max() < 2e-3


def test_static_scenes_simulate():
    spec = make_spec(bodies=[make_body(mobility="static")], frame_count=3)
    (path,) = trajectories([spec])
    assert (path.linear_velocity == 0.0).all()
    assert np.allclose(path.position, (0.0, 0.0, 1.0))
