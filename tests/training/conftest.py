"""Small datasets and configurations for runs of training: balls in closed-form motion, and a video of one."""

from functools import partial

import pytest

from simfactory import catalog
from simfactory.dataset import open_dataset
from simfactory.engine import Engine
from simfactory.recording import open_writer
from simfactory.spec import Sphere
from simfactory.store import ClipWriter, clip_id, create_dataset
from simfactory.testing.specs import make_body, make_camera, make_spec
from training.config_files import read_config

SIZE, FRAMES, FPS = (16, 16), 7, 12.0
TINY_RUN = {
    "data.frames": 5,
    "data.stride": 1,
    "optimizer.batch": 2,
    "optimizer.steps": 4,
    "log.picture_every": 0,
    "device": "cpu",
}


def _scene(index, size=SIZE):
    ball = make_body(
        "ball", Sphere(radius=0.4), position=(0.1 * index - 0.4, 0.0, 1.3), linear_velocity=(0.5, -1.5, 0.2)
    )
    camera = make_camera(size=size, orbit_rate=0.5 if index % 4 == 3 else None)
    spec = make_spec(bodies=[ball], frame_count=FRAMES, fps=FPS, cameras=[camera], tier="single", index=index)
    # As many tracks as a larger picture would have.
    return spec.model_copy(update={"sensors": spec.sensors.model_copy(update={"track_spacing": 2})})


def _recorded(path, scenes):
    folder = create_dataset(path)
    recorder = partial(open_writer, folder)
    outcomes = list(Engine(backend="mock").run(scenes, open_recorder=recorder, gate=False))
    assert not [outcome.failure for outcome in outcomes if outcome.failure]
    catalog.update(folder)
    return folder.path


@pytest.fixture(scope="session")
def falling(tmp_path_factory):
    """Eight clips of 7 frames, 16 x 16 px, 12 fps; every fourth with a camera that moves."""
    return _recorded(tmp_path_factory.mktemp("falling") / "dataset", [_scene(index) for index in range(8)])


@pytest.fixture(scope="session")
def falling_large(tmp_path_factory):
    """Two clips of 7 frames, 32 x 32 px."""
    scenes = [_scene(index, size=(32, 32)) for index in range(2)]
    return _recorded(tmp_path_factory.mktemp("falling") / "large", scenes)


@pytest.fixture(scope="session")
def filmed(falling, tmp_path_factory):
    """A clip as estimators leave real video: rgb, depth and flow, and nothing else."""
    clip = open_dataset(falling)[0]
    folder = create_dataset(tmp_path_factory.mktemp("filmed") / "dataset")
    names = ["rgb", "depth", "flow_forward"]
    size = {"frame_count": clip.frame_count, "height": clip.height, "width": clip.width}
    signals = [clip.signals[name] for name in names]
    attributes = {"fps": clip.fps, "source": "video"}
    with ClipWriter(folder, clip_id({"video": 7}), signals=signals, attributes=attributes, **size) as writer:
        for frame in range(clip.frame_count):
            window = clip.window(frame, 1, modalities=names)
            writer.append({name: values[0] for name, values in window.items()})
        assert writer.commit(arrays={}, attributes={}, row={"fps": clip.fps, "source": "video", "modalities": names})
    return folder.path


@pytest.fixture
def tiny_config(falling):
    """Returns a function that makes the configuration of a tiny run: of a stage, with other values by dotted name."""

    def make(stage="base", **changes):
        dotted = {name.replace("__", "."): value for name, value in changes.items()}
        sources = [{"path": str(falling)}]
        return read_config(stage, preset="tiny", changes=[{"data.sources": sources, **TINY_RUN, **dotted}])

    return make
