"""Moving air: the device agrees with the formulas, gusts have their statistics, plumes keep their heat."""

import math

import numpy as np
import pytest
import warp as wp
from pydantic import ValidationError

from simfactory.air import NARROWNESS, air_velocity, gusts, plume_flow
from simfactory.flows import core_length
from simfactory.simulators import create_simulator
from simfactory.simulators.newton.air import Air, air_at, build_air
from simfactory.simulators.newton.bodies import node_body
from simfactory.simulators.newton.forces import LooseDrag
from simfactory.simulators.newton.worlds import build_worlds
from simfactory.spec import (
    Box,
    Environment,
    Heat,
    Jet,
    JointBall,
    Plume,
    ProfileLog,
    ProfilePower,
    SceneSpec,
    Sphere,
    Vortex,
    Wind,
)
from simfactory.testing.specs import (
    make_body,
    make_cloth,
    make_fluid,
    make_granular,
    make_inflatable,
    make_material,
    make_rope,
    make_soft,
    make_spec,
)

GUSTY = Wind(velocity=(3.0, 1.0, 0.0), turbulence=0.3, gust_length=0.8, gust_seed=5)
PLUME = Plume(position=(0.2, -0.1, 0.3), radius=0.15, power=6000.0)
JET = Jet(position=(0.2, -0.1, 1.2), direction=(2.0, 1.0, 0.5), radius=0.06, speed=9.0)
VORTEX = Vortex(position=(0.1, 0.0, 0.0), axis=(0.2, 0.0, -3.0), radius=0.4, speed=5.0)
POWER = Wind(velocity=(3.0, 1.0, 0.0), profile=ProfilePower(height=2.0, exponent=0.2))
LOG = Wind(velocity=(3.0, 1.0, 0.0), profile=ProfileLog(height=2.0, roughness=0.03))
LEANING = (1.0, 0.5, -9.0)


@wp.kernel
def look(air: Air, point: wp.array(dtype=wp.vec3), velocity: wp.array(dtype=wp.vec3)):
    velocity[wp.tid()] = air_at(air, 1, point[wp.tid()])


def with_air(environment, **options):
    return SceneSpec.model_validate({**dict(make_spec(**options)), "environment": environment})


@pytest.mark.parametrize("wind", [GUSTY, POWER, LOG], ids=["gusty", "power", "log"])
def test_the_device_moves_the_air_as_the_formulas_do(wind):
    environment = Environment(gravity=LEANING, air_density=1.2, wind=wind, plumes=(PLUME,), flows=(VORTEX, JET))
    other = Environment(air_density=1.2, flows=(JET, JET, VORTEX))
    air = build_air([with_air(other), with_air(environment)], device="cpu")
    air.dt = 0.01
    air.clock.assign(np.array([3, 70], np.int32))
    points = np.array([0.0, 0.0, 1.0]) + np.random.default_rng(0).uniform(-1.5, 1.5, (500, 3))
    found = wp.zeros(500, dtype=wp.vec3, device="cpu")
    wp.launch(look, dim=500, inputs=[air, wp.array(points, dtype=wp.vec3, device="cpu")], outputs=[found], device="cpu")
    assert np.abs(found.numpy() - air_velocity(environment, points, 0.7)).max() < 1e-4


@pytest.mark.parametrize(
    "environment",
    [
        Environment(air_density=1.2, wind=GUSTY),
        Environment(gravity=LEANING, air_density=1.2, plumes=(PLUME,)),
        Environment(air_density=1.2, flows=(JET,)),
        Environment(air_density=1.2, flows=(VORTEX,)),
        Environment(air_density=1.2, wind=LOG),
    ],
    ids=["gusts", "plume", "jet", "vortex", "profile"],
)
def test_air_is_nowhere_squeezed(environment):
    points = np.array([0.2, -0.1, 1.2]) + np.random.default_rng(1).uniform(-0.4, 0.4, (300, 3))
    if environment.flows == (JET,):  # its front of still air, and the end of its core, are sharp
        ahead = (points - JET.position) @ JET.direction / np.linalg.norm(JET.direction)
        points = points[(ahead > 1e-3) & (np.abs(ahead - core_length(JET.radius)) > 1e-3)]
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


