"""Scenes with heat: enough of them in every tier, hastened as their roles say, plumes that carry, clear mistakes."""

import math

import numpy as np
import pytest

import scenes
from layouts.solids import volume
from layouts.streams import Streams
from scenes.categories.thermal import CATEGORY
from scenes.materials import materials
from scenes.thermal import RoleMelting
from simfactory.air import air_velocity
from simfactory.errors import SpecError
from simfactory.rng import stream
from simfactory.simulators.newton.steps import steps_for
from simfactory.spec import BodySoft
from simfactory.temperatures import kept_temperatures

FREE = {"single": {1}, "two_body": {2}, "multi_object": {3, 4, 5}}


@pytest.fixture(scope="module")
def thermal():
    return {
        row.name: [scenes.sample("thermal", scene=row.name, seed=4, index=index, views=1) for index in range(3)]
        for row in CATEGORY.scenes
    }


def test_there_are_at_least_twelve_scenes_over_all_tiers(thermal):
    assert len(CATEGORY.scenes) >= 12
    assert {tier for row in CATEGORY.scenes for tier in row.tiers} == set(FREE)
    for specs in thermal.values():
        for spec in specs:
            assert sum(body.mobility == "dynamic" for body in spec.bodies) in FREE[spec.tier]


def test_every_scene_has_something_that_is_warmer_than_a_room(thermal):
    for name, specs in thermal.items():
        for spec in specs:
            warm = [*kept_temperatures(spec).values(), spec.environment.temperature]
            assert 2.0 < max(warm) - 293.15 <= 80.0, name
            assert spec.environment.air_density > 0.0, "in a vacuum nothing would cool"
            assert steps_for(spec).per_substep(spec) <= 8, "affordable"


def test_heat_is_hastened_alike_and_crosses_a_body_in_time(thermal):
    melting = [
        body for specs in thermal.values() for spec in specs for body in spec.bodies if isinstance(body, BodySoft)
    ]
    assert melting
    for body in melting:
        row, heat = materials()[body.physical.name].melting, body.heat
        diffusivity = heat.conductivity / (body.physical.density * heat.heat_capacity)
        assert 0.5 < volume(body) ** (2.0 / 3.0) / diffusivity < 31.0
        haste = [heat.conductivity / k for k in row.conductivity]
        assert haste[1] * row.contact[0] <= heat.contact_conductance * 1.000001 <= haste[0] * row.contact[1] * 1.00001
        assert heat.temperature < heat.softening[0] < heat.softening[1]


def test_plumes_carry_their_body_at_the_height_that_was_drawn(thermal):
    for spec in (*thermal["ball_in_plume"], *thermal["balls_in_plume"]):
        burner, ball = spec.bodies[0], spec.bodies[1]
        (plume,) = spec.environment.plumes
        assert plume.position[:2] == burner.position[:2]
        radius = (3.0 * volume(ball) / (4.0 * math.pi)) ** (1.0 / 3.0)
        pull, air = math.hypot(*spec.environment.gravity), spec.environment.air_density
        fall = math.sqrt(8.0 * radius * ball.physical.density * pull / (3.0 * air * 0.47))
        heights = np.linspace(0.3, 1.5, 200)
        points = np.array(plume.position) + heights[:, None] * (0.0, 0.0, 1.0)
        rise = air_velocity(spec.environment, points, 0.0)[:, 2]
        assert 0.69 < heights[np.abs(rise - fall).argmin()] < 1.21


def test_a_role_names_what_melts():
    def streams(*names: str | int) -> object:
        return stream(0, *names)

    draws: Streams = streams
    with pytest.raises(SpecError, match=r"'jelly' of 'body' does not melt; allowed are \['butter'.*name those"):
        RoleMelting(name="body", shapes=("ball",), materials=("jelly",)).cast("body", rank=0, streams=draws)
