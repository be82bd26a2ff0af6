"""Fluid bodies: particles fill their region and carry its mass, errors say what to do."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from simfactory.errors import SpecError
from simfactory.liquids import liquid_particles
from simfactory.simulators import create_simulator
from simfactory.spec import Body, Box, Checker, Cone, Cylinder, Sphere, VisualMaterial
from simfactory.spec.granular import region_volume
from simfactory.testing.specs import make_body, make_fluid, make_spec

REGIONS = [
    Box(size=(0.2, 0.3, 0.15)),
    Sphere(radius=0.13),
    Cylinder(radius=0.1, height=0.2),
    Cone(radius=0.15, height=0.25),
]


@pytest.mark.parametrize("region", REGIONS, ids=lambda region: region.shape)
def test_particles_carry_the_mass_of_their_region(region):
    body = make_fluid(geometry=region, density=1200.0)
    particles = liquid_particles(body)
    expected = 1200.0 * region_volume(region, (1.0, 1.0, 1.0))
    assert particles.mass * len(particles.centers) == pytest.approx(expected)
    assert len(particles.centers) == pytest.approx(body.particle_estimate, rel=0.2)


def test_particles_of_a_box_lie_within_it():
    centers = liquid_particles(make_fluid(geometry=REGIONS[0])).centers
    assert (np.abs(centers) < 0.5 * np.array([0.2, 0.3, 0.15])).all()


def test_a_fluid_survives_json():
    body = make_fluid(viscosity=3.0)
    assert TypeAdapter(Body).validate_json(body.model_dump_json()) == body


@pytest.mark.parametrize("spacing", [0.003, 0.09])
def test_too_many_or_too_few_particles_are_refused_with_a_spacing_that_fits(spacing):
    with pytest.raises(ValidationError, match=r"allowed are 50 to 12000: use a spacing of"):
        make_fluid(spacing=spacing)


def test_a_textured_liquid_is_refused():
    with pytest.raises(ValidationError, match="give it a plain colour"):
        make_fluid(visual=VisualMaterial(texture=Checker(color=(0.0, 0.0, 0.0), scale=0.1)))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (lambda: make_spec(bodies=[make_fluid()], ground=False), "no floor under fluid body"),
        (lambda: make_spec(bodies=[make_fluid(position=(0.0, 0.0, 0.05))]), "begin in the ground"),
        (
            lambda: make_spec(bodies=[make_fluid(), make_body("block", position=(0.0, 0.0, 0.3))]),
            "begin in body 'block'",
        ),
        (lambda: make_spec(bodies=[make_fluid(), make_fluid("oil")]), "begin in liquid 'water'"),
        (
            lambda: make_spec(bodies=[make_fluid(), make_fluid("lead", position=(1.0, 0.0, 0.1), density=5000.0)]),
            "allowed in one scene are those that differ by at most 25%",
        ),
    ],
)
def test_scenes_without_room_for_a_liquid_are_refused(spec, message):
    with pytest.raises(SpecError, match=message):
        create_simulator("newton").signature(spec())
