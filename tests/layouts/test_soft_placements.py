"""Placements that squeeze, roll and push through: plates turn where they should, rings do not slip, gaps are narrow."""

from functools import partial

import numpy as np
import pytest

from layouts import Stage, certify, solid
from layouts.placements.clamp import Clamp
from layouts.placements.gap import Gap
from layouts.placements.roll import Roll
from layouts.placements.scatter import Scatter
from layouts.solids import lowest
from simfactory.errors import SpecError
from simfactory.rng import stream
from simfactory.spec import BodyRigid, Box, Ground, PhysicalMaterial, Sphere, Torus, VisualMaterial

SEEDS = range(6)
EARTH = np.array([0.0, 0.0, -9.81])
UP = np.array([0.0, 0.0, 1.0])
STUFF = PhysicalMaterial(density=500.0, static_friction=0.4, dynamic_friction=0.4, restitution=0.2)


def body(name, geometry, mobility="dynamic"):
    return BodyRigid(
        name=name,
        geometry=geometry,
        position=(0.0, 0.0, 0.0),
        physical=STUFF,
        visual=VisualMaterial(),
        mobility=mobility,
    )


def plates(count):
    return tuple(body(f"plate_{k}", Box(size=(0.05, 0.8, 0.5)), "kinematic") for k in range(count))


def draws(seed):
    return partial(stream, seed, "layout")


def certified(stage):
    certify(stage.bodies, Ground(physical=STUFF, visual=VisualMaterial()))
    return stage


def clamped(seed, count):
    stage = Scatter().place("box", (body("box", Box(size=(0.3, 0.2, 0.2))),), Stage(gravity=EARTH), streams=draws(seed))
    return certified(Clamp(squeeze=(0.3, 0.3)).place("plate", plates(count), stage, streams=draws(seed)))


def room(stage, ways, *, moved):
    """The free distance between plates, or between plate and floor, at first or where they turn."""
    reaches = []
    for plate, motion, way in zip(stage.groups["plate"], stage.motions, ways, strict=True):
        reaches.append(-solid(plate).reach(way) - moved * float(np.asarray(motion.amplitude) @ way))
    return sum(reaches)


@pytest.mark.parametrize("seed", SEEDS)
def test_two_plates_take_away_a_share_of_what_is_between_them_and_go_back(seed):
    stage = clamped(seed, 2)
    ways = [np.asarray(motion.amplitude) / np.linalg.norm(motion.amplitude) for motion in stage.motions]
    assert ways[0] @ ways[1] == pytest.approx(-1.0)
    assert room(stage, ways, moved=0.0) > 0.3
    assert room(stage, ways, moved=1.0) == pytest.approx(0.7 * 0.3, abs=1e-6)
    for motion in stage.motions:
        assert (motion.stop - motion.start) * motion.frequency == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_plate_comes_down_to_a_share_of_the_height(seed):
    stage = clamped(seed, 1)
    assert room(stage, [-UP], moved=1.0) == pytest.approx(0.7 * 0.2, abs=2e-3)


def test_a_clamp_around_nothing_or_with_three_plates_is_refused():
    with pytest.raises(SpecError, match="one plate from above or two from the sides"):
        Clamp(squeeze=(0.3, 0.3)).place("plate", plates(1), Stage(gravity=EARTH), streams=draws(0))
    with pytest.raises(SpecError, match="3 plates around 1 bodies"):
        clamped(0, 3)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_ring_stands_on_its_rim_and_rolls_without_slipping(seed):
    ring = body("ring", Torus(radius=0.2, tube=0.05))
    placement = Roll(speed=(0.8, 1.2), lean=(0.0, 0.0))
    stage = certified(placement.place("ring", (ring,), Stage(gravity=EARTH), streams=draws(seed)))
    (ring,) = stage.bodies
    assert 0.0 < lowest(ring) < 1e-3
    assert ring.position[2] == pytest.approx(0.25, abs=1e-3)
    contact = np.asarray(ring.linear_velocity) + np.cross(ring.angular_velocity, [0.0, 0.0, -0.25])
    assert contact == pytest.approx(np.zeros(3), abs=1e-6)
    about = float(solid(ring).rotation[:, 2] @ np.asarray(ring.angular_velocity))
    assert abs(about) == pytest.approx(np.linalg.norm(ring.angular_velocity))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_ram_fits_through_a_gap_that_is_narrower_than_the_body(seed):
    posts = tuple(body(f"post_{k}", Box(size=(0.1, 0.1, 0.3)), "static") for k in range(2))
    pushed, ram = body("ball", Sphere(radius=0.15)), body("ram", Box(size=(0.2, 0.2, 0.2)), "kinematic")
    placement = Gap(width=(0.8, 0.8), beyond=(0.3, 0.3))
    stage = certified(placement.place("ball", (*posts, pushed, ram), Stage(gravity=EARTH), streams=draws(seed)))
    one, other, pushed, ram = stage.bodies
    (motion,) = stage.motions
    way = np.asarray(motion.velocity) / np.linalg.norm(motion.velocity)
    side = np.array([-way[1], way[0], 0.0])
    free = -solid(one).reach(-side) - solid(other).reach(side)
    assert free == pytest.approx(0.8 * 0.3, abs=1e-6)
    assert 2.0 * solid(ram).extent(side) < 0.24
    ahead = np.asarray(one.position) @ way
    assert ahead > np.asarray(pushed.position) @ way > np.asarray(ram.position) @ way
    stroke = np.linalg.norm(motion.velocity) * (motion.stop - motion.start)
    assert solid(ram).reach(way) + stroke == pytest.approx(ahead + 0.3 * 0.3, abs=2e-3)


def test_a_gap_needs_four_bodies():
    with pytest.raises(SpecError, match="two posts, a body, a ram"):
        Gap(width=(0.8, 0.8)).place("ball", plates(2), Stage(gravity=EARTH), streams=draws(0))
