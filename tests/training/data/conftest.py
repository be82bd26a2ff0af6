"""A small dataset in closed-form motion, made once: clips of all tiers, one with a camera that moves."""

import shutil
import socket
import threading
from functools import partial

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from simfactory import catalog
from simfactory.dataset import open_dataset
from simfactory.engine import Engine
from simfactory.recording import open_writer
from simfactory.spec import Sphere
from simfactory.store import ClipWriter, clip_id, create_dataset
from simfactory.testing.specs import make_body, make_camera, make_spec
from training.data import Source, open_source

FRAMES, SIZE = 13, (64, 48)  # width, height


def falling_ball(name="ball", x=0.0):
    return make_body(name, Sphere(radius=0.3), position=(x, 0.0, 1.4), linear_velocity=(0.4, -0.9, 0.0))


def scene(index, *, bodies=1, tier="single", orbit=None, frame_count=FRAMES, size=SIZE, fps=24.0, **options):
    """A scene of falling balls, which approach the camera."""
    camera = make_camera(size=size, orbit_rate=orbit)
    balls = [falling_ball(f"ball_{number}", 0.7 * number - 0.35 * (bodies - 1)) for number in range(bodies)]
    spec = make_spec(
        bodies=balls, frame_count=frame_count, fps=fps, cameras=[camera], tier=tier, index=index, **options
    )
    return spec.model_copy(update={"split": "val" if index == 5 else "train"})


def write_clips(path, specs):
    """Record scenes into a new dataset, without the quality gate: nothing collides here."""
    folder = create_dataset(path)
    recorder = partial(open_writer, folder)
    outcomes = list(Engine(backend="mock").run(specs, open_recorder=recorder, gate=False))
    assert not [outcome.failure for outcome in outcomes if outcome.failure]
    catalog.update(folder)
    return path


@pytest.fixture(scope="session")
def balls(tmp_path_factory):
    """Six clips of 13 frames, 64 x 48 px: fixed camera, orbiting camera, two bodies twice, three bodies twice."""
    specs = [
        scene(0),
        scene(1, orbit=0.8),
        scene(2, bodies=2, tier="two_body"),
        scene(3, bodies=2, tier="two_body", gravity=(0.0, 0.0, -1.62)),
        scene(4, bodies=3, tier="multi_object"),
        scene(5, bodies=3, tier="multi_object", frame_count=10),
    ]
    return write_clips(tmp_path_factory.mktemp("balls") / "dataset", specs)


@pytest.fixture(scope="session")
def video(balls, tmp_path_factory):
    """A clip as a pipeline for real video leaves it: rgb, depth and flow without camera, mask or anything else."""
    clip = open_dataset(balls)[0]
    folder = create_dataset(tmp_path_factory.mktemp("video") / "dataset")
    names = ["rgb", "depth", "flow_forward"]
    size = {"frame_count": clip.frame_count, "height": clip.height, "width": clip.width}
    attributes = {"fps": clip.fps, "source": "video"}
    signals = [clip.signals[name] for name in names]
    with ClipWriter(folder, clip_id({"video": 1}), signals=signals, attributes=attributes, **size) as writer:
        for frame in range(clip.frame_count):
            window = clip.window(frame, 1, modalities=names)
            writer.append({name: values[0] for name, values in window.items()})
        row = {"fps": clip.fps, "source": "video", "modalities": names}
        assert writer.commit(arrays={}, attributes={}, row=row)
    return folder.path


@pytest.fixture(scope="session")
def make_clips():
    """Returns a function that records two clips of a size (width, height) and rate into a new dataset."""
    return lambda path, *, size, fps: write_clips(path, [scene(index, size=size, fps=fps) for index in (10, 11)])


@pytest.fixture
def source(balls) -> Source:
    return open_source(balls, name="balls")


@pytest.fixture
def served(balls, tmp_path):
    """The same dataset at an HTTP address."""
    shutil.copytree(balls, tmp_path / "balls")

    def answer(request):
        dataset, path = tmp_path / request.path_params["name"], request.path_params["path"]
        if path == "catalog/":
            return JSONResponse({"names": [entry.name for entry in (dataset / "catalog").glob("*")]})
        file = dataset / path
        return FileResponse(file) if file.is_file() else Response(status_code=404)

    route = Route("/v1/datasets/{name}/files/{path:path}", answer, methods=["GET", "HEAD"])
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=[route]), log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1/datasets/balls"
    server.should_exit = True
    thread.join()
    listener.close()
