"""Tanks: four walls around a liquid that fits in."""

from functools import partial

import numpy as np
import pytest

from layouts.placements.paddle import Paddle
from layouts.placements.partition import Partition
from layouts.placements.tank import Tank
from layouts.stage import Stage
from simfactory.errors import SpecError
from simfactory.rng import stream
from simfactory.spec import Box
from simfactory.testing.specs import make_body, make_fluid
from simfactory.transforms import quat_rotate

EARTH = np.array([0.0, 0.0, -9.81])


def draws():
    return partial(stream, 0, "layout")


def bodies():
    walls = tuple(make_body(f"side_{k}", Box(size=(0.5, 0.06, 0.2)), mobility="static") for k in range(4))
    return (*walls, make_fluid("pool", position=(0.0, 0.0, 0.2)))


@pytest.fixture
def placed():
    return Tank(share=(0.5, 0.5)).place("pool", bodies(), Stage(gravity=EARTH), streams=draws())


def test_a_liquid_stands_within_its_walls_and_below_their_rim(placed):
    (liquid,) = placed.groups["pool"]
    wall = placed.groups["pool_side"][0]
    assert liquid.geometry.size[2] < 0.9 * wall.geometry.size[2]
    assert np.hypot(*liquid.position[:2]) < np.hypot(*wall.position[:2])


def test_a_liquid_keeps_about_as_many_particles(placed):
    (liquid,) = placed.groups["pool"]
    assert liquid.particle_estimate == pytest.approx(bodies()[4].particle_estimate, rel=1e-6)


def test_a_tank_that_would_run_over_is_refused():
    with pytest.raises(SpecError, match="else it runs over: fill it less"):
        Tank(fill=(0.9, 1.2)).place("pool", bodies(), Stage(gravity=EARTH), streams=draws())


def test_a_tank_without_a_liquid_is_refused():
    with pytest.raises(SpecError, match="needed are four walls and one or two liquids"):
        Tank().place("pool", bodies()[:4], Stage(gravity=EARTH), streams=draws())


def test_two_liquids_stand_at_both_ends_of_a_tank():
    walls, liquid = bodies()[:4], bodies()[4]
    other = make_fluid("other", position=(0.0, 0.0, 0.2))
    stage = Tank(share=(0.2, 0.3)).place("pool", (*walls, liquid, other), Stage(gravity=EARTH), streams=draws())
    first, second = stage.groups["pool"]
    apart = np.linalg.norm(np.subtract(first.position, second.position))
    assert apart > 0.5 * (first.geometry.size[0] + second.geometry.size[0]) + 0.1


@pytest.mark.parametrize(("lift", "low"), [((0.0, 0.0), 0.0), ((0.05, 0.05), 0.05)])
def test_a_board_stands_across_a_tank_at_the_front_of_its_liquid(placed, lift, low):
    board = make_body("board", Box(size=(0.3, 0.1, 0.05)), mobility="static")
    (board,) = Partition(tank="pool", lift=lift).place("board", (board,), placed, streams=draws()).groups["board"]
    (liquid,), (end, side, *_) = placed.groups["pool"], placed.groups["pool_side"]
    way = quat_rotate(np.asarray(end.orientation), np.array([1.0, 0.0, 0.0]))
    front = np.asarray(liquid.position) @ way + 0.5 * liquid.geometry.size[0]
    assert 0.0 < np.asarray(board.position) @ way - 0.5 * board.geometry.size[0] - front < 5e-3
    assert board.position[2] - 0.5 * board.geometry.size[2] == pytest.approx(low, abs=1e-3)
    width = 2.0 * np.hypot(*side.position[:2]) - side.geometry.size[0]
    assert board.geometry.size[1] == pytest.approx(width, abs=3e-3)


def test_a_paddle_begins_above_the_liquid_and_dips_in_when_it_turns(placed):
    board = make_body("paddle", Box(size=(0.3, 0.1, 0.05)))
    stage = Paddle(tank="pool", rate=(3.0, 3.0)).place("paddle", (board,), placed, streams=draws())
    (paddle,), (liquid,) = stage.groups["paddle"], stage.groups["pool"]
    level = liquid.position[2] + 0.5 * liquid.geometry.size[2]
    assert paddle.mobility == "kinematic"
    assert paddle.position[2] - 0.5 * paddle.geometry.size[2] > level
    assert 0.0 < paddle.position[2] - 0.5 * paddle.geometry.size[0] < level - 0.5 * liquid.geometry.size[2]
    assert np.linalg.norm(stage.motions[0].angular_velocity) == pytest.approx(3.0, rel=1e-6)
