"""Counterfactual siblings through the commands."""

import json
import shutil

import pytest

from simfactory import open_dataset

SMALL = ("--frames", "12", "--size", "48x48", "--views", "1", "--scene", "bounce", "--seed", "2")
SIBLINGS = ("--siblings", "gravity=1.6,9.8", "--siblings", "restitution=0.2,0.8")


@pytest.fixture(scope="module")
def groups(tmp_path_factory):
    """A dataset of two groups of two siblings, made by newton."""
    from tests.integration.conftest import Command

    folder = tmp_path_factory.mktemp("siblings")
    Command(folder)("generate", "--out", "data", "--clips", "4", "--workers", "2", *SMALL, *SIBLINGS)
    return folder / "data"


def test_groups_are_labelled_compared_and_sound(simfactory, groups):
    rows = open_dataset(groups).rows()
    labels = [row["extra"]["sibling"] for row in rows]
    assert sorted((label["parameter"], label["value"]) for label in labels) == [
        ("gravity", 1.6), ("gravity", 9.8), ("restitution", 0.2), ("restitution", 0.8),
    ]  # fmt: skip
    assert len({label["group"] for label in labels}) == 2
    assert [clip.spec["sibling"] for clip in open_dataset(groups)] == labels
    assert len({row["split"] for row in rows}) == 1
    lines = json.loads(simfactory("inspect", groups, "--json"))["sibling_groups"]
    assert sorted(line.split(" ", 1)[1] for line in lines) == [
        "gravity 1.6, 9.8: visible",
        "restitution 0.2, 0.8: visible",
    ]
    assert "0 findings" in simfactory("verify", groups, "--replay")


def test_repeating_it_adds_nothing(simfactory, groups, tmp_path):
    shutil.copytree(groups, tmp_path / "data")
    report = json.loads(simfactory("generate", "--out", "data", "--clips", "4", "--json", *SMALL, *SIBLINGS))
    assert (report["clips"], report["added"]) == (4, 0)


def test_verify_finds_a_group_that_lost_a_member(simfactory, groups, tmp_path):
    shutil.copytree(groups, tmp_path / "data")
    clip = open_dataset(tmp_path / "data")[0]
    (tmp_path / "data" / "commits" / clip.id[:3] / f"{clip.id}.json").unlink()
    assert "lacks clips of" in simfactory("verify", "data", fails=True)


def test_verify_finds_figures_that_are_not_those_of_the_clips(simfactory, groups, tmp_path):
    shutil.copytree(groups, tmp_path / "data")
    (path, other) = sorted((tmp_path / "data" / "siblings").iterdir())
    path.write_text(path.read_text().replace('"visible":true', '"visible":false'))
    other.unlink()
    out = simfactory("verify", "data", fails=True)
    assert "its figures are not those of its clips" in out
    assert "has no figures" in out


def test_siblings_need_rgb_and_sampling(simfactory, groups, tmp_path):
    generate = ("generate", "--out", "data", *SMALL, "--siblings", "gravity=1.6,9.8")
    assert "compared by rgb" in simfactory(*generate, "--modalities", "depth", fails=True)
    (tmp_path / "spec.json").write_text(json.dumps(open_dataset(groups)[0].spec))
    assert "for sampling" in simfactory(*generate, "--spec", "spec.json", fails=True)
    assert not (tmp_path / "data").exists()
