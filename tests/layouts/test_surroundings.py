"""Regions, rooms, lights and discovery."""

import math
import sys
import types
from functools import partial

import numpy as np
import pytest

from layouts import Region, Stage, action_region, enclose, lamps
from layouts.cameras import farthest, place_cameras, rigs
from layouts.discovery import discover
from layouts.lights import illuminate, lightings
from layouts.placements.drop import Drop
from layouts.region import HORIZON
from simfactory.cameras import camera_to_world
from simfactory.maps import shipped_maps
from simfactory.rng import stream
from simfactory.spec import BodyRigid, Box, LightPoint, LightSun, PhysicalMaterial, VisualMaterial

PHYSICAL = PhysicalMaterial(density=500.0, static_friction=0.5, dynamic_friction=0.4, restitution=0.2)
REGION = Region(centers=np.array([[0.3, 0.0, 0.4], [-0.5, 0.2, 0.2]]), radii=np.array([0.3, 0.2]))


@pytest.mark.parametrize("seed", range(10))
def test_the_region_holds_a_flight_until_it_lands(seed):
    box = BodyRigid(
        name="box",
        geometry=Box(size=(0.2, 0.2, 0.2)),
        position=(0.0, 0.0, 0.0),
        physical=PHYSICAL,
        visual=VisualMaterial(),
    )
    placement = Drop(height=(0.3, 0.8), toss=(1.5, 2.5), elevation=(20.0, 60.0))
    stage = Stage(gravity=np.array([0.0, 0.0, -9.81]))
    stage = placement.place("box", (box,), stage, streams=partial(stream, seed))
    region, (body,) = action_region(stage), stage.bodies
    for time in np.linspace(0.0, HORIZON, 60):
        center = np.asarray(body.position) + np.asarray(body.linear_velocity) * time + 0.5 * stage.gravity * time**2
        if center[2] < 0.1:
            break
        # Steps of the estimate are 0.05 s apart, so a fast body is at most 0.15 m from one of them.
        assert np.linalg.norm(region.centers - center, axis=-1).min() < 0.16
        assert np.linalg.norm(center - region.target) + 0.17 <= region.radius + 0.16


def test_a_room_holds_every_camera_and_leaves_the_action_in_the_sun():
    for seed in range(30):
        far = farthest(REGION)
        room = enclose(REGION, farthest=far, physical=PHYSICAL, visual=VisualMaterial(), streams=partial(stream, seed))
        for axis in range(2):
            assert 0.5 * room.size[axis] >= abs(REGION.target[axis]) + far + 0.3
        assert not room.ceiling
        shadow = room.size[2] / math.tan(math.radians(36.0))
        assert shadow < 0.5 * min(room.size[:2]) - REGION.radius


def test_a_closed_room_is_above_every_camera_and_has_its_own_lamps():
    for seed in range(30):
        far, draws = farthest(REGION), partial(stream, seed)
        room = enclose(REGION, farthest=far, physical=PHYSICAL, visual=VisualMaterial(), streams=draws, ceiling=True)
        assert room.ceiling
        cameras = place_cameras(tuple(rigs()), views=16, region=REGION, size=(64, 64), streams=draws)
        for camera in cameras:
            heights = camera_to_world(camera, np.linspace(0.0, 4.0, 33))[:, 2, 3]
            assert heights.max() < room.size[2] - 0.1
        found = lamps(room, REGION, streams=draws)
        for lamp in found:
            x, y, z = lamp.position
            assert abs(x) < 0.5 * room.size[0] - 0.1
            assert abs(y) < 0.5 * room.size[1] - 0.1
            assert 0.1 < z < room.size[2] - 0.1
        level = sum(lamp.intensity / ((np.asarray(lamp.position) - REGION.target) ** 2).sum() for lamp in found)
        assert 2.2 - 1e-6 <= level <= 3.6 + 1e-6


def test_lights_stay_within_their_ranges():
    ratios, kinds, maps = [], set(), set()
    for seed in range(200):
        light = illuminate(REGION, streams=partial(stream, seed))
        assert 0.3 <= light.sky.intensity <= 3.0
        if light.sky.environment_map is not None:
            maps.add(light.sky.environment_map.digest)
            assert not light.lights
            continue
        (sun,) = [lamp for lamp in light.lights if isinstance(lamp, LightSun)]
        elevation = math.degrees(math.asin(-sun.direction[2]))
        assert 35.9 <= elevation <= 65.1
        key = sun.irradiance
        for lamp in light.lights:
            assert 3000.0 <= lamp.temperature <= 7500.0
            if isinstance(lamp, LightPoint):
                key += lamp.intensity / ((np.asarray(lamp.position) - REGION.target) ** 2).sum()
        ratios.append(key / light.sky.intensity)
        kinds.add(len(light.lights))
    assert min(ratios) >= 1.0 - 1e-6
    assert max(ratios) <= 8.0 + 1e-6
    assert kinds == {1, 2}
    assert len(maps) > 10
    assert len(lightings()) >= 4


def test_a_place_indoors_is_no_surroundings_where_only_outdoors_will_do():
    indoor = {record.sha256 for record in shipped_maps().values() if record.setting == "indoor"}
    shown = set()
    for seed in range(200):
        sky = illuminate(REGION, settings=("outdoor",), streams=partial(stream, seed)).sky
        if sky.environment_map is not None:
            shown.add(sky.environment_map.digest)
    assert len(shown) > 5
    assert not shown & indoor


def test_discovery_finds_one_export_a_file_by_name(tmp_path, monkeypatch):
    (tmp_path / "finds").mkdir()
    (tmp_path / "finds" / "__init__.py").touch()
    (tmp_path / "finds" / "later.py").write_text("import types\nTHING = types.SimpleNamespace(name='b')\n")
    (tmp_path / "finds" / "early.py").write_text("import types\nTHING = types.SimpleNamespace(name='c')\n")
    (tmp_path / "finds" / "plain.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    package = __import__("finds")
    try:
        assert list(discover(package, "THING", types.SimpleNamespace)) == ["b", "c"]
        with pytest.raises(TypeError, match="must be a str"):
            discover(package, "THING", str)
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "finds"]:
            del sys.modules[name]
