"""Clips that no simulation made are stored like others, and say what they are."""

from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from simfactory import catalog
from simfactory.cli import app
from simfactory.dataset import open_dataset
from simfactory.errors import StoreError
from simfactory.footage import Footage, is_recorded, record_footage
from simfactory.quality import verify_clip
from simfactory.store import create_dataset, validate
from simfactory.testing.store import write_example

FRAMES, HEIGHT, WIDTH, FOCAL = 3, 8, 10, 9.0
SAMPLED = Footage(
    source="model",
    origin={"model": "m", "seed": 1},
    fps=8.0,
    frame_count=FRAMES,
    height=HEIGHT,
    width=WIDTH,
    modalities=("rgb", "depth", "flow_forward", "camera", "points"),
    caption="A ball falls.",
    row={"split": "test", "scene": "ball"},
)
FILMED = replace(SAMPLED, source="video", modalities=("rgb", "depth"))


def filmed():
    rng = np.random.default_rng(0)
    return {
        "rgb": rng.integers(0, 255, (FRAMES, HEIGHT, WIDTH, 3)).astype(np.uint8),
        "depth": rng.uniform(1, 4, (FRAMES, HEIGHT, WIDTH)).astype(np.float16).astype(np.float32),
    }


def sampled():
    """A camera at the origin sees one 4D point in the first frame, none in the second, two in the last."""
    arrays = filmed()
    places = [(0, 2, 3), (2, 5, 1), (2, 6, 6)]  # frame, row, column
    position = [
        ((c + 0.5 - WIDTH / 2) * z / FOCAL, (r + 0.5 - HEIGHT / 2) * z / FOCAL, z, f / 8.0)
        for (f, r, c) in places
        for z in [float(arrays["depth"][f, r, c])]
    ]
    k = np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]])
    return {
        **arrays,
        "flow_forward": np.zeros((FRAMES, 2, HEIGHT, WIDTH), np.float32),
        "camera/K": np.tile(k, (FRAMES, 1, 1)),
        "camera/camera_to_world": np.tile(np.eye(4), (FRAMES, 1, 1)),
        "points/position": np.array(position, np.float32),
        "points/instance": np.zeros(3, np.uint16),
        "points/velocity": np.zeros((3, 3), np.float32),
        "points/offsets": np.array([0, 1, 1, 3]),
    }


@pytest.fixture
def dataset(tmp_path):
    folder = create_dataset(tmp_path / "set")
    write_example(folder, 0)
    assert record_footage(folder, SAMPLED, sampled())
    assert record_footage(folder, FILMED, filmed())
    return folder


def test_arrays_come_back_as_they_were_given(dataset):
    clip = open_dataset(dataset)[SAMPLED.clip_id("portable")]
    window = clip.window(1, 2)
    for name, array in sampled().items():
        if name.split("/")[0] != "points":
            np.testing.assert_array_equal(window[name], array[1:], err_msg=name)
    np.testing.assert_array_equal(window["points/offsets"], [0, 0, 2])
    np.testing.assert_array_equal(window["points/position"], sampled()["points/position"][1:])
    np.testing.assert_array_equal(window["time"], [0.125, 0.25])
    assert (clip.source, clip.caption, clip.fps) == ("model", "A ball falls.", 8.0)


@pytest.mark.parametrize("listed", [False, True])
def test_clips_can_be_asked_for_by_what_they_were_made_from(dataset, listed):
    if listed:
        catalog.update(dataset)
    clips = open_dataset(dataset)
    assert [len(clips.where(source=name)) for name in ("simulation", "video", "model")] == [1, 1, 1]
    assert clips.where(source="video").ids == [FILMED.clip_id("portable")]


def test_a_row_of_before_there_were_sources_is_of_a_simulation(dataset, monkeypatch):
    monkeypatch.setattr(catalog, "COLUMNS", {name: kind for name, kind in catalog.COLUMNS.items() if name != "source"})
    catalog.update(dataset)
    monkeypatch.undo()
    assert open_dataset(dataset).table["source"].to_pylist().count("simulation") == 3


def test_a_clip_is_recorded_once(dataset):
    assert is_recorded(dataset, FILMED)
    assert not record_footage(dataset, FILMED, filmed())
    other = replace(FILMED, origin={"file": "other"})
    assert not is_recorded(dataset, other)
    assert record_footage(dataset, other, filmed())


def test_commands_show_and_check_it(dataset, tmp_path):
    assert validate(dataset) == []
    clip = open_dataset(dataset)[SAMPLED.clip_id("portable")]
    assert verify_clip(clip) == []
    shown = CliRunner().invoke(app, ["inspect", str(clip.path)])
    assert "source   model" in shown.output
    only = create_dataset(tmp_path / "only")
    record_footage(only, FILMED, filmed())
    for command in (["inspect"], ["verify"], ["verify", "--replay"], ["preview"]):
        done = CliRunner().invoke(app, [*command, str(only.path)])
        assert done.exit_code == 0, done.output


def test_what_contradicts_itself_is_found(tmp_path):
    folder = create_dataset(tmp_path / "set")
    arrays = sampled()
    arrays["points/position"][:, 2] *= 1.1
    record_footage(folder, SAMPLED, arrays)
    flat = replace(FILMED, origin={"file": "flat"})
    record_footage(folder, flat, {**filmed(), "depth": np.zeros((FRAMES, HEIGHT, WIDTH), np.float32)})
    clips = open_dataset(folder)
    assert "points/position" in {found.path for found in verify_clip(clips[SAMPLED.clip_id("portable")])}
    assert [found.path for found in verify_clip(clips[flat.clip_id("portable")])] == ["depth"]


def test_what_does_not_fit_is_refused(dataset):
    with pytest.raises(StoreError, match="unknown modalities"):
        record_footage(dataset, replace(FILMED, modalities=("rgb", "smell")), filmed())
    with pytest.raises(StoreError, match=r"points/offsets.*missing"):
        record_footage(
            dataset,
            replace(SAMPLED, origin={}),
            {name: array for name, array in sampled().items() if name != "points/offsets"},
        )
    with pytest.raises(StoreError, match="missing arrays"):
        record_footage(dataset, replace(FILMED, origin={}), {"rgb": filmed()["rgb"]})
