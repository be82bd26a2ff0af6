"""Splits through the commands: recorded, listed, filtered, and leaks that `verify` finds."""

import json

import pytest

from simfactory import open_dataset
from simfactory.errors import StoreError
from simfactory.store import read_runs

SMALL = ("--frames", "2", "--size", "16x16", "--views", "1")


def sampled(simfactory, *options):
    return json.loads(simfactory("spec", "sample", "--scene", "free_drop", *SMALL, *options))


def verified(simfactory, tmp_path, *specs):
    """What `verify` says of a dataset of these specs, which has leaks."""
    (tmp_path / "specs.json").write_text(json.dumps(specs))
    simfactory("generate", "--spec", "specs.json", "--out", "data", "--workers", "1")
    return simfactory("verify", "data", fails=True)


def test_the_split_is_recorded_listed_and_a_filter(simfactory, small_dataset):
    rows = open_dataset(small_dataset).rows()
    assert all(row["split"] == clip.spec["split"] for row, clip in zip(rows, open_dataset(small_dataset), strict=True))
    counts = json.loads(simfactory("inspect", small_dataset, "--json"))["split"]
    for split in ("train", "val", "test"):
        assert len(open_dataset(small_dataset, split=split)) == counts.get(split, 0)
    (present, *_) = counts
    shown = json.loads(simfactory("inspect", small_dataset, "--split", present, "--json"))
    assert shown["clips"] == counts[present]
    with pytest.raises(StoreError, match="split"):
        open_dataset(small_dataset, split="trian")


def test_the_run_record_says_how_it_was_split(small_dataset):
    (run,) = read_runs(small_dataset)
    assert run["split"]["shares"] == [0.9, 0.05, 0.05]
    assert "ledge_tip" in run["split"]["held_out_scenes"]
    assert run["split"]["held_out_ranges"] == {"gravity": [3.2, 4.2]}


def test_a_dataset_is_split_in_one_way(simfactory, tmp_path):
    generate = ("generate", "--scene", "free_drop", "--clips", "1", *SMALL, "--backend", "mock", "--out", "data")
    simfactory(*generate)
    assert "split in one way" in simfactory(*generate, "--split", "80/10/10", fails=True)
    assert "split in one way" in simfactory(*generate, "--hold-out", "friction=0.4:0.5", fails=True)


def test_scenes_are_listed_with_their_split(simfactory):
    rows = json.loads(simfactory("scenes", "--json"))
    assert all({"name", "category", "tier", "tiers", "split", "description"} <= row.keys() for row in rows)
    assert all(row["tier"] == row["tiers"][0] for row in rows)
    assert {row["split"] for row in rows if row["category"] == "rigid"} == {"train", "test", "benchmark"}


def test_verify_finds_the_same_physics_in_two_splits(simfactory, tmp_path):
    first = sampled(simfactory)
    out = verified(simfactory, tmp_path, first | {"split": "train"}, first | {"split": "test", "seed": 1})
    assert "the same physical configuration is in" in out


def test_verify_finds_a_held_out_scene_in_training(simfactory, tmp_path):
    spec = json.loads(simfactory("spec", "sample", "--scene", "ledge_tip", *SMALL))
    assert spec["split"] == "test"
    assert "scene 'ledge_tip' is held out, and here in train" in verified(
        simfactory, tmp_path, spec | {"split": "train"}
    )


def test_verify_finds_a_held_out_range_in_training(simfactory, tmp_path):
    spec = sampled(simfactory) | {"split": "val"}
    spec["environment"]["gravity"] = [0.0, 0.0, -4.0]
    assert "gravity 4 lies in the held-out 3.2:4.2, and here in val" in verified(simfactory, tmp_path, spec)


def test_verify_finds_attempts_of_one_episode_in_two_splits(simfactory, tmp_path):
    other = sampled(simfactory, "--seed", "3", "--index", "2")
    first = sampled(simfactory, "--seed", "3", "--index", "1") | {"split": "train"}
    out = verified(simfactory, tmp_path, first, other | {"index": 1, "attempt": 1, "split": "val"})
    assert "the same episode is in" in out
