"""Videos become clips of the store once, whatever kills the run; the funnel says where the others went."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from simfactory.cli import app as simfactory
from simfactory.dataset import open_dataset
from simfactory.errors import SpecError, StoreError
from simfactory.footage import Footage, record_footage
from simfactory.store import create_dataset, leftovers
from training.estimators.base import DepthEstimator
from training.testing.drawn_videos import drawn_shot, panned, write_video
from training.videos import Labelling, Wanted, find_videos, funnel_table, label_videos

FATES = {
    "black.mp4": "exposure",
    "deep/copy.avi": "duplicate",
    "mixed.mp4": "dissolve",
    "shaky.mp4": "shake",
    "short.mp4": "duration",
    "soft.mp4": "blur",
    "still.mp4": "motion",
    "titled.mp4": "text",
}


def dropped_by(funnel):
    return {example["video"]: row["filter"] for row in funnel["filters"] for example in row["examples"]}


def contents(dataset):
    """Bytes of the arrays of each clip, by id."""
    return {clip.id: {name: clip.read(name).tobytes() for name in clip.signals} for clip in open_dataset(dataset)}


def test_every_video_meets_its_fate(labelled):
    funnel = labelled.funnel
    assert dropped_by(funnel) == FATES
    assert {each["video"] for each in funnel["unreadable"]} == {"no_video.mp4", "truncated.avi"}
    assert (funnel["videos"], funnel["shots"], funnel["kept"], funnel["added"]) == (11, 10, 2, 2)
    assert sum(row["dropped"] for row in funnel["filters"]) == 8
    json.dumps(funnel, allow_nan=False)
    table = funnel_table(funnel)
    assert "11 videos, 2 of them unreadable; 10 shots" in table
    assert "deep/copy.avi" in table


def test_its_clips_pass_verify_and_say_what_they_are(labelled):
    done = CliRunner().invoke(simfactory, ["verify", str(labelled.path)])
    assert done.exit_code == 0, done.output
    clips = list(open_dataset(labelled.path).where(source="video"))
    assert [clip.frame_count for clip in clips] == [30, 30]
    assert {clip.caption for clip in clips} == {"a red ball"}
    assert {clip.attributes["origin"]["labels"]["depth"] for clip in clips} == {None}
    for clip in clips:
        assert set(clip.modalities) == {"rgb", "flow_forward", "mask", "time", "tracks_image"}


def test_labels_are_of_the_moving_squares(tmp_path, labeller):
    write_video(tmp_path / "pan.avi", panned(3, frames=20, shift=2.0), codec="MJPG", quality=95)
    label_videos(tmp_path / "pan.avi", tmp_path / "out", Labelling(labeller=labeller))
    clip = open_dataset(tmp_path / "out")[0]
    flow, mask = clip.read("flow_forward"), clip.read("mask")
    known = np.isfinite(flow).all(axis=1)
    assert not known[-1].any()
    assert known[:-1].mean() > 0.9
    # A quarter of a pixel: DIS on an encoded picture.
    assert np.abs(flow[:, 0][known] + 2.0).mean() < 0.25
    assert np.abs(flow[:, 1][known]).mean() < 0.25
    assert ((mask == 1)[:-1] == known[:-1]).all()
    outside = mask & 0b100 > 0
    assert outside[:-1, 20:-20, :1].mean() > 0.9
    position, visible = clip.read("tracks_image/position"), clip.read("tracks_image/visible")
    begun = clip.read("tracks_image/frame")
    moved = (position[0, :, 10] - position[0, :, 0])[(begun == 0) & visible[:, 10]]
    np.testing.assert_allclose(moved, -20.0, atol=2.0)
    assert set(begun) > {0}  # what comes in at the right is followed, too


def test_a_second_run_makes_nothing_anew(labelled, library):
    before = contents(labelled.path)
    again = label_videos(library, labelled.path, labelled.labelling)
    assert again["added"] == 0
    assert {**again, "added": 2} == labelled.funnel
    assert contents(labelled.path) == before


def test_other_options_make_other_clips(tmp_path, library, labeller):
    video = library / "a_red_ball.mp4"
    small = Labelling(labeller=labeller, wanted=Wanted(longest=20, size=(64, 64)))
    funnel = label_videos(video, tmp_path / "out", small)
    assert funnel["kept"] == 2  # 20 of each shot; 10 are too few
    clips = list(open_dataset(tmp_path / "out"))
    assert {(clip.frame_count, clip.height, clip.width) for clip in clips} == {(20, 64, 64)}
    half = replace(small, wanted=Wanted(longest=20, size=(64, 64), fps=12.0))
    label_videos(video, tmp_path / "out", half, told=None)
    assert len(open_dataset(tmp_path / "out")) == 2  # 15 frames of each shot at 12 fps are too few


def test_every_second_frame_is_taken_at_half_the_rate(tmp_path, labeller):
    frames = panned(3, frames=60, shift=1.0)
    write_video(tmp_path / "pan.avi", frames, codec="MJPG", quality=95)
    label_videos(tmp_path / "pan.avi", tmp_path / "out", Labelling(labeller=labeller, wanted=Wanted(fps=12.0)))
    clip = open_dataset(tmp_path / "out")[0]
    assert (clip.frame_count, clip.fps) == (30, 12.0)
    assert np.abs(clip.read("rgb").astype(int) - frames[::2]).mean() < 6.0


def test_a_killed_run_goes_on_and_ends_as_if_it_had_not_been_killed(tmp_path, library):
    command = [sys.executable, "-c", "import sys; from training.cli.label import *; import typer; typer.run(COMMAND)"]
    out = tmp_path / "out"
    options = [str(library), "--out", str(out), "--frames", "49"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    process = subprocess.Popen([*command, *options], env=environment, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not list(out.glob("staging/*")) and not list(out.glob("commits/*/*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (out / "funnel.json").exists()
    from training.cli.label import COMMAND

    done = CliRunner().invoke(_app(COMMAND), options)
    assert done.exit_code == 0, done.output
    straight = CliRunner().invoke(_app(COMMAND), [str(library), "--out", str(tmp_path / "straight"), "--frames", "49"])
    assert straight.exit_code == 0, straight.output
    assert contents(out) == contents(tmp_path / "straight")
    assert not list(leftovers(out))
    told = [json.loads((folder / "funnel.json").read_text()) for folder in (out, tmp_path / "straight")]
    assert {**told[0], "added": 0} == {**told[1], "added": 0}


def _app(command):
    import typer

    app = typer.Typer()
    app.command()(command)
    return app


def test_clips_of_a_model_are_labelled_and_stay_clips_of_a_model(tmp_path, labeller):
    folder = create_dataset(tmp_path / "samples")
    frames = drawn_shot(1, frames=20)
    sample = Footage(
        source="model",
        origin={"seed": 1},
        fps=12.0,
        frame_count=20,
        height=128,
        width=192,
        modalities=("rgb",),
        caption="Squares.",
        row={"split": "test"},
    )
    record_footage(folder, sample, {"rgb": frames})
    label_videos(folder.path, tmp_path / "out", Labelling(labeller=labeller))
    clip = open_dataset(tmp_path / "out", split="test")[0]
    assert (clip.source, clip.caption, clip.fps) == ("model", "Squares.", 12.0)
    np.testing.assert_array_equal(clip.read("rgb"), frames)


class _Depth(DepthEstimator):
    """Says what it is told."""

    quantity, metric, version = "depth", True, "told"

    @classmethod
    def load(cls, *, device="cpu"):
        return cls()

    def depth(self, frames):
        depth = np.full(frames.shape[:3], 2.0, np.float32)
        depth[:, :10] = np.inf
        depth[:, 10:12] = -1.0
        return depth


def test_depth_is_stored_where_an_estimator_gives_it(tmp_path, labeller):
    write_video(tmp_path / "a.mp4", drawn_shot(1))
    label_videos(tmp_path / "a.mp4", tmp_path / "out", Labelling(labeller=replace(labeller, depth=_Depth())))
    clip = open_dataset(tmp_path / "out")[0]
    depth = clip.read("depth")
    assert np.isinf(depth[:, :12]).all()
    assert (depth[:, 12:] == 2.0).all()
    assert (clip.read("mask")[:, :12] == 0).all()
    done = CliRunner().invoke(simfactory, ["verify", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output


def test_what_has_no_scale_is_not_stored_as_metres(labeller):
    class Disparity(_Depth):
        quantity, metric = "disparity", False

    with pytest.raises(SpecError, match="disparity of unknown scale"):
        replace(labeller, depth=Disparity())


def test_captions_come_from_beside_the_video_or_its_name(tmp_path):
    for name, beside in (
        ("a_b-c.mp4", None),
        ("d.mp4", ("d.txt", "one\n two")),
        ("e.mp4", ("e.json", '{"caption": "x"}')),
    ):
        (tmp_path / name).touch()
        if beside:
            (tmp_path / beside[0]).write_text(beside[1])
    assert [video.caption() for video in find_videos(tmp_path)] == ["a b c", "one two", "x"]
    (tmp_path / "e.json").write_text("{")
    with pytest.raises(StoreError, match="no JSON"):
        find_videos(tmp_path)[-1].caption()


def test_all_clips_of_a_video_are_in_one_split(tmp_path, labeller):
    write_video(tmp_path / "a.mp4", np.concatenate([drawn_shot(1, frames=20), drawn_shot(2, frames=20)]))
    for shares, split in (((1.0, 0.0, 0.0), "train"), ((0.0, 0.0, 1.0), "test")):
        label_videos(tmp_path / "a.mp4", tmp_path / split, Labelling(labeller=labeller, shares=shares))
        assert open_dataset(tmp_path / split).table["split"].to_pylist() == [split, split]


def test_hostile_options_are_refused(tmp_path, labeller):
    from training.cli.label import COMMAND

    with pytest.raises(SpecError, match="holds no video"):
        find_videos(tmp_path)
    for options, problem in (
        (["--range", "motion"], "FIGURE=LOW:HIGH"),
        (["--size", "12"], "WIDTHxHEIGHT"),
        (["--size", "8x8"], "too small"),
        (["--tracker", "magic"], "unknown tracker"),
        (["--flow", "magic"], "no FlowEstimator"),
        (["--depth", "video_depth_anything"], "video_depth_anything needs"),
        (["--tracker", "cotracker3"], "cotracker3 needs its weights"),
        (["--fps", "-1"], "above zero"),
        (["--frames", "1"], "no motion"),
        (["--profile", "rough"], "portable"),
    ):
        done = CliRunner().invoke(_app(COMMAND), [str(tmp_path), "--out", str(tmp_path / "out"), *options])
        assert isinstance(done.exception, SpecError), (options, done.output)
        assert problem in str(done.exception)
    assert not (tmp_path / "out").exists()
