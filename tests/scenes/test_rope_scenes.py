"""Rope scenes: enough of them in every tier, each its own event, placed as their specs say."""

import math

import numpy as np
import pytest

import scenes
from layouts import certify, solid
from scenes.categories.rope import CATEGORY
from scenes.materials import cord, materials, pool
from scenes.roles import CORD_WORDS
from simfactory.cameras import camera_to_world, intrinsics
from simfactory.cords import centre_line
from simfactory.errors import SpecError
from simfactory.meshes import body_mesh
from simfactory.rng import stream
from simfactory.spec import BodyRope
from simfactory.transforms import invert_pose, project, transform_points

FREE = {"single": {1}, "two_body": {2}, "multi_object": {3, 4, 5}}


@pytest.fixture(scope="module")
def ropes():
    return {
        row.name: [scenes.sample("rope", scene=row.name, seed=4, index=index) for index in range(4)]
        for row in CATEGORY.scenes
        if not row.name.startswith("robot_")  # tests/scenes/test_manipulation.py looks at these
    }


def test_there_are_at_least_twelve_scenes_over_all_tiers():
    assert len(CATEGORY.scenes) >= 12
    assert {tier for row in CATEGORY.scenes for tier in row.tiers} == set(FREE)


def test_no_two_scenes_differ_in_materials_only():
    def event(row):
        return row.layout, tuple((role.name, type(role), getattr(role, "shapes", ())) for role in row.roles)

    assert len({repr(event(row)) for row in CATEGORY.scenes}) == len(CATEGORY.scenes)


def test_each_tier_has_its_number_of_free_bodies(ropes):
    for specs in ropes.values():
        for spec in specs:
            free = [body for body in spec.bodies if body.mobility == "dynamic"]
            assert len(free) in FREE[spec.tier], (spec.scene, len(free))
            assert any(isinstance(body, BodyRope) for body in free)


def test_nothing_touches_at_the_start(ropes):
    for specs in ropes.values():
        for spec in specs:
            certify(spec.bodies, spec.ground, spec.room)


def test_ropes_are_wholly_in_every_picture_at_the_start(ropes):
    for specs in ropes.values():
        for spec in specs:
            for camera in spec.cameras:
                pose = invert_pose(camera_to_world(camera, [0.0])[0])
                for body in spec.bodies:
                    if isinstance(body, BodyRope):
                        points = transform_points(pose, body_mesh(body).vertices + np.asarray(body.position))
                        pixels = project(points, intrinsics(camera))
                        assert (points[:, 2] > 0.0).all()
                        inside = (pixels >= 0.0) & (pixels <= np.array([camera.width, camera.height]))
                        assert inside.all(), (spec.scene, camera.name)


def test_ropes_keep_the_length_that_was_drawn(ropes):
    for specs in ropes.values():
        for spec in specs:
            for body in spec.bodies:
                if isinstance(body, BodyRope):
                    line = centre_line(body)
                    length = np.linalg.norm(np.diff(line, axis=0), axis=-1).sum()
                    assert 0.68 < length < 1.72, spec.scene
                    assert np.abs(line.mean(axis=0)).max() < 0.05 * length  # its origin is its middle


def test_speeds_stay_in_range(ropes):
    for specs in ropes.values():
        for spec in specs:
            for body in spec.bodies:
                reach = math.hypot(*body.angular_velocity) * solid(body).radius
                assert math.hypot(*body.linear_velocity) + reach * isinstance(body, BodyRope) <= 9.0


def test_wind_blows_where_it_is_needed(ropes):
    for spec in ropes["rope_in_wind"]:
        assert 7.0 <= math.hypot(*spec.environment.wind.velocity) <= 12.0
        assert spec.environment.air_density > 0.0


def test_every_rope_material_has_words_and_bends():
    made = [name for name, row in materials().items() if row.limpness is not None]
    assert set(made) == set(CORD_WORDS) == set(pool("rope", "elastic_rope", "stiff_rope"))
    for name in made:
        limpness, relaxation = cord(name, streams=lambda *names: stream(0, *names))
        assert 0.0 < limpness <= 1.0
        assert 0.0 < relaxation < 0.1
    with pytest.raises(SpecError, match="no ropes are made of 'steel'; allowed are"):
        cord("steel", streams=lambda *names: stream(0, *names))
