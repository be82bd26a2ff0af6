"""Pairs of intact and broken physics through the commands."""

import json
import shutil

import numpy as np
import pytest

from simfactory import open_dataset
from simfactory.violations import VIOLATIONS
from training.data import ClipQuery, open_source

SMALL = ("--clips", "1", "--views", "1", "--size", "48x48", "--workers", "1")
BOUNCE = ("--scene", "bounce", "--seed", "2", "--frames", "18", "--broken", ",".join(VIOLATIONS))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """A dataset of one intact clip and one loser for every law, made by newton; and the command's report."""
    from tests.integration.conftest import Command

    folder = tmp_path_factory.mktemp("broken")
    return folder / "data", json.loads(Command(folder)("generate", "--out", "data", "--json", *SMALL, *BOUNCE))


def test_losers_share_everything_but_the_law(pairs):
    folder, report = pairs
    assert report["losers"] == {name: {"asked": 1, "kept": 1, "refused": {}} for name in VIOLATIONS}
    (intact,) = open_dataset(folder)
    everything = open_dataset(folder, violation=None)
    rows = {row["violation"]: row for row in everything.rows()}
    assert rows.keys() == {"", *VIOLATIONS}
    assert (rows[""]["pair"], intact.attributes["violation"]) == ("", "")
    for name in VIOLATIONS:
        clip = everything[rows[name]["clip_id"]]
        assert rows[name]["pair"] == clip.attributes["pair"] == intact.id
        assert clip.attributes["violation"] == clip.spec["violation"] == name
        assert {key: value for key, value in clip.spec.items() if key != "violation"} == dict(intact.spec)
        assert (clip.caption, clip.frame_count) == (intact.caption, intact.frame_count)
        np.testing.assert_array_equal(clip.read("camera/camera_to_world"), intact.read("camera/camera_to_world"))
        np.testing.assert_array_equal(clip.read("rgb")[0], intact.read("rgb")[0])
        differing = np.abs(clip.read("rgb").astype(int) - intact.read("rgb")).max(axis=-1) > 8
        assert differing.mean(axis=(1, 2)).max() > 0.002
        assert clip.quality["passed"]


def test_losers_are_sound_counted_and_not_trained_on(pairs, simfactory):
    folder, _ = pairs
    assert "6 clips, 0 findings" in simfactory("verify", folder)
    counts = json.loads(simfactory("inspect", folder, "--json"))["violation"]
    assert counts == {"none": 1, **dict.fromkeys(VIOLATIONS, 1)}
    assert [row["violation"] for row in open_source(folder).dataset.rows()] == [""]
    chosen = open_source(folder, query=ClipQuery(violation=("gravity", "delay")))
    assert sorted(row["violation"] for row in chosen.dataset.rows()) == ["delay", "gravity"]


def test_a_refused_loser_is_counted_and_the_intact_clip_stays(simfactory, tmp_path):
    still = ("--scene", "spin_down", "--seed", "3", "--frames", "6", "--broken", "gravity,teleport", "--json")
    reports = [json.loads(simfactory("generate", "--out", "data", *SMALL, *still)) for _ in range(2)]
    assert [report["added"] for report in reports] == [2, 0]
    for report in reports:  # a repeated run knows of it
        assert report["losers"]["gravity"] == {"asked": 1, "kept": 0, "refused": {"violation_unseen": 1}}
        assert report["losers"]["teleport"]["kept"] == 1
        assert report["clips"] == 2
    assert len(open_dataset(tmp_path / "data")) == 1


def test_verify_finds_a_loser_without_its_intact_clip(pairs, simfactory, tmp_path):
    folder, _ = pairs
    shutil.copytree(folder, tmp_path / "data")
    (intact,) = open_dataset(folder)
    (tmp_path / "data" / "commits" / intact.id[:3] / f"{intact.id}.json").unlink()
    out = simfactory("verify", "data", fails=True)
    assert out.count(f"the intact clip {intact.id} that it is compared with is missing") == len(VIOLATIONS)
