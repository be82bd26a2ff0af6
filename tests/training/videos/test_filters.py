"""Each filter drops what it is for, and lets a good shot pass."""

import cv2
import numpy as np
import pytest

from simfactory.errors import SpecError
from training.testing.drawn_videos import blurred, drawn_shot, mixed, panned, shaken, with_text
from training.videos import choose_filters, filter_names
from training.videos.filters import Context
from training.videos.fingerprint import distance, fingerprint
from training.videos.shot import Shot, small

NOWHERE = Context(size=None, fps=None, seen=[])


def shot(frames, *, fps=24.0):
    height, width = frames.shape[1:3]
    return Shot(np.stack([small(frame) for frame in frames]), start=0, fps=fps, height=height, width=width)


def refusal(name, frames, context=NOWHERE, **options):
    chosen = {each.name: each for each in choose_filters(**options)}[name]
    return chosen.refuses(chosen.measure(shot(frames), context))


BAD = {
    "duration": lambda: drawn_shot(1, frames=16),
    "exposure": lambda: (drawn_shot(1) * 0.08).astype(np.uint8),
    "blur": lambda: blurred(drawn_shot(1), 3.0),
    "motion": lambda: np.repeat(drawn_shot(1, frames=1), 24, axis=0),
    "shake": lambda: shaken(drawn_shot(1), 1),
    "text": lambda: with_text(drawn_shot(1), "a line of text", place=(10, 100)),
    "dissolve": lambda: mixed(drawn_shot(1, frames=30), drawn_shot(2, frames=30), begin=8, length=12),
    "consistency": lambda: np.random.default_rng(0).integers(0, 255, (20, 128, 192, 3)).astype(np.uint8),
}


@pytest.mark.parametrize("name", BAD)
def test_a_filter_drops_what_it_is_for(name):
    assert refusal(name, BAD[name]())


@pytest.mark.parametrize("frames", [drawn_shot(3), panned(4, frames=24, shift=2.0)], ids=["squares", "pan"])
@pytest.mark.parametrize("name", [name for name in filter_names() if name != "aesthetic"])
def test_a_good_shot_passes(name, frames):
    assert refusal(name, frames) == ""


def test_noise_is_no_motion():
    still = np.repeat(drawn_shot(5, frames=1), 24, axis=0)
    noise = np.random.default_rng(0).normal(0, 4, still.shape)
    assert "motion" in refusal("motion", np.clip(still + noise, 0, 255).astype(np.uint8))


def test_text_is_found_wherever_it_stands_and_not_where_none_is():
    for place, scale in (((5, 20), 0.6), ((60, 70), 0.8), ((20, 120), 0.5)):
        assert refusal("text", with_text(drawn_shot(6), "subtitles", place=place, scale=scale))
    assert not refusal("text", drawn_shot(7))


def test_sharpness_hardly_depends_on_contrast():
    chosen = {each.name: each for each in choose_filters()}["blur"]
    sharp = drawn_shot(1)
    full, pale = (chosen.measure(shot(frames), NOWHERE)["sharpness"] for frames in (sharp, sharp // 2 + 60))
    assert pale == pytest.approx(full, rel=0.1)  # the variance itself is a quarter


def test_what_does_not_fit_the_clips_is_dropped():
    wide = Context(size=(128, 256), fps=None, seen=[])
    assert refusal("resolution", drawn_shot(1), wide) == "enlargement 1.333 is above 1"
    fast = Context(size=None, fps=30.0, seen=[])
    assert refusal("resolution", drawn_shot(1), fast) == "speed_change 0.25 is above 0.05"


def test_copies_are_near_and_other_motion_before_the_same_background_is_far(tmp_path):
    from training.evaluation.videos import read_frames
    from training.testing.drawn_videos import write_video

    frames = drawn_shot(1, frames=40)
    small_copy = np.stack([cv2.resize(frame, (96, 64), interpolation=cv2.INTER_AREA) for frame in frames])
    path = write_video(tmp_path / "copy.mp4", small_copy)
    copy = np.stack(list(read_frames(path)))
    one, again = fingerprint(shot(frames)), fingerprint(shot(copy))
    assert distance(one, [again]) <= 4
    background = drawn_shot(1, frames=1)[0]
    others = []
    for seed in (21, 22):
        moving = drawn_shot(seed, frames=40)
        seen = np.repeat(background[None], 40, axis=0)
        seen[:, :64] = moving[:, :64]
        others.append(fingerprint(shot(seen)))
    assert distance(others[0], [others[1]]) > 12
    assert distance(one, []) == 64


def test_filters_run_by_rising_cost_and_can_be_chosen():
    chosen = choose_filters(without=["text"], ranges={"motion": (0.5, 1.0)})
    assert [each.cost for each in chosen] == sorted(each.cost for each in chosen)
    assert "text" not in {each.name for each in chosen}
    assert "below 0.5" in refusal("motion", drawn_shot(3), ranges={"motion": (0.5, 1.0)})


def test_what_cannot_be_chosen_is_named():
    with pytest.raises(SpecError, match=r"unknown filters \['smell'\].*duration"):
        choose_filters(without=["smell"])
    with pytest.raises(SpecError, match="no filter measures 'smell'"):
        choose_filters(ranges={"smell": (0, 1)})
    with pytest.raises(SpecError, match="is empty"):
        choose_filters(ranges={"motion": (1, 0)})
    with pytest.raises(SpecError, match="aesthetic"):
        choose_filters(also=["aesthetic"])
