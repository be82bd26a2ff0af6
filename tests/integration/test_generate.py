"""`simfactory generate`: counts clips, repeats without adding, survives kills, replaces refused episodes."""

import contextlib
import json
import os
import shutil
import signal
import time

import pytest
import typer

from scenes import cli
from scenes.cli import running
from simfactory.dataset import open_dataset
from simfactory.store import committed_ids, read_rejections, validate

# Options of `small_dataset`.
SMALL = ("--clips", "3", "--views", "2", "--frames", "6", "--size", "48x48", "--seed", "3")


def test_clips_are_counted_over_cameras_and_the_last_episode_gives_fewer(small_dataset):
    rows = open_dataset(small_dataset).rows()
    assert sorted((row["index"], row["camera"]) for row in rows) == [(0, "orbit_0"), (0, "ring_0"), (1, "ring_0")]


def test_a_repeated_run_adds_nothing(small_dataset, simfactory, tmp_path):
    shutil.copytree(small_dataset, tmp_path / "data")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "data" / "clips").rglob("*")}
    report = json.loads(simfactory("generate", "--out", "data", "--json", *SMALL))
    assert (report["clips"], report["added"]) == (3, 0)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "data" / "clips").rglob("*")} == before


def test_two_workers_make_the_same_clips_as_one(small_dataset, simfactory, tmp_path):
    simfactory("generate", "--out", "data", "--workers", "2", *SMALL)
    assert digests(tmp_path / "data") == digests(small_dataset)


def digests(dataset):
    """Clip id → file → sha256 of all array files."""
    return {
        clip.id: {name: entry["sha256"] for name, entry in clip.record["files"].items() if "zarr.json" not in name}
        for clip in open_dataset(dataset)
    }


@pytest.mark.parametrize("moment", [0.3, 0.6])
def test_a_killed_run_is_completed_by_repeating_it(small_dataset, simfactory, tmp_path, moment):
    arguments = ("generate", "--out", "data", "--workers", "2", *SMALL)
    process = simfactory.start(*arguments)
    while process.poll() is None and not (tmp_path / "data" / "staging").exists():
        time.sleep(0.01)
    time.sleep(moment)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    simfactory(*arguments)
    assert committed_ids(tmp_path / "data") == committed_ids(small_dataset)
    assert validate(tmp_path / "data") == []
    assert digests(tmp_path / "data") == digests(small_dataset)


def test_printed_specs_generate_the_same_clips(small_dataset, simfactory, tmp_path):
    lines = simfactory("spec", "sample", "--seed", "3", "--frames", "6", "--size", "48x48", "--views", "2")
    (tmp_path / "specs.json").write_text(lines)
    report = json.loads(simfactory("generate", "--spec", "specs.json", "--out", "data", "--workers", "1", "--json"))
    assert report["added"] == 2
    assert committed_ids(tmp_path / "data") < committed_ids(small_dataset)


def test_a_refused_episode_is_recorded_and_not_simulated_again(simfactory, tmp_path):
    line = simfactory(
        "spec", "sample", "--scene", "free_drop", "--frames", "6", "--fps", "2", "--size", "16x16", "--views", "1"
    )
    spec = json.loads(line)
    spec["bodies"][0]["linear_velocity"] = [0, 0, 99]
    (tmp_path / "far.json").write_text(json.dumps(spec))
    arguments = ("generate", "--spec", "far.json", "--out", "data", "--backend", "mock", "--workers", "1", "--json")
    first, second = simfactory(*arguments, fails=True), simfactory(*arguments, fails=True)
    assert "quality gate" in first
    (reasons,) = read_rejections(tmp_path / "data").values()
    assert "out_of_bounds" in reasons
    assert json.loads(first.splitlines()[0])["refused"]
    assert json.loads(second.splitlines()[0])["refused"] == {}, "a known refusal costs nothing"
    assert committed_ids(tmp_path / "data") == set()


