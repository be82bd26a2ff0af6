"""Sampled values stay within the factory's ranges, materials tell the truth, captions read well."""

import math
import re

import numpy as np
import pytest

import scenes
from layouts import Solid, solid
from scenes.materials import BOUNDS, materials, physical, pool, surfaces
from scenes.perturbation import perturbed
from scenes.shapes import SHAPES, shaped
from simfactory.errors import SpecError
from simfactory.meshes import body_mesh
from simfactory.rng import stream

AXES = np.eye(3)


def dynamic_bodies(specs):
    return [body for spec in specs for body in spec.bodies if body.mobility == "dynamic"]


def extents(hull: Solid, rotation):
    return [hull.extent(axis) + hull.extent(-axis) for axis in rotation.T]


def test_bodies_are_between_ten_and_sixty_centimetres_long(sampled):
    for body in dynamic_bodies(sampled):
        hull = solid(body)
        assert 0.1 <= max(extents(hull, hull.rotation)) <= 0.6, body
        assert min(extents(hull, hull.rotation)) >= 0.04, body


def test_scale_and_aspect_stay_between_a_half_and_two(sampled):
    for spec in sampled:
        for body in spec.bodies:
            assert all(0.5 <= factor <= 2.0 for factor in (body.scale, *body.aspect))


def test_round_bodies_stay_round(sampled):
    for body in dynamic_bodies(sampled):
        if body.geometry.shape in {"sphere", "capsule"}:
            assert body.aspect == (1.0, 1.0, 1.0)
        if body.geometry.shape in {"cylinder", "cone"}:
            assert body.aspect[0] == body.aspect[1]


def test_physical_parameters_stay_in_range(sampled):
    for spec in sampled:
        for body in (*spec.bodies, spec.ground):
            row = body.physical
            assert 100.0 <= row.density <= 8000.0
            assert 0.20 <= row.poisson_ratio <= 0.45
            assert 0.05 <= row.dynamic_friction <= row.static_friction <= 1.0
            assert 0.0 <= row.restitution <= 0.9


def test_gravity_is_mostly_the_earths_and_else_within_its_range(sampled):
    vectors = np.array([spec.environment.gravity for spec in sampled])
    strength = np.linalg.norm(vectors, axis=-1)
    assert strength.min() >= 1.6 - 1e-6
    assert strength.max() <= 15.0 + 1e-6
    assert np.degrees(np.arccos(-vectors[:, 2] / strength)).max() <= 10.0 + 1e-6
    assert 0.5 < np.isclose(strength, 9.81).mean() < 0.8


def test_speeds_stay_in_range(sampled):
    for body in dynamic_bodies(sampled):
        assert math.hypot(*body.linear_velocity) <= 6.0
        assert math.hypot(*body.angular_velocity) <= 10.0 + 1e-6


def test_bodies_begin_near_the_origin(sampled):
    for body in dynamic_bodies(sampled):
        assert math.hypot(*body.position[:2]) <= 2.2
        assert body.position[2] <= 3.2


def test_wind_blows_only_in_air(sampled):
    for spec in sampled:
        assert math.hypot(*spec.environment.wind.velocity) <= 12.0
        assert spec.environment.air_density > 0.0 or not any(spec.environment.wind.velocity)


def test_a_quarter_of_the_paint_is_metallic_and_looks_vary(sampled):
    visuals = [body.visual for body in dynamic_bodies(sampled)]
    share = np.mean([visual.metallic for visual in visuals])
    assert 0.15 < share < 0.40
    assert {visual.texture.pattern for visual in visuals if visual.texture} == {
        "checker", "stripes", "noise", "marble", "wood", "stone", "fabric", "brushed",
    }  # fmt: skip
    roughness = [visual.roughness for visual in visuals]
    assert min(roughness) < 0.2
    assert max(roughness) > 0.8


def test_a_share_of_the_episodes_lies_in_photographed_surroundings(sampled):
    maps = [spec.sky.environment_map for spec in sampled]
    assert 0.15 < np.mean([chosen is not None for chosen in maps]) < 0.4
    assert len({chosen.digest for chosen in maps if chosen}) > 12


def test_bodies_and_floors_have_reliefs(sampled):
    for visuals in ([body.visual for body in dynamic_bodies(sampled)], [spec.ground.visual for spec in sampled]):
        assert 0.05 < np.mean([visual.normal_map is not None for visual in visuals]) < 0.6


