"""Benchmark scenes through the commands: recorded apart from what is trained on."""

import json

from simfactory import open_dataset

SMALL = ("--fps", "2", "--seconds", "4", "--size", "24x24", "--preset", "draft", "--workers", "1")


def test_benchmark_scenes_have_a_dataset_of_their_own(simfactory, tmp_path):
    made = json.loads(simfactory("benchmark", "--scene", "duck_static", *SMALL, "--out", "bench", "--json"))
    assert made["clips"] == 6  # two takes from three places, though nothing moves
    dataset = open_dataset(tmp_path / "bench", split="benchmark")
    assert {clip.spec["benchmark"]["take"] for clip in dataset} == {1, 2}
    assert not len(open_dataset(tmp_path / "bench", split="train"))

    others = ("generate", "--clips", "1", "--views", "1", "--frames", "2", "--size", "24x24", "--backend", "mock")
    assert "with-benchmark" in simfactory(*others, "--out", "bench", fails=True)
    simfactory("verify", "bench")
    simfactory(*others, "--scene", "free_drop", "--out", "bench", "--with-benchmark")
    simfactory("verify", "bench")  # it was asked for


def test_an_unknown_benchmark_scene_is_refused(simfactory):
    assert "duck_static" in simfactory("benchmark", "--scene", "duck_dance", *SMALL, "--out", "bench", fails=True)
