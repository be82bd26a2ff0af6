"""Held-out clips in closed-form motion, and a model that knows their truth."""

from dataclasses import dataclass
from functools import partial

import pytest
import torch

from simfactory import catalog
from simfactory.dataset import open_dataset
from simfactory.engine import Engine
from simfactory.recording import open_writer
from simfactory.spec import Sphere
from simfactory.store import create_dataset
from simfactory.testing.specs import make_body, make_camera, make_spec
from training.data import open_source
from training.evaluation.truth import read_truth
from training.model import ClipFormat, Geometry, GeometryHeads, HeadsConfig, TrainedModel
from training.model.backbones.tiny import TinyBackbone, TinyConfig
from training.testing.backbone import randomise

CLIP = ClipFormat(frame_count=6, height=32, width=48, fps=24.0)
CONFIG = TinyConfig(width=96, block_count=1, head_count=2, patch=(1, 4, 4))


def ball_scene(index, *, orbit=None, split="test"):
    """A ball that flies past the camera."""
    ball = make_body("ball", Sphere(radius=0.3), position=(0.3 * index, 0.0, 1.2), linear_velocity=(1.5, -0.9, 1.2))
    spec = make_spec(
        bodies=[ball], frame_count=7, fps=24.0, cameras=[make_camera(size=(96, 64), orbit_rate=orbit)], index=index
    )
    return spec.model_copy(update={"split": split, "caption": f"Ball {index} flies."})


@pytest.fixture(scope="session")
def held_out(tmp_path_factory):
    """Three clips of split test, the last with a moving camera, and one of train; 7 frames, 96 x 64 px."""
    folder = create_dataset(tmp_path_factory.mktemp("held_out") / "set")
    specs = [ball_scene(0), ball_scene(1), ball_scene(2, orbit=0.8), ball_scene(3, split="train")]
    outcomes = list(Engine(backend="mock").run(specs, open_recorder=partial(open_writer, folder), gate=False))
    assert not [outcome.failure for outcome in outcomes if outcome.failure]
    catalog.update(folder)
    return folder.path


@pytest.fixture(scope="session")
def truths(held_out):
    source = open_source(held_out)
    return [read_truth(source, clip, CLIP) for clip in open_dataset(held_out, split="test")]


@dataclass
class Known:
    """What an oracle knows of the clip that it was last shown."""

    truth: object


class OracleBackbone(TinyBackbone):
    """Says the true velocity of the clip whose first frame it is shown."""

    def __init__(self, truths):
        super().__init__(CONFIG)
        self.truths, self.known = truths, Known(None)

    def forward(self, x_t, t, *, first_frame, text):
        videos = [video(truth) for truth in self.truths]
        distances = [(one[:, :, :1] - first_frame).abs().max() for one in videos]
        best = min(range(len(videos)), key=distances.__getitem__)
        self.known.truth = self.truths[best]
        return (x_t - videos[best]) / t.reshape(-1, 1, 1, 1, 1)


class OracleHeads(torch.nn.Module):
    """Says the truth of the clip that its backbone was shown; the sky is far away."""

    block_indices = ()

    def __init__(self, known):
        super().__init__()
        self.known = known

    def forward(self, features, t, *, frame_count, size):
        exact = self.known.truth.exact
        depth = torch.from_numpy(exact.depth).nan_to_num(posinf=1e4)
        return Geometry(
            depth=depth[None],
            flow=torch.from_numpy(exact.flow).nan_to_num(0.0)[None],
            depth_change=torch.from_numpy(exact.depth_change).nan_to_num(0.0)[None],
            visibility=torch.from_numpy(exact.visible).float()[None] - 0.5,
        )


def video(truth):
    return torch.from_numpy(truth.exact.frames).permute(3, 0, 1, 2)[None].float() / 127.5 - 1


@pytest.fixture(scope="session")
def oracle(truths):
    backbone = OracleBackbone(truths)
    return TrainedModel(backbone=backbone, heads=OracleHeads(backbone.known), clip=CLIP)


@pytest.fixture(scope="session")
def random_model():
    backbone = TinyBackbone(CONFIG)
    randomise(backbone)
    heads = GeometryHeads(backbone.shape, HeadsConfig(depth_width=8))
    randomise(heads, scale=0.2)
    return TrainedModel(backbone=backbone, heads=heads, clip=CLIP)
