"""The other subcommands, on a dataset that `generate` made."""

import json
import shutil
import subprocess
import sys

import pytest

from simfactory.dataset import open_dataset


def test_verify_finds_nothing_on_sound_data_and_replays_it(simfactory, small_dataset):
    out = simfactory("verify", small_dataset, "--replay")
    assert "3 clips, 0 findings" in out


def test_verify_names_a_damaged_file(simfactory, small_dataset, tmp_path):
    shutil.copytree(small_dataset, tmp_path / "data")
    clip = open_dataset(tmp_path / "data")[0]
    chunk = next(path for path in sorted((clip.path / "depth").rglob("*")) if path.is_file() and path.suffix != ".json")
    damaged = bytearray(chunk.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    chunk.write_bytes(damaged)
    out = simfactory("verify", "data", fails=True)
    assert clip.id in out
    assert "depth" in out


def test_verify_replay_notices_another_simulation(simfactory, small_dataset, tmp_path, monkeypatch):
    from simfactory import replay

    clips = list(open_dataset(small_dataset))
    parse = replay.parse_spec

    def nudged(record):
        spec = parse(record)
        body = spec.bodies[0].model_copy(update={"linear_velocity": (0.5, 0.0, 0.0), "mobility": "dynamic"})
        return spec.model_copy(update={"bodies": (body, *spec.bodies[1:])})

    monkeypatch.setattr(replay, "parse_spec", nudged)
    assert replay.replay_clips(clips)


def test_inspect_counts_a_dataset_and_lists_a_clips_arrays(simfactory, small_dataset):
    record = json.loads(simfactory("inspect", small_dataset, "--json"))
    assert (record["clips"], record["frames"], record["category"]) == (3, 18, {"rigid": 3})
    text = simfactory("inspect", record["clip_paths"][0])
    assert "flow_forward" in text
    assert "time × uv × y × x" in text
    assert "simulated" not in simfactory("inspect", small_dataset)


def test_preview_writes_a_picture_and_a_video(simfactory, small_dataset, tmp_path):
    import cv2

    clip = open_dataset(small_dataset)[0]
    sheet, video = simfactory("preview", clip.path, "--out", tmp_path / "shown").split()
    assert cv2.imread(sheet).shape[1] > 6 * 48
    capture = cv2.VideoCapture(video)
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 6


def test_scenes_lists_what_spec_sample_takes(simfactory):
    rows = [row for row in json.loads(simfactory("scenes", "--json")) if row["split"] != "benchmark"]
    assert len(rows) >= 170
    row = rows[-1]
    spec = json.loads(simfactory("spec", "sample", "--category", row["category"], "--scene", row["name"]))
    assert (spec["scene"], spec["category"]) == (row["name"], row["category"])
    assert row["name"] in simfactory("scenes")


def test_doctor_tries_every_part(simfactory):
    checks = {row["check"]: row for row in json.loads(simfactory("doctor", "--json"))}
    assert all(row["ok"] for row in checks.values())
    assert "newton" in checks["backend newton"]["detail"]


def test_a_mesh_can_be_added_and_simulated(simfactory, tmp_path, monkeypatch):
    import trimesh

    monkeypatch.setenv("SIMFACTORY_ASSETS", str(tmp_path / "assets"))
    trimesh.creation.icosphere(subdivisions=2, radius=0.2).export(tmp_path / "ball.obj")
    digest = simfactory("assets", "add", "ball.obj").strip()
    spec = json.loads(simfactory("spec", "sample", "--scene", "free_drop", "--frames", "3", "--views", "1"))
    spec["bodies"][0]["geometry"] = {"shape": "mesh", "digest": digest}
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    report = json.loads(simfactory("generate", "--spec", "spec.json", "--out", "data", "--json"))
    assert report["added"] == 1


def test_core_commands_run_without_scenes(tmp_path):
    program = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("scenes", "layouts", "api", "training", "fastapi"):
            raise ModuleNotFoundError(f"{name} is blocked", name=name)
sys.meta_path.insert(0, Blocked())
sys.argv = ["simfactory", *sys.argv[1:]]
from simfactory.cli import main
main()
"""
    for command in ("inspect", "verify"):
        arguments = [sys.executable, "-c", program, command, "--help"]
        done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "Usage" in done.stdout


@pytest.mark.parametrize("command", ["inspect", "verify", "preview"])
def test_a_folder_that_is_no_dataset_is_named(simfactory, tmp_path, command):
    (tmp_path / "empty").mkdir()
    out = simfactory(command, "empty", fails=True)
    assert out.startswith("error: ")
    assert "empty" in out
