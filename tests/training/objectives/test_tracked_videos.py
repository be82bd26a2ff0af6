"""PhysisForcing on ordinary video: a tracker's points are followed where there is no simulator."""

import numpy as np
import pytest
import torch

from simfactory.dataset import open_dataset
from tests.training.objectives.test_alignment import BOTH, make_alignment
from training.data import Framing, collate, open_source
from training.data.window_dataset import WindowDataset
from training.data.windows import WindowKey, Windows
from training.objectives.alignment import track_targets
from training.targets import needed_outputs
from training.testing.drawn_videos import texture, write_video
from training.videos import Labeller, Labelling, label_videos

LACKING = ("scene_flow", "camera", "instance", "tracks", "contacts")
HEIGHT, WIDTH, SIDE, SPEED = 64, 96, 24, 2.0
FRAMES = torch.arange(5)


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    """A square that moves to the right before a picture that stands still, labelled by what is always there."""
    folder = tmp_path_factory.mktemp("tracked")
    shot = np.repeat(texture(1, height=HEIGHT, width=WIDTH, grain=8)[None], 16, axis=0)
    square = texture(2, height=SIDE, width=SIDE, grain=4)
    for frame, canvas in enumerate(shot):
        left = 16 + int(SPEED) * frame
        canvas[20 : 20 + SIDE, left : left + SIDE] = square
    write_video(folder / "square.avi", shot, codec="MJPG", quality=95)
    labeller = Labeller.load(flow="dis_flow", depth=None, tracker="chained_dis", spacing=8, device="cpu")
    funnel = label_videos(folder / "square.avi", folder / "out", Labelling(labeller=labeller, filters=()))
    assert funnel["added"] == 1
    return folder / "out"


def windowed(path, *, framing=None, top=0, left=0):
    source = open_source(path, may_lack=LACKING)
    dataset = WindowDataset(
        [source], windows=Windows(length=5), outputs=needed_outputs(BOTH), framing=framing or Framing()
    )
    key = WindowKey(source=0, clip_id=source.dataset.ids[0], start=0, top=top, left=left)
    return dataset[key]


def test_tracks_are_the_trackers(tracked):
    sample = windowed(tracked)
    position = open_dataset(tracked)[0].read("tracks_image/position")[:, :, :5]
    assert position.shape[1] > 50
    assert torch.equal(sample["tracks_image"], torch.from_numpy(position.transpose(1, 2, 0).copy()))
    assert sample["tracks_world"].isnan().all()
    assert not sample["tracks_instance"].any()


def test_crops_and_sizes_move_them_along(tracked):
    whole = windowed(tracked)["tracks_image"]
    part = windowed(tracked, framing=Framing(crop=(32, 48)), top=16, left=8)
    torch.testing.assert_close(part["tracks_image"], whole - torch.tensor([8.0, 16.0]))
    outside = (part["tracks_image"] < 0).any(dim=-1) | (part["tracks_image"] >= torch.tensor([48.0, 32.0])).any(dim=-1)
    assert outside.any()
    assert not part["tracks_visible"][outside].any()


def test_the_region_is_what_moves(tracked):
    batch = collate([windowed(tracked)])
    found = track_targets(batch, FRAMES, region_mask=True)
    begin, end = (found.places[0, :, frame] * torch.tensor([WIDTH, HEIGHT]) for frame in (0, 4))
    away = (begin - torch.tensor([16.0 + SIDE / 2, 20.0 + SIDE / 2])).abs().amax(dim=-1) - SIDE / 2
    chosen, seen = found.selected[0], batch["tracks_visible"][0, :, 0]
    inside = seen & (away < -2.0)
    assert inside.sum() >= 4
    assert chosen[inside].all()
    assert (away[chosen] < 8.0).all()  # dense flow by patches of 8 px carries along what is beside the square
    moved = (end - begin)[seen & (away < -4.0)]
    torch.testing.assert_close(moved.mean(dim=0), torch.tensor([4 * SPEED, 0.0]), rtol=0.0, atol=1.0)


def test_pixel_follows_them_and_semantic_leaves_them_out(tracked):
    batch, alignment = collate([windowed(tracked)]), make_alignment()
    features = torch.randn(1, 5, 96, 16, 24, generator=torch.Generator().manual_seed(0), requires_grad=True)
    found = alignment(features, batch)
    assert found["pixel"] > 0.0
    assert found["semantic"] == 0.0
    found["pixel"].backward()
    assert features.grad.abs().sum() > 0


def test_near_points_count_more_where_there_is_depth(tracked):
    batch = collate([windowed(tracked)])
    every = track_targets(batch, FRAMES, region_mask=True)
    left = every.places[0, :, 0, 0] * WIDTH < 28.0
    assert (every.selected[0] & ~left).any()
    depth = torch.full_like(batch["rgb"][:, :, 0], 1000.0)
    depth[..., :28] = 1.0
    batch.tensors["depth"] = depth
    near = track_targets(batch, FRAMES, region_mask=True).selected
    assert near.any()
    assert not (near[0] & ~left).any()
    batch.tensors["depth"] = torch.full_like(depth, torch.inf)  # a video without depth
    assert torch.equal(track_targets(batch, FRAMES, region_mask=True).selected, every.selected)
