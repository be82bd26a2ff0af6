"""Granular bodies: grains within their region, counts within their limits, errors that say what to do."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from simfactory.errors import SpecError
from simfactory.grains import body_grains, grain_ids
from simfactory.meshes import body_mesh
from simfactory.simulators import create_simulator
from simfactory.spec import Body, BodyGranular, Box, Cone, Cylinder, Sphere
from simfactory.spec.granular import PACKING
from simfactory.testing.specs import make_body, make_granular, make_room, make_spec

REGIONS = [
    Box(size=(0.2, 0.3, 0.15)),
    Sphere(radius=0.13),
    Cylinder(radius=0.1, height=0.2),
    Cone(radius=0.15, height=0.25),
]


@pytest.mark.parametrize("region", REGIONS, ids=lambda region: region.shape)
def test_grains_lie_within_their_region_and_do_not_coincide(region):
    body = make_granular(geometry=region, grain_radius=0.01)
    grains = body_grains(body)
    vertices = body_mesh(body).vertices
    limit = {
        "box": lambda p: np.abs(p).max(axis=0) - 0.5 * np.asarray(region.size),
        "sphere": lambda p: np.linalg.norm(p, axis=1) - 0.13,
        "cylinder": lambda p: np.hypot(p[:, 0], p[:, 1]) - 0.1,
        "cone": lambda p: np.abs(p[:, 2] - 0.0625) - 0.125,
    }[region.shape]
    assert limit(vertices).max() <= 1e-9
    apart = np.linalg.norm(grains.centers[:, None] - grains.centers[None], axis=-1)
    assert apart[~np.eye(len(apart), dtype=bool)].min() > 0.5 * body.spacing
    assert len(grains.centers) == pytest.approx(body.grain_estimate, rel=0.15)


def test_a_grain_takes_its_share_of_the_volume():
    body = make_granular()
    ball = 4.0 / 3.0 * np.pi * body.grain_radius**3
    assert ball / body.spacing**3 == pytest.approx(PACKING)
    assert body_grains(body).mass == pytest.approx(1600.0 * ball / PACKING)


@pytest.mark.parametrize("facets", [20, 80])
def test_triangles_of_a_grain_share_its_vertices_alone(facets):
    body = BodyGranular.model_validate({**dict(make_granular()), "facets": facets})
    mesh = body_mesh(body)
    per_grain = len(mesh.vertices) // len(body_grains(body).centers)
    ids = grain_ids(body, np.arange(len(mesh.triangles)))
    np.testing.assert_array_equal(mesh.triangles // per_grain, np.repeat(ids[:, None], 3, axis=1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"geometry": Box(size=(2.0, 2.0, 2.0))}, r"about \d+ grains .* at most 8000: use grains of"),
        ({"geometry": Sphere(radius=0.03)}, r"20 or more: use smaller grains or a larger region"),
        ({"mobility": "static"}, "dynamic"),
        ({"grain_radius": 0.5}, "0.1"),
    ],
)
def test_bodies_that_cannot_be_are_refused(change, message):
    with pytest.raises(ValidationError, match=message):
        BodyGranular.model_validate({**dict(make_granular()), **change})


def test_a_region_without_a_formula_is_refused():
    record = {**make_granular().model_dump(mode="json"), "geometry": {"shape": "torus", "radius": 0.2, "tube": 0.05}}
    with pytest.raises(ValidationError, match="torus"):
        TypeAdapter(Body).validate_python(record)


@pytest.mark.parametrize(
    ("bodies", "message"),
    [
        ([make_granular(position=(0.0, 0.0, 0.05))], "grains of 'sand' begin in the ground"),
        (
            [make_granular(), make_body("box", Box(size=(0.2, 0.2, 0.2)), position=(0.1, 0.0, 0.1))],
            "grains of 'sand' begin in body 'box'",
        ),
        ([make_granular(position=(2.95, 0.0, 0.1))], "begin in a wall"),
    ],
)
def test_newton_refuses_grains_where_something_else_is(bodies, message):
    spec = make_spec(bodies=bodies, room=make_room(size=(6.0, 6.0, 3.0)))
    with pytest.raises(SpecError, match=message):
        create_simulator("newton").signature(spec)


def test_newton_refuses_grains_without_a_floor():
    spec = make_spec(bodies=[make_granular()], ground=False)
    with pytest.raises(SpecError, match=r"no floor under granular body 'sand'.*give the scene a `ground`"):
        create_simulator("newton").signature(spec)