def test_a_jet_keeps_its_momentum_and_slows_as_measured():
    """∫ u² dA is that of the nozzle everywhere; far away the middle has 5.8 to 6.06 U d/x."""
    environment = Environment(air_density=1.2, flows=(JET.model_copy(update={"direction": (1.0, 0.0, 0.0)}),))
    for x in (0.02, 0.3, 0.69, 1.0, 3.0):
        off = np.linspace(0.0, 0.06 + 0.8 * x, 20_000)
        points = np.asarray(JET.position) + np.stack([np.full_like(off, x), off, np.zeros_like(off)], axis=-1)
        along = air_velocity(environment, points, 0.0)[:, 0]
        assert (2.0 * np.pi * off * along**2).sum() * off[1] == pytest.approx(np.pi * (0.06 * 9.0) ** 2, rel=1e-3)
        assert along[0] == pytest.approx(9.0) if x < 0.7 else 5.8 < along[0] / 9.0 * x / 0.12 < 6.06
    behind = np.asarray(JET.position) - [[0.1, 0.0, 0.0]]
    assert not air_velocity(environment, behind, 0.0).any()


def test_a_vortex_is_fastest_at_its_radius_and_keeps_its_circulation_outside():
    environment = Environment(air_density=1.2, flows=(Vortex(position=(0.0, 0.0, 0.0), radius=0.4, speed=5.0),))
    off = np.linspace(0.01, 8.0, 800)
    velocity = air_velocity(environment, np.stack([off, 0.0 * off, 0.0 * off], axis=-1), 0.0)
    around = velocity[:, 1]
    assert not velocity[:, [0, 2]].any()
    assert off[around.argmax()] == pytest.approx(0.4, abs=0.011)
    assert around.max() == pytest.approx(5.0, rel=1e-3)
    assert around[0] / off[0] == pytest.approx(1.3979 * 1.2564 * 5.0 / 0.4, rel=2e-3), "it turns as a whole inside"
    np.testing.assert_allclose(around[off > 1.2] * off[off > 1.2], 1.3979 * 5.0 * 0.4, rtol=1e-4)


def test_a_wind_grows_with_height_as_its_profile_says():
    points = np.array([[0.0, 0.0, z] for z in (-1.0, 0.02, 0.5, 2.0, 4.0)])
    share = [air_velocity(Environment(air_density=1.2, wind=wind), points, 0.0)[:, 0] / 3.0 for wind in (POWER, LOG)]
    np.testing.assert_allclose(share[0], [0.0, 0.01**0.2, 0.25**0.2, 1.0, 2.0**0.2])
    above = [math.log(z / 0.03) / math.log(2.0 / 0.03) for z in (0.5, 2.0, 4.0)]
    np.testing.assert_allclose(share[1], [0.0, 0.0, *above])


HIGH = (0.0, 0.0, 2.0)
SOFT = make_soft(position=HIGH, resolution=2, physical=make_material(density=100.0, young_modulus=2e4))
BODIES = {
    "rigid": make_body("ball", Sphere(radius=0.1), position=HIGH, physical=make_material(density=20.0)),
    "soft_body": SOFT,
    "thermal": make_soft(
        position=HIGH,
        resolution=2,
        physical=make_material(density=100.0, young_modulus=2e4),
        heat=Heat(temperature=310.0, conductivity=1.0, heat_capacity=1000.0),
    ),
    "rope": make_rope(points=((0.0, 0.0, -0.5), (0.0, 0.0, 0.5)), position=HIGH, segments=12),
    "cloth": make_cloth(position=HIGH, resolution=6),
    "inflatable": make_inflatable(position=HIGH),
    "granular": make_granular(position=HIGH, grain_radius=0.02),
    "fluid": make_fluid(position=HIGH, spacing=0.03),
}


def speeds(*specs):
    """Return the velocity of the first body of each scene after four frames."""
    simulator = create_simulator("newton")
    simulator.load(specs)
    for _ in range(4):
        simulator.step()
    return [simulator.state(index).linear_velocity[0].astype(np.float64) for index in range(len(specs))]


@pytest.mark.parametrize("kind", [kind for kind in BODIES if kind != "thermal"])
def test_gusts_move_every_kind_and_the_same_ones_do_the_same(kind):
    def ends(seed):
        wind = Wind(velocity=(6.0, 0.0, 0.0), turbulence=0.5, gust_length=0.5, gust_seed=seed)
        return speeds(with_air(Environment(air_density=1.2, wind=wind), bodies=[BODIES[kind]]))[0]

    first, again, other = ends(1), ends(1), ends(2)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-4


