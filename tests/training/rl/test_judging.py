"""What a judge measures besides rewards, and that heads read in single precision."""

from dataclasses import replace

import pytest
import torch

from training.data import collate, open_source
from training.data.window_dataset import WindowDataset
from training.data.windows import WindowKey, Windows
from training.model import TINY_SIZES, Geometry, GeometryHeads, TinyBackbone, TrainedModel
from training.rewards import NEEDED_OUTPUTS
from training.rl.judging import SceneJudge
from training.rl.reading import SampledScenes, read_scenes


def measured(batch):
    """The measures of the truth itself, as two samples of each prompt."""
    motion = batch["motion"].nan_to_num(0.0)
    fields = batch["depth"], motion[:, :, :2], motion[:, :, 2], torch.ones_like(batch["depth"])
    names = "depth", "flow", "depth_change", "visibility"
    geometry = Geometry(**{n: f.repeat_interleave(2, dim=0) for n, f in zip(names, fields, strict=True)})
    scenes = SampledScenes(rgb=batch["rgb"].repeat_interleave(2, dim=0), geometry=geometry)
    return SceneJudge({"no_motion": 1.0})(scenes, batch, group=2).measures


def test_the_truth_moves_as_much_as_the_truth_and_rest_is_no_collapse(falling):
    source = open_source(falling)
    dataset = WindowDataset([source], windows=Windows(length=5, stride=1), outputs=NEEDED_OUTPUTS)
    batch = collate([dataset[WindowKey(source=0, clip_id=clip.id, start=0)] for clip in list(source.dataset)[:2]])
    assert measured(batch)["moved_area"] == pytest.approx(1.0, abs=0.05)
    still = {name: torch.zeros_like(batch[name]) for name in ("motion", "scene_flow")}
    pose = batch["camera_to_world"][:, :1].expand_as(batch["camera_to_world"])
    at_rest = replace(batch, tensors={**batch.tensors, **still, "camera_to_world": pose})
    assert measured(at_rest) == {"moved_area": 1.0, "empty_sets": 1.0}


@pytest.mark.parametrize("halved", [False, True])
def test_heads_read_in_single_precision(halved):
    backbone = TinyBackbone(TINY_SIZES["micro"])
    model = TrainedModel(backbone=backbone, heads=GeometryHeads(backbone.shape))
    latents = torch.rand(2, 3, 4, 16, 16)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=halved):
        generator = torch.Generator().manual_seed(0)
        scenes = read_scenes(model, latents, latents[:, :, :1], time=0.1, generator=generator)
    assert scenes.geometry.depth.dtype == scenes.geometry.flow.dtype == torch.float32
