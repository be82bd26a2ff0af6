"""Clips by newton of two balls: they cross in the picture, fall, and hit the floor or a box on it."""

from functools import partial

import pytest

from simfactory import catalog
from simfactory.engine import Engine
from simfactory.recording import open_writer
from simfactory.spec import Sphere
from simfactory.store import create_dataset
from simfactory.testing.specs import make_body, make_camera, make_spec
from training.data import collate, open_source
from training.data.window_dataset import WindowDataset
from training.data.windows import WindowKey, Windows
from training.rewards import NEEDED_OUTPUTS, truth_of

FRAMES, COUNT = 9, 8


def _scene(index):
    kind, side = index % 4, 1.0 if index < 4 else -0.7
    left = make_body(
        "left",
        Sphere(radius=0.35),
        position=(-0.8 * side, 0.1 * kind, 1.2),
        linear_velocity=(1.5 * side, 0.0, 1.0 - 0.6 * kind),
    )
    right = make_body(
        "right",
        Sphere(radius=0.3),
        position=(0.9 * side, 0.8, 0.7 + 0.2 * kind),
        linear_velocity=((-1.0 - 0.3 * kind) * side, 0.0, 0.0),
    )
    camera = make_camera(size=(48, 48), orbit_rate=0.3 if kind == 3 else None)
    spec = make_spec(
        bodies=[left, right], frame_count=FRAMES, fps=12.0, cameras=[camera], tier="multi_object", index=index
    )
    return spec.model_copy(update={"sensors": spec.sensors.model_copy(update={"track_spacing": 3})})


@pytest.fixture(scope="session")
def balls(tmp_path_factory):
    """Eight clips of 9 frames, 48 x 48 px, 12 fps; every fourth with a camera that moves."""
    folder = create_dataset(tmp_path_factory.mktemp("balls") / "dataset")
    scenes = [_scene(index) for index in range(COUNT)]
    outcomes = list(Engine(backend="newton").run(scenes, open_recorder=partial(open_writer, folder), gate=False))
    assert not [outcome.failure for outcome in outcomes if outcome.failure]
    catalog.update(folder)
    return folder.path


@pytest.fixture(scope="session")
def batch(balls):
    """All of them."""
    source = open_source(balls)
    dataset = WindowDataset([source], windows=Windows(length=FRAMES), outputs=NEEDED_OUTPUTS)
    ids = sorted(source.dataset.ids, key=lambda clip: source.dataset[clip].spec["index"])
    return collate([dataset[WindowKey(source=0, clip_id=clip, start=0)] for clip in ids])


@pytest.fixture(scope="session")
def truth(batch):
    return truth_of(batch)
