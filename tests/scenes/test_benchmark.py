"""Benchmark scenes: forty names, two takes, three views, and what each name says does happen."""

import functools
import math

import numpy as np
import pytest

import scenes
from scenes.benchmark import SWITCH, VIEWS, recorded, scenarios
from scenes.listing import benchmark_catalogue
from simfactory import quality
from simfactory.episode import Trajectory, scene_surfaces
from simfactory.errors import SpecError
from simfactory.preflight import check_scene
from simfactory.simulators import create_simulator
from simfactory.spec import SceneSpec

# What yields takes most of the time: these are simulated for a moment only.
YIELDING = {"domino_in_juice", "potato_in_water", "silk_cover", "weight_on_pillow"}
FPS = 8.0
CREEP = 2e-3  # [m/s]; a resting hull with a rounded base creeps, at up to 1.4 mm/s; boxes do not


@functools.cache
def simulated(name: str) -> tuple[SceneSpec, Trajectory]:
    spec = recorded(scenarios()[name], take=1, fps=FPS, size=(32, 32))
    if name in YIELDING:
        spec = spec.model_copy(update={"frame_count": 4})
    simulator = create_simulator("newton")
    simulator.load([spec])
    states = [simulator.state(0)]
    for _ in range(1, spec.frame_count):
        simulator.step()
        states.append(simulator.state(0))
    trajectory = Trajectory.from_states(states, simulator.properties(0))
    simulator.release()
    return spec, trajectory


def places(name: str, body: str):
    """Positions of a body at the start, at the switch and at the end [m]."""
    spec, trajectory = simulated(name)
    number = [one.name for one in spec.bodies].index(body)
    return (trajectory.position[frame, number] for frame in (0, round(SWITCH * FPS), -1))


def tilted(name: str, body: str) -> float:
    """Angle between a body's axis and the vertical at the end [deg]."""
    spec, trajectory = simulated(name)
    x, y, _, _ = trajectory.quat_xyzw[-1, [one.name for one in spec.bodies].index(body)]
    return math.degrees(math.acos(np.clip(1.0 - 2.0 * (x * x + y * y), -1.0, 1.0)))


def test_there_are_forty_scenes_and_none_of_them_is_sampled():
    assert len(scenarios()) == 40
    assert {entry.name for entry in benchmark_catalogue()} == scenarios().keys()
    assert not {entry.name for entry in scenes.catalogue()} & scenarios().keys()


@pytest.mark.parametrize("name", sorted(scenarios()))
def test_a_scene_can_be_recorded_twice_from_three_places(name):
    first, again = (recorded(scenarios()[name], take=take, size=(32, 32)) for take in (1, 2))
    for spec in (first, again):
        check_scene(spec, backend="newton")
        assert [camera.name for camera in spec.cameras] == list(VIEWS)
        assert spec.split == "benchmark"
        assert spec.benchmark.switch_frame == 72
        assert SceneSpec.model_validate_json(spec.model_dump_json()).digest() == spec.digest()
    assert first.configuration_digest() != again.configuration_digest()
    assert recorded(scenarios()[name], take=2, size=(32, 32)).digest() == again.digest()
    for one, other in zip(first.bodies, again.bodies, strict=True):
        assert math.dist(one.position, other.position) < 3e-3
        assert one.physical == other.physical


@pytest.mark.parametrize("name", sorted(scenarios()))
def test_physics_of_a_scene_passes_the_gate(name):
    spec, trajectory = simulated(name)
    report = quality.episode_report(spec, trajectory, scene_surfaces(spec), [])
    assert report.passed, report


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("ball_and_block", "ball"),
        ("ball_in_basket", "ball"),
        ("ball_rolls_off", "ball"),
        ("ball_train", "ball"),
        ("duck_and_domino", "domino_1"),
        ("duck_falls_in_box", "duck"),
        ("mirror_ball_fall", "ball"),
        ("unstable_block_stack", "block_3"),
        ("weight_on_ceramic", "weight"),
    ],
)
def test_what_is_to_be_foreseen_comes_after_the_switch(name, body):
    _, switch, end = places(name, body)
    assert np.linalg.norm(end - switch) > 0.04


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("ball_hits_nothing", "duck"),
        ("block_domino", "behind_0"),
        ("domino_with_space", "domino_5"),
        ("duck_static", "duck"),
        ("stable_blocks", "block_3"),
        ("weight_protects_duck", "duck"),
    ],
)
def test_what_nothing_reaches_stays(name, body):
    start, _, end = places(name, body)
    creep = CREEP * simulated(name)[0].duration if body == "duck" else 0.0
    assert np.linalg.norm(end - start) < 3e-3 + creep
    assert tilted(name, body) < 1.0


def test_a_ball_moves_the_duck_that_it_hits():
    start, _, end = places("ball_hits_duck", "duck")
    assert np.linalg.norm(end - start) > 3.0 * CREEP * simulated("ball_hits_duck")[0].duration


@pytest.mark.parametrize("name", ["block_domino", "domino_with_space", "duck_and_domino"])
def test_dominoes_fall(name):
    assert tilted(name, "domino_0") > 30.0


def test_a_ball_ends_in_the_basket():
    *_, end = places("ball_in_basket", "ball")
    assert -0.05 < end[0] < 0.45
    assert end[2] < 0.1


def test_a_take_that_does_not_exist_and_a_recording_without_a_future_are_refused():
    scenario = scenarios()["duck_static"]
    with pytest.raises(SpecError, match="takes 1 and 2"):
        recorded(scenario, take=3)
    with pytest.raises(SpecError, match="record more"):
        recorded(scenario, take=1, seconds=2.0)
