"""Ranges and their statistics through the commands."""

import json
import math

import pytest

from simfactory import open_dataset
from simfactory.store import read_runs

SMALL = ("--clips", "4", "--frames", "3", "--size", "24x24", "--views", "1", "--seed", "4", "--workers", "1")
RANGES = ("--range", "friction=0.1:0.3", "--range", "gravity=1.6:9.8", "--range", "wind=2:3")


def test_ranges_hold_in_every_clip_and_stand_in_the_run_record(simfactory, tmp_path):
    simfactory("generate", "--out", "data", *SMALL, *RANGES)
    clips = list(open_dataset(tmp_path / "data"))
    assert len(clips) == 4
    for clip in clips:
        environment = clip.spec["environment"]
        assert 1.6 - 1e-6 <= math.hypot(*environment["gravity"]) <= 9.8 + 1e-6
        assert 2.0 - 1e-6 <= math.hypot(*environment["wind"]["velocity"]) <= 3.0 + 1e-6
        assert environment["air_density"] > 0.0
        for body in (*clip.spec["bodies"], clip.spec["ground"]):
            assert (
                0.1 - 1e-6 <= body["physical"]["dynamic_friction"] <= body["physical"]["static_friction"] <= 0.3 + 1e-6
            )
        solved = clip.read("bodies/friction")
        assert ((solved >= 0.1 - 1e-6) & (solved <= 0.3 + 1e-6)).all(), "the solver used them"
    (run,) = read_runs(tmp_path / "data")
    assert run["ranges"]["friction"] == {"low": 0.1, "high": 0.3, "asked": True}
    assert run["ranges"]["restitution"] == {"low": 0.0, "high": 0.9, "asked": False}
    assert "0 findings" in simfactory("verify", "data")


def test_another_range_makes_other_clips_and_another_run_record(simfactory, tmp_path):
    for low in ("0.1", "0.2"):
        arguments = ("--out", "data", "--scene", "free_drop", *SMALL[2:], "--clips", "1", "--backend", "mock")
        simfactory("generate", *arguments, "--range", f"friction={low}:0.3")
    assert len(open_dataset(tmp_path / "data")) == 2
    assert len(read_runs(tmp_path / "data")) == 2


@pytest.mark.parametrize("text", ["fiction=0.1:0.3", "friction=0.3:0.1", "restitution=0.5:1.5", "temperature=280:300"])
def test_impossible_ranges_leave_no_dataset(simfactory, tmp_path, text):
    out = simfactory("generate", "--out", "data", *SMALL, "--range", text, fails=True)
    assert out.startswith("error: range")
    assert "friction 0:2" in out
    assert not (tmp_path / "data").exists()


def test_statistics_are_printed_and_hold_on_two_processes(simfactory):
    options = ("spec", "stats", "--clips", "60", "--category", "soft_body", "--range", "restitution=0:0.5", "--json")
    one, two = (json.loads(simfactory(*options, "--workers", workers)) for workers in ("1", "2"))
    assert one | {"cpu_seconds": 0} == two | {"cpu_seconds": 0}
    assert (one["episodes"], one["clips"], one["distinct_configurations"]) == (12, 60, 12)
    row = one["parameters"]["restitution"]
    assert row["requested"] == [0.0, 0.5]
    assert row["outside"] == 0
    assert 0.0 <= row["min"] <= row["quantiles"]["0.5"] <= row["max"] <= 0.5
    assert "friction" in simfactory("spec", "stats", "--clips", "5")
