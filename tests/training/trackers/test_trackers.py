"""Points are followed forwards and backwards, lost when hidden, and asked for in one way by all trackers."""

import sys
from types import ModuleType

import numpy as np
import pytest
import torch

from simfactory.errors import SpecError
from training.testing.drawn_videos import panned, texture
from training.trackers import load_tracker, tracker_names
from training.trackers.chained_dis import chained_tracks


def test_constant_flow_moves_points_both_ways():
    forward = np.zeros((6, 2, 20, 30), np.float32)
    forward[:, 0], forward[:, 1] = 1.5, -0.5
    tracks = chained_tracks(forward, -forward, np.array([[10.0, 10.0], [20.0, 12.0]]), np.array([0, 3]))
    time = np.arange(7)
    for place, at, track in zip(((10, 10), (20, 12)), (0, 3), tracks.position, strict=True):
        expected = np.array(place) + (time - at)[:, None] * (1.5, -0.5)
        np.testing.assert_allclose(track, expected, atol=1e-5)
    assert tracks.visible.all()


def test_a_point_is_lost_where_the_way_back_misses_and_where_the_picture_ends():
    forward = np.full((4, 2, 20, 30), 2.0, np.float32)
    backward = -forward
    backward[1] = 0.0
    tracks = chained_tracks(forward, backward, np.array([[5.0, 5.0], [27.0, 5.0]]), np.array([0, 0]))
    assert tracks.visible.tolist() == [[True, True, False, False, False], [True, True, False, False, False]]
    assert np.isfinite(tracks.position).all()


def test_a_moving_picture_is_followed():
    video = panned(2, frames=16, shift=2.5)
    begin = np.stack(np.meshgrid(np.arange(60.5, 180, 20), np.arange(20.5, 110, 20)), axis=-1).reshape(-1, 2)
    tracks = load_tracker("chained_dis").track(video, begin, np.zeros(len(begin), int))
    expected = begin[:, None] - np.arange(16)[:, None] * (2.5, 0.0)
    error = np.linalg.norm(tracks.position - expected, axis=-1)
    assert tracks.visible.mean() > 0.95
    assert np.median(error[:, -1]) < 0.5  # after 15 steps


def test_a_point_behind_another_picture_is_lost():
    video = np.repeat(texture(1, height=64, width=96)[None], 10, axis=0)
    front = texture(2, height=32, width=24, grain=4)
    for frame, picture in enumerate(video):
        left = 4 * frame
        picture[16:48, left : left + 24] = front
    tracks = load_tracker("chained_dis").track(video, np.array([[34.5, 32.5], [80.5, 32.5]]), np.array([0, 0]))
    assert not tracks.visible[0, -4:].any()  # the front picture covers columns 36 to 60 in the last frame
    assert tracks.visible[0, :2].all()
    assert tracks.visible[1].all()


@pytest.mark.parametrize(
    ("points", "at"),
    [
        (np.zeros((1, 3)), np.zeros(1, int)),
        (np.zeros((1, 2)), np.zeros(1)),
        (np.array([[99.0, 0.0]]), np.zeros(1, int)),
    ],
)
def test_what_cannot_be_followed_is_refused(points, at):
    with pytest.raises(SpecError):
        load_tracker("chained_dis").track(np.zeros((2, 48, 48, 3), np.uint8), points, at)


def test_trackers_are_found_and_say_what_they_lack():
    assert tracker_names() == ("chained_dis", "cotracker3")
    with pytest.raises(SpecError, match=r"unknown tracker 'magic'.*chained_dis"):
        load_tracker("magic")
    with pytest.raises(SpecError, match=r"put scaled_offline\.pth from https://"):
        load_tracker("cotracker3")


def test_cotracker_is_asked_in_pixel_centres(monkeypatch, tmp_path):
    """Its interface alone: a stand-in that returns the queries as they came."""

    class Predictor(torch.nn.Module):
        def __init__(self, *, checkpoint, offline, v2, window_len):
            super().__init__()
            assert (offline, v2, window_len) == (True, False, 60)

        def forward(self, video, *, queries, backward_tracking):
            assert video.shape[2] == 3
            assert video.max() > 1.0
            assert backward_tracking
            tracks = queries[:, None, :, 1:].repeat(1, video.shape[1], 1, 1)
            return tracks, torch.ones(tracks.shape[:3], dtype=torch.bool)

    package, module = ModuleType("cotracker"), ModuleType("cotracker.predictor")
    module.CoTrackerPredictor = Predictor
    monkeypatch.setitem(sys.modules, "cotracker", package)
    monkeypatch.setitem(sys.modules, "cotracker.predictor", module)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "scaled_offline.pth").touch()
    begin = np.array([[3.5, 7.5], [8.0, 4.0]])
    tracks = load_tracker("cotracker3").track(panned(1, frames=4, shift=1.0), begin, np.array([0, 2]))
    np.testing.assert_allclose(tracks.position, np.repeat(begin[:, None], 4, axis=1))
    assert tracks.visible.shape == (2, 4)
