"""A folder of ordinary videos, one file for every fate, and what is made of it."""

from types import SimpleNamespace

import numpy as np
import pytest

from training.testing.drawn_videos import blurred, drawn_shot, mixed, shaken, texture, with_text, write_video
from training.videos import Labeller, Labelling, Wanted, label_videos


def write_library(root):
    (root / "deep").mkdir(parents=True)
    good, other = drawn_shot(1, frames=30), drawn_shot(2, frames=30)
    write_video(root / "a_red_ball.mp4", np.concatenate([good, other]))
    write_video(root / "deep" / "copy.avi", good, codec="MJPG", quality=60)
    write_video(root / "still.mp4", np.repeat(texture(3, height=128, width=192)[None], 24, axis=0))
    write_video(root / "black.mp4", np.zeros((24, 128, 192, 3), np.uint8))
    write_video(root / "soft.mp4", blurred(drawn_shot(4), 5.0))
    write_video(root / "short.mp4", drawn_shot(5, frames=8))
    write_video(root / "titled.mp4", with_text(drawn_shot(6), "Subscribe now", place=(8, 110)))
    write_video(root / "shaky.mp4", shaken(drawn_shot(7), 7))
    write_video(root / "mixed.mp4", mixed(drawn_shot(8, frames=30), drawn_shot(9, frames=30), begin=8, length=14))
    whole = write_video(root / "truncated.avi", drawn_shot(10), codec="MJPG")
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 3])
    (root / "no_video.mp4").write_bytes(b"this is no video" * 100)
    (root / "notes.txt").write_text("not looked at")
    (root / "deep" / "copy.txt").write_text("A copy of\nthe red ball.\n")
    return root


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    return write_library(tmp_path_factory.mktemp("library") / "videos")


@pytest.fixture(scope="session")
def labeller():
    return Labeller.load(flow="dis_flow", depth=None, tracker="chained_dis", spacing=16, device="cpu")


@pytest.fixture(scope="session")
def labelled(library, labeller, tmp_path_factory):
    """The dataset of the library, its funnel and how it was made."""
    labelling = Labelling(labeller=labeller, wanted=Wanted(longest=49))
    out = tmp_path_factory.mktemp("labelled") / "dataset"
    return SimpleNamespace(path=out, funnel=label_videos(library, out, labelling), labelling=labelling)
