"""Tanks: four walls around a liquid that fits in."""

from functools import partial

import numpy as np
import pytest

from layouts.placements.tank import Tank
from layouts.stage import Stage
from simfactory.errors import SpecError
from simfactory.rng import stream
from simfactory.spec import Box
from simfactory.testing.specs import make_body, make_fluid

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
