"""Cuts are found at their frame, and motion is none."""

import numpy as np
import pytest

from training.evaluation.videos import read_frames
from training.testing.drawn_videos import drawn_shot, panned, write_video
from training.videos.shots import split_shots


def starts(frames, longest=1000):
    return [start for start, _ in split_shots(iter(frames), longest=longest)]


def test_cuts_of_an_encoded_video_are_found_at_their_frame(tmp_path):
    lengths = [9, 30, 17, 24, 12]
    shots = [drawn_shot(seed, frames=count, speed=seed + 1.0) for seed, count in enumerate(lengths)]
    path = write_video(tmp_path / "cuts.mp4", np.concatenate(shots))
    assert starts(read_frames(path)) == [0, 9, 39, 56, 80]


@pytest.mark.parametrize("shift", [0.5, 3.0, 12.0])
def test_a_moving_camera_is_no_cut(shift):
    assert starts(panned(3, frames=40, shift=shift)) == [0]


def test_a_cut_into_and_out_of_a_pan_is_found():
    pan = panned(3, frames=20, shift=6.0)
    still = np.repeat(drawn_shot(4, frames=1), 20, axis=0)
    assert starts(np.concatenate([pan, still, pan])) == [0, 20, 40]


def test_a_fade_through_black_splits():
    shot = drawn_shot(5, frames=40)
    gain = np.clip(np.abs(np.arange(40) - 20) / 12 - 0.4, 0, 1)[:, None, None, None]
    found = starts((shot * gain).astype(np.uint8))
    assert len(found) == 3
    assert found[1] < 20 < found[2]


def test_frames_come_through_unchanged_and_once():
    frames = np.concatenate([drawn_shot(6, frames=25), drawn_shot(7, frames=10)])
    shots = list(split_shots(iter(frames), longest=10))
    assert [start for start, _ in shots] == [0, 10, 20, 25]
    np.testing.assert_array_equal(np.concatenate([shot for _, shot in shots]), frames)


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_a_few_frames_are_one_shot_at_most(count):
    assert starts(drawn_shot(8, frames=5)[:count]) == ([0] if count else [])
