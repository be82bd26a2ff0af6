"""Moving air: the device agrees with the formulas, gusts have their statistics, plumes keep their heat."""

import math

import numpy as np
import pytest
import warp as wp
from pydantic import ValidationError

from simfactory.air import NARROWNESS, air_velocity, gusts, plume_flow
from simfactory.simulators import create_simulator
from simfactory.simulators.newton.air import Air, air_at, build_air
from simfactory.spec import Environment, Plume, SceneSpec, Sphere, Wind
from simfactory.testing.specs import (
    make_body,
    make_cloth,
    make_granular,
    make_material,
    make_rope,
    make_soft,
    make_spec,
)

GUSTY = Wind(velocity=(3.0, 1.0, 0.0), turbulence=0.3, gust_length=0.8, gust_seed=5)
PLUME = Plume(position=(0.2, -0.1, 0.3), radius=0.15, power=6000.0)
LEANING = (1.0, 0.5, -9.0)


@wp.kernel
def look(air: Air, point: wp.array(dtype=wp.vec3), velocity: wp.array(dtype=wp.vec3)):
    velocity[wp.tid()] = air_at(air, 1, point[wp.tid()])


def with_air(environment, **options):
    return SceneSpec.model_validate({**dict(make_spec(**options)), "environment": environment})


def test_the_device_moves_the_air_as_the_formulas_do():
    environment = Environment(gravity=LEANING, air_density=1.2, wind=GUSTY, plumes=(PLUME,))
    air = build_air([make_spec(), with_air(environment)], device="cpu")
    air.dt = 0.01
    air.clock.assign(np.array([3, 70], np.int32))
    points = np.array([0.0, 0.0, 1.0]) + np.random.default_rng(0).uniform(-1.5, 1.5, (500, 3))
    found = wp.zeros(500, dtype=wp.vec3, device="cpu")
    wp.launch(look, dim=500, inputs=[air, wp.array(points, dtype=wp.vec3, device="cpu")], outputs=[found], device="cpu")
    assert np.abs(found.numpy() - air_velocity(environment, points, 0.7)).max() < 1e-4


@pytest.mark.parametrize(
    "environment",
    [Environment(air_density=1.2, wind=GUSTY), Environment(gravity=LEANING, air_density=1.2, plumes=(PLUME,))],
    ids=["gusts", "plume"],
)
def test_air_is_nowhere_squeezed(environment):
    points = np.array([0.2, -0.1, 1.2]) + np.random.default_rng(1).uniform(-0.4, 0.4, (300, 3))
    step, divergence = 1e-4, 0.0
    for axis in range(3):
        shift = step * np.eye(3)[axis]
        ahead, behind = (air_velocity(environment, points + side * shift, 0.3)[:, axis] for side in (1.0, -1.0))
        divergence = divergence + (ahead - behind) / (2.0 * step)
    assert np.abs(divergence).max() < 1e-5 * np.abs(air_velocity(environment, points, 0.3)).max() / step**0.5


def test_gusts_have_their_energy_and_von_karmans_correlation():
    """The longitudinal correlation of the spectrum is 2^(2/3)/Γ(1/3) x^(1/3) K(1/3, x), x = r/1.339 L."""
    wind = Wind(velocity=(8.0, 0.0, 0.0), turbulence=0.25, gust_length=1.0, gust_seed=2)
    waves = [gusts(wind.model_copy(update={"gust_seed": seed})) for seed in range(300)]
    energy = [0.5 * (wave.amplitude**2).sum() for wave in waves]
    assert energy == pytest.approx([3.0 * 2.0**2] * len(waves))
    assert max(np.abs((wave.wave * wave.amplitude).sum(axis=1)).max() for wave in waves) < 1e-9
    for distance, exact in ((0.5, 0.544), (1.0, 0.347), (2.0, 0.150)):
        along = [0.5 * (w.amplitude[:, 0] ** 2 * np.cos(w.wave[:, 0] * distance)).sum() for w in waves]
        assert np.mean(along) / 4.0 == pytest.approx(exact, abs=0.05), distance


def test_a_plume_carries_the_heat_of_its_spot_through_every_level():
    """With the measured excess g' = 11 B^(2/3) z^(-5/3) exp(-71 r²/z²), ∫ w g' dA = B within 3 %."""
    environment = Environment(air_density=1.2, plumes=(PLUME,))
    flow = plume_flow(PLUME, environment)
    flux = (flow.strength / 4.7) ** 3
    assert flux == pytest.approx(9.81 * 6000.0 / (1.2 * 1005.0 * 293.15))
    for height in (0.2, 1.0, 3.0):
        z = height + flow.below
        radius = np.linspace(0.0, 0.6 * z, 2000)
        points = np.stack([0.2 + radius, np.full_like(radius, -0.1), np.full_like(radius, 0.3 + height)], axis=-1)
        rise = air_velocity(environment, points, 0.0)[:, 2]
        buoyancy = 11.0 * flux ** (2.0 / 3.0) * z ** (-5.0 / 3.0) * np.exp(-71.0 * radius**2 / z**2)
        assert (2.0 * math.pi * radius * rise * buoyancy).sum() * radius[1] == pytest.approx(flux, rel=0.03)
    assert flow.below / math.sqrt(NARROWNESS) == pytest.approx(0.15), "as wide as the spot at its height"


@pytest.mark.parametrize(
    "body",
    [
        make_body("ball", Sphere(radius=0.1), position=(0.0, 0.0, 2.0), physical=make_material(density=20.0)),
        make_soft(position=(0.0, 0.0, 2.0), resolution=2, physical=make_material(density=100.0, young_modulus=2e4)),
        make_rope(position=(0.0, 0.0, 2.0), segments=12),
        make_cloth(position=(0.0, 0.0, 2.0), resolution=6),
        make_granular(position=(0.0, 0.0, 2.0), grain_radius=0.02),
    ],
    ids=lambda body: body.kind,
)
def test_gusts_move_every_kind_and_the_same_ones_do_the_same(body):
    def ends(seed):
        wind = Wind(velocity=(6.0, 0.0, 0.0), turbulence=0.5, gust_length=0.5, gust_seed=seed)
        simulator = create_simulator("newton")
        simulator.load([with_air(Environment(air_density=1.2, wind=wind), bodies=[body])])
        for _ in range(4):
            simulator.step()
        return simulator.state(0).linear_velocity[0]

    np.testing.assert_array_equal(ends(1), ends(1))
    assert np.abs(ends(1) - ends(2)).max() > 1e-4


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: Wind(velocity=(1.0, 0.0, 0.0), turbulence=0.2),
            "turbulence 0.2 without gust_length or gust_seed: give",
        ),
        (lambda: Environment(plumes=(PLUME,)), "plumes need air and gravity, given are air_density 0"),
        (lambda: Plume(position=(0.0, 0.0, 0.0), radius=0.1, power=0.0), "greater than 0"),
    ],
)
def test_air_that_cannot_be_is_refused(build, message):
    with pytest.raises(ValidationError, match=message):
        build()
