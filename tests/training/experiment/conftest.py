"""Two small datasets in closed-form motion: falling balls, and the same ones that hardly fall."""

from functools import partial

import pytest

from simfactory import catalog
from simfactory.engine import Engine
from simfactory.recording import open_writer
from simfactory.spec import Sphere
from simfactory.store import create_dataset
from simfactory.testing.specs import make_body, make_camera, make_spec

SIZE, FRAMES, FPS = (16, 16), 5, 12.0
TRAINED, TESTED = 3, 3


def ball_scene(index, *, gravity):
    split = "train" if index < TRAINED else "test"
    ball = make_body(
        "ball", Sphere(radius=0.4), position=(0.1 * index - 0.3, 0.0, 1.3), linear_velocity=(0.5, 0.0, 0.2)
    )
    spec = make_spec(
        bodies=[ball],
        frame_count=FRAMES,
        fps=FPS,
        cameras=[make_camera(size=SIZE)],
        index=index,
        gravity=(0.0, 0.0, -gravity if index != TRAINED + TESTED - 1 else -3.7),
    )
    sensors = spec.sensors.model_copy(update={"track_spacing": 2})  # as many tracks as a larger picture would have
    scene = "held_back" if index == TRAINED else spec.scene
    return spec.model_copy(update={"split": split, "scene": scene, "sensors": sensors})


def write_clips(path, specs):
    folder = create_dataset(path)
    outcomes = list(Engine(backend="mock").run(specs, open_recorder=partial(open_writer, folder), gate=False))
    assert not [outcome.failure for outcome in outcomes if outcome.failure]
    catalog.update(folder)
    return str(folder.path)


@pytest.fixture(scope="session")
def sim(tmp_path_factory):
    """Three clips to train on and three test clips: of a scene of their own, as those, and with the gravity of Mars."""
    specs = [ball_scene(index, gravity=9.81) for index in range(TRAINED + TESTED)]
    return write_clips(tmp_path_factory.mktemp("sim") / "data", specs)


@pytest.fixture(scope="session")
def poor(tmp_path_factory):
    specs = [ball_scene(index, gravity=0.5) for index in range(TRAINED)]
    return write_clips(tmp_path_factory.mktemp("poor") / "data", specs)
