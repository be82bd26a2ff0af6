"""Lost grains and the energy of grains, on trajectories whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from simfactory.episode import BodyProperties, Contacts, Trajectory, scene_surfaces
from simfactory.grains import body_grains
from simfactory.quality import episode_report
from simfactory.quality.energy import mechanical_energy
from simfactory.quality.particles import lost_grains
from simfactory.spec import Box
from simfactory.testing.specs import make_body, make_granular, make_room, make_spec

FRAMES = 6
BOX = np.array([1.0, 0.0, 0.3])


def resting():
    """A heap that stays where it is, beside a box, in a room."""
    spec = make_spec(
        bodies=[
            make_granular(),
            make_body("box", Box(size=(0.4, 0.4, 0.4)), position=tuple(BOX), mobility="static"),
        ],
        room=make_room(size=(6.0, 6.0, 3.0)),
        frame_count=FRAMES,
    )
    grains = body_grains(spec.bodies[0])
    places = np.tile(grains.centers + np.array([0.0, 0.0, 0.1]), (FRAMES, 1, 1)).astype(np.float32)
    return spec, trajectory_of(spec, places)


def trajectory_of(spec, places, velocities=None):
    position = np.tile([body.position for body in spec.bodies], (FRAMES, 1, 1)).astype(np.float32)
    grains = body_grains(spec.bodies[0])
    zero = np.zeros_like(position)
    vertices = np.stack([grains.vertices(frame.astype(np.float64), np.eye(3)) for frame in places])
    return Trajectory(
        time=np.arange(FRAMES) / spec.fps,
        position=position,
        quat_xyzw=np.tile([0.0, 0.0, 0.0, 1.0], (FRAMES, 2, 1)).astype(np.float32),
        linear_velocity=zero,
        angular_velocity=zero,
        vertices={0: vertices.astype(np.float32)},
        contacts=(Contacts.none(),) * FRAMES,
        properties=BodyProperties(
            mass=np.array([grains.mass * len(grains.centers), np.inf]),
            inertia=np.zeros((2, 3, 3)),
            friction=np.zeros(2),
            restitution=np.zeros(2),
            ground_friction=0.5,
        ),
        particles={0: places},
        particle_velocities={0: np.zeros_like(places) if velocities is None else velocities},
    )


def test_a_heap_at_rest_loses_nothing():
    spec, trajectory = resting()
    assert lost_grains(spec, trajectory, scene_surfaces(spec)) == 0.0
    assert "lost_grains" not in episode_report(spec, trajectory, scene_surfaces(spec), []).reasons


@pytest.mark.parametrize(
    "place",
    [(0.0, 0.0, -0.02), (0.0, 0.0, 0.004), (3.1, 0.0, 0.1), tuple(BOX), (0.85, 0.1, 0.3), (0.0, 0.0, 7.0)],
    ids=["below the floor", "pushed back onto it", "behind a wall", "in a box", "in its side", "far away"],
)
def test_grains_where_none_can_be_are_counted(place):
    spec, trajectory = resting()
    places = trajectory.particles[0].copy()
    places[3, :10] = place
    moved = trajectory_of(spec, places)
    assert lost_grains(spec, moved, scene_surfaces(spec)) == pytest.approx(10 / places.shape[1])
    assert "lost_grains" in episode_report(spec, moved, scene_surfaces(spec), []).reasons


def test_energy_of_grains_is_that_of_each():
    """Grains that fly apart have kinetic energy although their centre of mass rests; one that gains some is noticed."""
    spec, trajectory = resting()
    speed = np.zeros_like(trajectory.particles[0])
    speed[3:, ::2, 0], speed[3:, 1::2, 0] = 2.0, -2.0
    wild = replace(trajectory, particle_velocities={0: speed})
    mass = trajectory.properties.mass[0]
    gained = mechanical_energy(spec, wild)[3, 0] - mechanical_energy(spec, wild)[0, 0]
    assert gained == pytest.approx(0.5 * mass * 4.0, rel=1e-5)
    assert "energy_growth" in episode_report(spec, wild, scene_surfaces(spec), []).reasons
