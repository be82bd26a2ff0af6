"""Fans: level with what they face, on a stand, and where the air of a scene begins."""

from functools import partial

import numpy as np
import pytest

import scenes
from layouts.placements.fan import Fan
from layouts.stage import Stage
from simfactory.errors import SpecError
from simfactory.rng import stream
from simfactory.spec import Box, Cylinder, Sphere
from simfactory.testing.specs import make_body, make_cloth
from simfactory.transforms import quat_rotate

EARTH = np.array([0.0, 0.0, -9.81])
FAN = (
    make_body("stand", Box(size=(0.1, 0.1, 0.4)), mobility="static"),
    make_body("fan", Cylinder(radius=0.16, height=0.05), mobility="static"),
)
UP = np.array([0.0, 0.0, 1.0])


def placed(target, **options):
    stage = Stage(gravity=EARTH, groups={"target": (target,)})
    return Fan(target="target", **options).place("fan", FAN, stage, streams=partial(stream, 0, "layout"))


def test_a_fan_stands_level_before_its_target_and_faces_it():
    stage = placed(make_body("ball", Sphere(radius=0.1), position=(0.2, 0.1, 0.8)), distance=(0.3, 0.3))
    (fan,), (stand,) = stage.groups["fan"], stage.groups["fan_stand"]
    way = quat_rotate(np.asarray(fan.orientation), UP)
    front = np.asarray(fan.position) + 0.5 * fan.geometry.height * way
    np.testing.assert_allclose(front + 0.4 * way, (0.2, 0.1, 0.8), atol=1e-6)
    assert stand.position[2] + 0.5 * stand.geometry.size[2] == pytest.approx(0.8 - 0.16, abs=2e-3)


def test_a_fan_faces_a_hanging_sheet_across_it():
    sheet = make_cloth(position=(0.0, 0.0, 1.0), orientation=(0.5, 0.5, 0.5, 0.5))
    (fan,) = placed(sheet, faced=True).groups["fan"]
    along = quat_rotate(np.asarray(sheet.orientation), UP) @ quat_rotate(np.asarray(fan.orientation), UP)
    assert abs(along) == pytest.approx(1.0, abs=1e-6)


def test_what_is_no_fan_is_refused():
    stage = Stage(gravity=EARTH, groups={"target": (make_body("ball"),)})
    with pytest.raises(SpecError, match="needed are a stand and a cylinder"):
        Fan(target="target").place("fan", FAN[:1], stage, streams=partial(stream, 0, "layout"))


def test_the_jet_of_a_scene_begins_at_its_fan():
    for index in range(3):
        spec = scenes.sample("rigid", scene="fan_blows_balls", seed=4, index=index, views=1)
        (jet,) = spec.environment.flows
        (fan,) = (body for body in spec.bodies if body.name == "fan")
        way = quat_rotate(np.asarray(fan.orientation), UP)
        ahead = (np.asarray(jet.position) - fan.position) @ way
        assert ahead == pytest.approx(0.5 * fan.geometry.height, abs=2e-3)
        np.testing.assert_allclose(jet.direction, way, atol=1e-6)
        assert jet.radius < fan.geometry.radius
        assert spec.environment.air_density > 0.9
        assert "jet" in spec.phenomena
        assert "fan" in spec.caption


def test_wind_grows_with_height_and_air_turns_where_a_scene_says_so():
    shear = scenes.sample("inflatable", scene="balloons_in_shear", seed=4, views=1)
    assert shear.environment.wind.profile is not None
    assert shear.environment.wind.velocity[2] == 0.0
    whirl = scenes.sample("inflatable", scene="balloons_in_vortex", seed=4, views=1)
    assert [flow.kind for flow in whirl.environment.flows] == ["vortex"]