def test_a_refused_episode_is_replaced_by_its_next_attempt(tmp_path):
    import scenes
    from scenes.generate import SampledSpecs, generate
    from simfactory.processes import Job
    from simfactory.store import create_dataset

    class Watcher:
        def planned(self, frames): ...
        def prepared(self, seconds): ...
        def recorded(self, frames): ...

    class FirstIsBroken(SampledSpecs):
        """Episode 0's first attempt has a body that flies away."""

        def spec(self, index, attempt):
            spec = super().spec(index, attempt)
            if attempt:
                return spec
            far = spec.bodies[0].model_copy(update={"linear_velocity": (0.0, 0.0, 99.0)})
            return spec.model_copy(update={"bodies": (far, *spec.bodies[1:])})

    options = {"category": "rigid", "seed": 5, "frame_count": 3, "fps": 1.0, "size": (32, 32), "views": 1}
    options["scene"] = "free_drop"
    assert "free_drop" in {base.name for base in scenes.catalogue()}
    create_dataset(tmp_path, profile="portable")
    job = Job(dataset=tmp_path, profile="portable", backend="newton", preset="draft", device="cpu", workers=1)
    generation = generate(FirstIsBroken(clip_count=1, options=options), job, observer=Watcher())
    assert generation.added == 1
    assert generation.refused
    (clip,) = open_dataset(tmp_path)
    assert clip.spec["attempt"] == 1


@pytest.mark.parametrize("seconds", [3.0, 5.0, 9.0])
def test_ctrl_c_stops_all_processes_and_leaves_nothing_half_written(simfactory, tmp_path, seconds):
    options = ("--clips", "40", "--views", "1", "--size", "64x64", "--workers", "2")
    process = simfactory.start("generate", "--out", "data", *options)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    staging = tmp_path / "data" / "staging"
    assert not staging.exists() or list(staging.iterdir()) == []
    if (tmp_path / "data").exists():
        assert validate(tmp_path / "data") == []


def test_ctrl_c_stops_the_run_even_if_its_exception_is_lost(tmp_path, monkeypatch):
    """As pydantic loses what is raised while it asks for a value's type; the whole run would be recorded otherwise."""
    whole = running.generate

    def lose_it(*args, **kwargs):
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5.0)
        return whole(*args, **kwargs)

    monkeypatch.setattr(running, "generate", lose_it)
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(typer.Exit) as stopped:
        cli.generate(tmp_path / "data", backend="mock", clips=2, size="16x16", frames=2, workers=1)
    assert stopped.value.exit_code == 130
    assert committed_ids(tmp_path / "data") == set()
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.parametrize("workers", ["1", "2"])
def test_told_to_stop_a_run_commits_what_is_near_its_end_and_the_same_command_goes_on(simfactory, tmp_path, workers):
    options = ("--clips", "30", "--views", "1", "--size", "32x32", "--frames", "12", "--scene", "free_drop")
    options = (*options, "--workers", workers)
    process = simfactory.start("generate", "--out", "data", *options)
    while process.poll() is None and not list((tmp_path / "data").glob("commits/**/*.*")):
        time.sleep(0.02)
    assert process.poll() is None, process.communicate()
    os.kill(process.pid, signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    assert "told to stop" in err
    assert "Traceback" not in err
    made = committed_ids(tmp_path / "data")
    assert 1 <= len(made) < 30
    staging = tmp_path / "data" / "staging"
    assert not staging.exists() or list(staging.iterdir()) == []
    assert validate(tmp_path / "data") == []
    simfactory("generate", "--out", "data", *options)
    assert len(committed_ids(tmp_path / "data")) == 30
    assert committed_ids(tmp_path / "data") > made


def test_clips_of_episodes_that_may_end_at_rest_are_shorter_and_verify(simfactory, tmp_path):
    options = ("--scene", "domino_row", "--clips", "2", "--views", "1", "--frames", "96", "--size", "32x32")
    simfactory("generate", "--out", "data", "--until-rest", "--environments", "1", *options)
    counts = [clip.frame_count for clip in open_dataset(tmp_path / "data")]
    assert max(counts) < 96
    rows = open_dataset(tmp_path / "data").rows()
    assert sorted(row["frame_count"] for row in rows) == sorted(counts)
    assert "2" in simfactory("verify", "data")
    assert validate(tmp_path / "data") == []
