"""Heat in soft bodies: melting stays, resets are exact, pictures show it, mistakes are named."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from simfactory.annotations import annotations
from simfactory.errors import SpecError
from simfactory.quality.heat import temperature_excess
from simfactory.simulation import simulate
from simfactory.simulators import create_simulator
from simfactory.spec import BodySoft, Box, Heat, SceneSpec
from simfactory.testing.specs import make_ground, make_material, make_soft, make_spec

SIZE = (0.3, 0.3, 0.3)


def melting(**changes):
    heat = {
        "temperature": 290.0, "conductivity": 2e4, "heat_capacity": 1000.0, "contact_conductance": 1e7,
        "softening": (300.0, 320.0), "molten_shear": 0.02, "flow_time": 0.3,
    }  # fmt: skip
    return make_soft(
        "block", Box(size=SIZE), position=(0.0, 0.0, 0.1505), resolution=4,
        physical=make_material(density=1000.0, young_modulus=4e4, poisson_ratio=0.4), heat=Heat(**(heat | changes)),
    )  # fmt: skip


def on_floor(body, temperature, **options):
    return make_spec(bodies=[body], ground=make_ground(temperature=temperature), frame_count=10, **options)


def run(specs, frames=10):
    simulator = create_simulator("newton")
    simulator.load(specs)
    for _ in range(frames):
        simulator.step()
    return simulator


def test_a_block_on_a_hot_floor_melts_and_one_on_a_cold_floor_does_not():
    simulator = run([on_floor(melting(), 400.0), on_floor(melting(), 280.0)], frames=30)
    hot, cold = simulator.state(0), simulator.state(1)
    assert hot.vertices[0][:, 2].max() < 0.85 * cold.vertices[0][:, 2].max()
    assert hot.temperatures[0].max() > 380.0
    assert cold.temperatures[0].max() <= 290.0
    assert 280.0 <= cold.temperatures[0].min() < 285.0


def test_what_has_flowed_keeps_its_shape_and_what_has_not_springs_back():
    """Without gravity after half a second, a molten block stays flat; a softened one that does not flow rises again."""
    heights = []
    for flow_time in (0.05, None):
        body = melting(temperature=330.0, conductivity=0.0, contact_conductance=0.0, flow_time=flow_time)
        simulator = run([on_floor(body, None)], frames=12)
        low = simulator.state(0).vertices[0][:, 2].max()
        simulator._worlds.model.set_gravity((0.0, 0.0, 0.5))
        for _ in range(12):
            simulator.step()
        nodes = simulator.state(0).vertices[0]
        heights.append((low, np.ptp(nodes[:, 2])))
    assert heights[0][1] < 0.75 * SIZE[2]
    assert heights[1][1] > 0.85 * SIZE[2]


def test_a_reset_is_exact_and_leaves_others_alone():
    specs = [on_floor(melting(), 400.0), on_floor(melting(temperature=300.0), 380.0)]
    simulator = run(specs, frames=6)
    first = [simulator.state(k) for k in range(2)]
    simulator.reset(0)
    for _ in range(6):
        simulator.step()
    again, other = simulator.state(0), simulator.state(1)
    undisturbed = run(specs, frames=12).state(1)
    np.testing.assert_array_equal(again.vertices[0], first[0].vertices[0])
    np.testing.assert_array_equal(again.temperatures[0], first[0].temperatures[0])
    np.testing.assert_array_equal(other.vertices[0], undisturbed.vertices[0])
    np.testing.assert_array_equal(other.temperatures[0], undisturbed.temperatures[0])


def test_the_picture_shows_temperatures_where_there_are_any():
    episode = simulate(on_floor(melting(), 400.0), backend="newton")
    shown = episode.clips[0].arrays["temperature"]
    instance = episode.clips[0].arrays["instance"]
    assert (shown[instance == 1] == 400.0).all()
    assert np.isnan(shown[instance == 0]).all()
    block = shown[-1][instance[-1] == 3]
    assert 290.0 <= block.min() < block.max() <= 400.0
    assert temperature_excess(episode.spec, episode.trajectory) < 0.01
    hotter = {0: episode.trajectory.temperatures[0] + np.float32(30.0)}
    assert temperature_excess(episode.spec, replace(episode.trajectory, temperatures=hotter)) > 0.05
    assert "temperature" not in {a.name for a in annotations(spec=make_spec(bodies=[make_soft()]))}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"softening": (320.0, 300.0)}, "has no width: give the temperature at which it begins"),
        ({"softening": None}, "have no effect without softening"),
        ({"heat_capacity": 0.0}, "greater than or equal to 10"),
        ({"temperature": -5.0}, "greater than or equal to 1"),
    ],
)
def test_heat_that_cannot_be_is_refused(change, message):
    with pytest.raises(ValidationError, match=message):
        melting(**change)


def test_a_body_that_conducts_too_well_is_refused_with_what_is_allowed():
    spec = on_floor(melting(conductivity=9e5, heat_capacity=100.0), 400.0)
    with pytest.raises(SpecError, match=r"conducts so well .* allowed is a conductivity up to [\d.e+]+ W"):
        create_simulator("newton").signature(spec)


def test_heat_is_left_out_of_records_where_there_is_none():
    spec = make_spec(bodies=[make_soft()])
    assert "heat" not in spec.model_dump(mode="json")["bodies"][0]
    assert SceneSpec.model_validate(spec.model_dump(mode="json")) == spec
    warm = on_floor(melting(), 400.0)
    assert SceneSpec.model_validate(warm.model_dump(mode="json")) == warm
    assert isinstance(warm.bodies[0], BodySoft)
