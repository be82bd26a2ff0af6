"""Runs: they learn, stop at what is not a number, go on bit for bit where they stopped, and look before they begin."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
import torch

from simfactory.errors import RunError, SpecError, StoreError
from simfactory.runs import read_pictures, read_run
from training.config import OptimizerConfig
from training.config_files import config_from_json, config_to_json
from training.model import TrainedModel
from training.objectives import Objective
from training.running import run_training, stored_config
from training.trainer import rate_factor


def train(config, folder, **options):
    return run_training(config, folder=folder, tell=options.pop("tell", lambda line: None), **options)


def metrics(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return {line["step"]: line["values"] for line in lines if "values" in line}


def weights(model_folder):
    model = TrainedModel.load(model_folder)
    state = dict(model.backbone.state_dict())
    return (
        state | {f"heads.{name}": value for name, value in model.heads.state_dict().items()} if model.heads else state
    )


def assert_equal_weights(one, other):
    left, right = weights(one), weights(other)
    assert left.keys() == right.keys()
    assert not [name for name in left if not torch.equal(left[name], right[name])]


@pytest.fixture(scope="module")
def base(falling, tmp_path_factory):
    """The run of a new model that was trained for 30 steps, and the configuration of it."""
    from training.config_files import read_config

    changes = {
        "data.sources": [{"path": str(falling)}],
        "data.frames": 5,
        "data.stride": 1,
        "optimizer.batch": 4,
        "optimizer.steps": 30,
        "optimizer.warm_up": 2,
        "optimizer.rate": 3e-3,
        "log.metrics_every": 5,
        "log.picture_every": 15,
        "device": "cpu",
    }
    config = read_config("base", preset="tiny", changes=[changes])
    folder = tmp_path_factory.mktemp("runs") / "base"
    train(config, folder)
    return folder, config


def test_a_run_learns_and_leaves_its_model(base):
    folder, config = base
    values = metrics(folder)
    assert sorted(values) == [5, 10, 15, 20, 25, 30]
    assert values[30]["loss/flow_matching"] < 0.9 * values[5]["loss/flow_matching"]
    assert values[30]["gradient_norm"] > 0
    record = read_run(folder)
    assert (record.state, record.step, record.steps, record.kind) == ("completed", 30, 30, "sft")
    assert record.datasets[0].clips == 8
    assert config_from_json(record.config) == config == stored_config(folder)
    clip = TrainedModel.load(folder / "model").clip
    assert (clip.frame_count, clip.height, clip.width, clip.fps) == (5, 16, 16, 12.0)
    assert list((folder / "tensorboard").glob("events*"))
    assert [picture.step for picture in read_pictures(folder)] in ([15, 30], [30, 15])


def test_the_chain_trains_what_each_stage_says(base, tiny_config, tmp_path):
    pretrained = train(tiny_config("pretrain", model__start=str(base[0] / "model")), tmp_path / "pretrain")
    before, after = weights(base[0] / "model"), weights(pretrained)
    assert all(torch.equal(after[name], value) for name, value in before.items())  # the network is frozen
    assert TrainedModel.load(pretrained).heads is not None

    tuned = train(tiny_config("sft", model__start=str(pretrained), log__picture_every=4), tmp_path / "sft")
    final = weights(tuned)
    changed = {name.split(".")[0] for name, value in final.items() if not torch.equal(value, after[name])}
    assert changed == {"transformer", "heads"}
    values = metrics(tmp_path / "sft")[4]
    assert {f"loss/{name}" for name in ("flow_matching", "depth", "flow", "warp", "rgb", "total")} <= values.keys()
    assert len(read_pictures(tmp_path / "sft")) == 1


def test_alignment_losses_train_and_leave_nothing_behind(base, tiny_config, tmp_path):
    config = tiny_config("sft", model__start=str(base[0] / "model"), losses__pixel=0.1, losses__semantic=0.5)
    model = train(config, tmp_path / "run")
    values = metrics(tmp_path / "run")[4]
    assert values["loss/pixel"] > 0
    assert values["loss/semantic"] > 0
    assert not [name for name in weights(model) if "align" in name or "project.pixel" in name]


def test_what_is_not_a_number_stops_the_run_before_the_weights_change(base, tiny_config, tmp_path, monkeypatch):
    honest = Objective.forward

    def poisoned(self, batch, given, draws):
        result = honest(self, batch, given, draws)
        if len(seen) == 2:
            result.losses["flow_matching"].mul_(float("nan"))
        seen.append(batch.clip_ids)
        return result

    seen = []
    monkeypatch.setattr(Objective, "forward", poisoned)
    config = tiny_config(log__checkpoint_every=1, model__start=str(base[0] / "model"))
    with pytest.raises(RunError, match=r"step 3: loss/flow_matching not finite; clips \w+.*flow_matching nan") as error:
        train(config, tmp_path / "run")
    assert all(clip in str(error.value) for clip in seen[2])
    record = read_run(tmp_path / "run")
    assert (record.state, record.step) == ("failed", 2)
    assert "not finite" in record.detail


def test_gradients_that_are_not_numbers_stop_it_too(base, tiny_config, tmp_path):
    config = tiny_config(model__start=str(base[0] / "model"), optimizer__rate=1e30, optimizer__warm_up=0)
    with pytest.raises(RunError, match="not finite; clips"):
        train(config, tmp_path / "run")


def test_a_stopped_run_goes_on_bit_for_bit(base, tiny_config, tmp_path):
    # 24 windows are 12 steps an epoch: the checkpoint lies in the middle of the second one.
    options = {"optimizer__steps": 16, "log__checkpoint_every": 14, "data__starts": "random"}
    config = tiny_config("sft", model__start=str(base[0] / "model"), **options)
    whole = train(config, tmp_path / "whole")
    shutdown = tmp_path / "parts"
    train(config, shutdown)
    (newest,) = (shutdown / "checkpoints").glob("step-00000016")
    for file in newest.iterdir():
        file.unlink()
    newest.rmdir()
    resumed = train(config, shutdown, resume=True)
    assert_equal_weights(whole, resumed)
    assert read_run(shutdown).resumed == 1
    assert metrics(shutdown)[16]["loss/total"] > 0


def test_a_finished_run_is_made_longer(base, tiny_config, tmp_path):
    train(tiny_config(optimizer__steps=2), tmp_path / "run")
    train(tiny_config(optimizer__steps=4), tmp_path / "run", resume=True)
    record = read_run(tmp_path / "run")
    assert (record.step, record.state, record.resumed) == (4, "completed", 1)


def start(config, folder, *options):
    """Start a run as a command, in a process of its own."""
    file = folder.with_suffix(".json")
    file.write_text(json.dumps(config_to_json(config)))
    command = [sys.executable, "-m", "training", "sft", "--config", str(file), "--out", str(folder)]
    return subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(path, process):
    while not path.exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_was_ended_goes_on_bit_for_bit(tiny_config, tmp_path, number):
    # Long enough that it does not end before the signal.
    config = tiny_config(optimizer__steps=400, log__checkpoint_every=3, optimizer__decay="constant")
    folder = tmp_path / "run"
    process = start(config, folder)
    wait_for(folder / "checkpoints" / "step-00000003", process)
    os.kill(process.pid, number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == (-9 if number == signal.SIGKILL else 128 + number), errors
    reached = max(int(path.name[5:]) for path in (folder / "checkpoints").glob("step-*"))
    if number != signal.SIGKILL:
        assert read_run(folder).state == "stopped"
    steps = reached + 2
    longer = json.loads(json.dumps(config_to_json(config)))
    longer["optimizer"]["steps"] = steps
    resumed = train(config_from_json(longer), folder, resume=True)
    whole = train(config_from_json(longer), tmp_path / "whole")
    assert_equal_weights(whole, resumed)


@pytest.mark.parametrize(
    ("stage", "changes", "error", "told"),
    [
        ("base", {"data__sources": []}, SpecError, "--data FOLDER"),
        ("base", {"data__frames": 99}, SpecError, "longer than every clip"),
        ("base", {"model__start": "nowhere"}, SpecError, "nowhere is no folder"),
        ("base", {"model__lora_rank": 4}, SpecError, "a new model, which knows nothing yet"),
        ("pretrain", {}, SpecError, "sft --stage base"),
        ("sft", {"losses__pixel": 1, "losses__alignment_block": 7}, SpecError, "blocks 0 … 1"),
        ("base", {"data__size": [32, 32]}, SpecError, "enlarges"),
        ("base", {"optimizer__batch": 99}, SpecError, "smaller batch_size"),
    ],
)
def test_a_run_looks_before_it_begins(tiny_config, tmp_path, stage, changes, error, told):
    with pytest.raises(error, match=told):
        train(tiny_config(stage, **changes), tmp_path / "run")
    assert not (tmp_path / "run" / "run.json").exists()


def test_adapters_must_fit(base, tiny_config, tmp_path):
    start_model = {"model__start": str(base[0] / "model")}
    with pytest.raises(SpecError, match=r"\['to_x'\] match no linear layer; the model has"):
        train(tiny_config(**start_model, model__lora_rank=4, model__lora_targets=["to_x"]), tmp_path / "run")
    adapted = train(tiny_config(**start_model, model__lora_rank=4), tmp_path / "adapted")
    with pytest.raises(SpecError, match=r"an adapter of rank 4, and model\.lora_rank=8"):
        train(tiny_config(model__start=str(adapted), model__lora_rank=8), tmp_path / "run")
    again = train(tiny_config(model__start=str(adapted), model__lora_rank=4), tmp_path / "again")
    before, after = weights(adapted), weights(again)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all("lora_" in name for name in changed)


def test_missing_modalities_are_named(filmed, tiny_config, tmp_path):
    config = tiny_config("sft", data__sources=[{"path": str(filmed)}])
    with pytest.raises(StoreError, match=r"camera is missing from 1 of 1 clips.*may_lack"):
        train(config, tmp_path / "run")


def test_pictures_of_several_sizes_are_refused(falling, falling_large, tiny_config, tmp_path):
    sources = [{"path": str(falling)}, {"path": str(falling_large)}]
    with pytest.raises(SpecError, match="differ in size"):
        train(tiny_config(data__sources=sources), tmp_path / "run")
    train(tiny_config(data__sources=sources, data__size=[16, 16], optimizer__steps=1), tmp_path / "run")


def test_videos_are_trained_on_beside_simulation(falling, filmed, base, tiny_config, tmp_path):
    lacking = ["scene_flow", "camera", "mask", "instance"]
    sources = [{"path": str(falling), "weight": 1}, {"path": str(filmed), "weight": 1, "may_lack": lacking}]
    config = tiny_config("sft", data__sources=sources, model__start=str(base[0] / "model"))
    train(config, tmp_path / "run")
    assert metrics(tmp_path / "run")[4]["loss/depth"] > 0


def test_a_folder_in_use_is_left_alone(base, tiny_config):
    before = (base[0] / "metrics.jsonl").read_bytes()
    with pytest.raises(RunError, match="--resume"):
        train(tiny_config(), base[0])
    assert (base[0] / "metrics.jsonl").read_bytes() == before


def test_there_must_be_a_run_to_go_on_with(tmp_path):
    with pytest.raises(RunError, match="holds no run"):
        stored_config(tmp_path / "absent")


def test_memory_is_told_before_the_first_step(tiny_config, tmp_path):
    lines, steps = [], []

    def watch(step, loss):
        assert len(lines) == 2
        steps.append((step, loss))

    train(tiny_config(optimizer__steps=2), tmp_path / "run", tell=lines.append, watch=watch)
    assert [step for step, _ in steps] == [1, 2]
    assert all(loss > 0 for _, loss in steps)
    assert lines[0].startswith("base: tiny with 0.58 million parameters, 0.58 million trained, on clips of 5 frames")
    assert re.match(r"memory: about \d+\.\d\d MB a device", lines[1])


def test_cached_windows_give_the_same_weights(tiny_config, tmp_path):
    options = {"optimizer__steps": 3, "noise__text_dropout": 0.5}
    plain = train(tiny_config(**options), tmp_path / "plain")
    for name in ("filling", "hitting"):
        cached = train(tiny_config(**options, data__cache=str(tmp_path / "cache")), tmp_path / name)
        assert_equal_weights(plain, cached)
    assert len(list((tmp_path / "cache").rglob("*.pt"))) == 6


def test_recomputing_activations_changes_nothing(base, tiny_config, tmp_path):
    options = {"model__start": str(base[0] / "model"), "optimizer__steps": 2}
    kept = train(tiny_config("sft", **options), tmp_path / "kept")
    recomputed = train(tiny_config("sft", **options, model__recompute=True), tmp_path / "recomputed")
    left, right = weights(kept), weights(recomputed)
    assert max(float((left[name] - right[name]).abs().max()) for name in left) < 1e-6


def test_rates_warm_up_and_fall():
    options = OptimizerConfig(steps=110, warm_up=10, decay="cosine")
    assert [round(rate_factor(step, options), 3) for step in (1, 5, 10, 60, 110)] == [0.1, 0.5, 1.0, 0.55, 0.1]
    assert rate_factor(99, OptimizerConfig(steps=110, warm_up=0)) == 1.0