def test_floors_and_walls_are_muted(sampled):
    for spec in sampled:
        for surface in filter(None, (spec.ground, spec.room)):
            color = surface.visual.base_color
            assert max(color) - min(color) < 0.32


def test_many_materials_and_shapes_are_in_use(sampled):
    bodies = dynamic_bodies(sampled)
    assert len({body.physical.name for body in bodies}) >= 16
    assert {body.geometry.shape for body in bodies} >= {
        "box", "sphere", "cylinder", "capsule", "cone", "prism", "superellipsoid",
    }  # fmt: skip


def test_bodies_of_one_material_differ_by_at_most_the_perturbation():
    spec = scenes.sample("rigid", scene="domino_row", seed=0)
    by_material = {}
    for body in spec.bodies:
        by_material.setdefault(body.physical.name, []).append(body.physical.density)
    assert any(len(densities) > 1 for densities in by_material.values())
    for densities in by_material.values():
        assert max(densities) / min(densities) <= 1.1 / 0.9
        assert len(set(densities)) == len(densities)


def test_perturbation_stays_within_ten_percent_and_bounds():
    draw = stream(0, "perturbation")
    values = [perturbed(5.0, draw, bounds=(0.0, 5.2)) for _ in range(500)]
    assert 4.5 <= min(values) < 4.6
    assert max(values) == 5.2


def test_the_material_table_lies_within_the_ranges():
    assert len(materials()) >= 16
    for name, row in materials().items():
        for parameter, (low, high) in BOUNDS.items():
            least, most = getattr(row, parameter)
            assert low <= least <= most <= high, f"{name}.{parameter}"
        assert 0.5 <= row.slip[0] <= row.slip[1] <= 1.0
        assert (row.look.second is None) == (not row.look.pattern)


def test_every_surface_is_made_of_a_known_material():
    for row in surfaces().values():
        assert row.material in materials()
        assert len(row.colors) == len(row.seconds)
    assert {use for row in surfaces().values() for use in row.use} == {"floor", "wall", "outdoors"}


def test_pools_take_names_and_families():
    assert set(pool("metal", "ice")) == {"steel", "cast_iron", "aluminium", "titanium", "ice"}
    stiff = tuple(name for name, row in materials().items() if not row.soft and row.family != "terrain")
    assert pool() == stiff
    with pytest.raises(SpecError, match=r"material 'mithril' is unknown; allowed are"):
        pool("mithril")


def test_density_is_drawn_uniformly_in_the_logarithm():
    def streams(seed):
        return lambda *names: stream(seed, *names)

    low, high = materials()["balsa"].density
    drawn = [math.log(physical("balsa", "b", streams=streams(seed)).density) for seed in range(600)]
    middle = 0.5 * (math.log(low) + math.log(high))
    assert np.mean(drawn) == pytest.approx(middle, abs=4.0 * np.std(drawn) / math.sqrt(600))


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_a_shape_has_the_size_that_was_asked_for(name):
    for seed in range(8):
        form = shaped(SHAPES[name], 0.4, stream(seed, "shape"))
        body = scenes.sample("rigid", scene="free_drop", seed=0).bodies[0]
        body = type(body)(**dict(body) | {"geometry": form.geometry, "scale": form.scale, "aspect": form.aspect})
        largest = np.ptp(body_mesh(body).vertices, axis=0).max()
        # A prism's size is that of its circumscribed circle, which its corners may not span.
        slack = 0.25 if body.geometry.shape == "prism" else 1e-3
        assert 0.4 * (1.0 - slack) <= largest <= 0.4 + 1e-6


def test_captions_are_sentences_without_gaps(sampled):
    for spec in sampled:
        assert re.fullmatch(r"[A-Z][^{}]*\.", spec.caption), spec.caption
        assert "  " not in spec.caption
        assert " a a" not in spec.caption
        assert not re.search(r"\b[Aa] [aeio]", spec.caption), spec.caption
        assert spec.phenomena


def test_the_catalogue_describes_at_least_twelve_scenes_over_all_tiers():
    entries = [entry for entry in scenes.catalogue() if entry.category == "rigid"]
    assert len(entries) >= 12
    assert {tier for entry in entries for tier in entry.tiers} == {"single", "two_body", "multi_object"}
    assert all(entry.description.endswith(".") for entry in entries)
    assert scenes.names() == tuple(entry.name for entry in scenes.catalogue())
