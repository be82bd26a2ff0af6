"""Labelled videos and simulation are read together: what videos lack is marked, and what they have is valid."""

from functools import partial

import pytest
import torch

from simfactory import catalog
from simfactory.engine import Engine
from simfactory.recording import open_writer
from simfactory.spec import Sphere
from simfactory.store import create_dataset
from simfactory.testing.specs import make_body, make_camera, make_spec
from training.data import (
    Framing,
    WindowDataset,
    WindowLoader,
    Windows,
    WindowSampler,
    check_sources,
    open_source,
)

OUTPUTS = ["rgb", "depth", "motion", "flow_forward"]
LACKING = ("depth", "scene_flow", "camera")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    ball = make_body("ball", Sphere(radius=0.3), position=(0.0, 0.0, 1.4), linear_velocity=(0.4, -0.9, 0.0))
    spec = make_spec(bodies=[ball], frame_count=12, fps=24.0, cameras=[make_camera(size=(96, 64))])
    folder = create_dataset(tmp_path_factory.mktemp("simulated") / "dataset")
    list(Engine(backend="mock").run([spec], open_recorder=partial(open_writer, folder), gate=False))
    catalog.update(folder)
    return folder.path


@pytest.mark.parametrize("framing", [Framing(size=(32, 48)), Framing(crop=(64, 96), size=(32, 48))])
def test_batches_of_both_have_valid_masks_of_their_own(simulated, labelled, framing):
    sources = [
        open_source(simulated, name="simulation", weight=1.0),
        open_source(labelled.path, name="videos", weight=1.0, may_lack=LACKING),
    ]
    windows = Windows(length=9)
    check_sources(sources, windows=windows, outputs=OUTPUTS, framing=framing)
    reader = WindowDataset(sources, windows=windows, outputs=OUTPUTS, framing=framing)
    sampler = WindowSampler(sources, windows=windows, batch_size=4, framing=framing, seed=3, epoch_windows=16)
    seen = set()
    for batch in WindowLoader(reader, sampler):
        seen |= set(batch.sources)
        for row, name in enumerate(batch.sources):
            motion, valid = batch["motion"][row, :-1], batch["motion_valid"][row, :-1]
            assert batch["rgb"][row].std() > 0.05
            assert valid.float().mean() > 0.5
            assert torch.isfinite(motion[:, :2].movedim(1, -1)[valid]).all()
            assert (batch["motion_visible"][row, :-1] <= valid).all()
            assert bool(batch["depth_valid"][row].any()) == (name == "simulation")
            assert bool(batch["motion_depth_valid"][row].any()) == (name == "simulation")
            if name == "videos":  # what cannot be believed is not trained on
                assert not valid.all()
    assert seen == {"simulation", "videos"}