@pytest.mark.parametrize("kind", [*BODIES, "articulated"])
def test_a_jet_moves_every_kind_along_itself_and_nothing_beside_it(kind):
    """Compared with the same body in still air, which falls."""
    body = BODIES["rigid" if kind == "articulated" else kind]
    joints = []
    if kind == "articulated":
        joints = [JointBall(name="joint", parent=None, child=body.name, anchor=(0.0, 0.0, 2.6))]
    way = np.array([0.8, -0.6, 0.0])

    def blown(aside):
        start = np.asarray(HIGH) - 0.5 * way + aside * np.array([0.6, 0.8, 0.0])
        jet = Jet(position=tuple(start.tolist()), direction=tuple(way.tolist()), radius=0.12, speed=15.0)
        return with_air(Environment(air_density=1.2, flows=(jet,)), bodies=[body], joints=joints)

    still = with_air(Environment(air_density=1.2), bodies=[body], joints=joints)
    within, beside, without = speeds(blown(0.0), blown(1.5), still)
    gained = within - without
    assert gained @ way > 0.9 * np.linalg.norm(gained)
    assert gained @ way > 2e-3
    assert np.linalg.norm(beside - without) < 0.02 * np.linalg.norm(gained)


@pytest.mark.parametrize("kind", ["rigid", "granular", "cloth"])
def test_a_vortex_carries_bodies_around_its_axis(kind):
    flow = Vortex(position=(0.0, -0.3, 0.0), radius=0.3, speed=6.0)  # bodies at y = 0 are carried towards -x
    (turned, still) = speeds(
        with_air(Environment(air_density=1.2, flows=(flow,)), bodies=[BODIES[kind]]),
        with_air(Environment(air_density=1.2), bodies=[BODIES[kind]]),
    )
    assert (turned - still)[0] < -3e-3
    assert abs((turned - still)[1]) < 0.3 * abs((turned - still)[0])


@pytest.mark.parametrize("kind", ["granular", "fluid"])
def test_wind_along_a_pool_drags_its_top_and_stops_at_the_first_row(kind):
    """Momentum of a block on the floor within a step: stress on its top; pressure on its front alone."""
    size = (0.4, 0.3, 0.12)
    make = make_granular if kind == "granular" else make_fluid
    options = {"grain_radius": 0.01} if kind == "granular" else {"spacing": 0.02}
    body = make(geometry=Box(size=size), position=(0.0, 0.0, 0.0605), **options)
    wind = Wind(velocity=(10.0, 0.0, 0.0))
    spec = with_air(Environment(air_density=1.2, wind=wind), bodies=[body])
    worlds = build_worlds([spec], device="cpu")
    worlds.air.dt = 0.01
    state = worlds.model.state()
    LooseDrag(spec, 0, worlds.air, device="cpu").act(state.particle_q, state.particle_qd, 0.01)
    gained, place = state.particle_qd.numpy(), state.particle_q.numpy()
    mass = node_body(body).mass
    assert np.abs(gained[:, 1:]).max() < 1e-9
    lee = place[:, 0] > 0.0
    stress, front = (mass[rows] @ gained[rows, 0] / 0.01 for rows in (lee, ~lee))
    columns = len(np.unique(np.floor(place[lee, :2] / body.spacing), axis=0))
    assert stress == pytest.approx(1.2 * 0.0025 * 100.0 * columns * body.spacing**2, rel=0.35)
    assert columns * body.spacing**2 == pytest.approx(0.2 * 0.3, rel=0.15)
    assert front - stress == pytest.approx(0.5 * 1.2 * 0.47 * 100.0 * 0.3 * 0.12, rel=0.25)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: Wind(velocity=(1.0, 0.0, 0.0), turbulence=0.2),
            "turbulence 0.2 without gust_length or gust_seed: give",
        ),
        (lambda: Environment(plumes=(PLUME,)), "plumes need air and gravity, given are air_density 0"),
        (lambda: Plume(position=(0.0, 0.0, 0.0), radius=0.1, power=0.0), "greater than 0"),
        (lambda: Environment(flows=(JET,)), "1 jets or vortices in no air: allowed are they where air_density > 0"),
        (lambda: Jet(position=(0.0, 0.0, 0.0), direction=(0.0, 0.0, 0.0), radius=0.1, speed=1.0), "direction is"),
        (lambda: Vortex(position=(0.0, 0.0, 0.0), axis=(0.0, 0.0, 0.0), radius=0.1, speed=1.0), "axis is"),
        (lambda: ProfileLog(height=0.1, roughness=0.2), "reaches up to the reference height 0.1 m: allowed"),
        (
            lambda: Wind(velocity=(1.0, 0.0, 0.5), profile=POWER.profile),
            "has no profile over the ground: allowed is a level",
        ),
    ],
)
def test_air_that_cannot_be_is_refused(build, message):
    with pytest.raises(ValidationError, match=message):
        build()
