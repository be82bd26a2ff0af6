"""Runs of reinforcement learning: they sample, judge and learn, go on bit for bit, and look at the reward first."""

import json
import shutil

import pytest
import torch
from typer.testing import CliRunner

from simfactory.errors import RunError, SpecError
from simfactory.runs import read_run
from tests.training.conftest import TINY_RUN
from training.cli import app
from training.config_files import read_config
from training.model import TrainedModel
from training.rl.alarms import Alarms
from training.running import run_training
from training.testing.tiny_pipelines import write_tiny_pipeline

SMALL = {
    "rl.group": 3,
    "rl.step_count": 3,
    "rl.updates": 1,
    "rl.gate_clips": 0,
    "optimizer.rate": 3e-3,
    "log.metrics_every": 1,
}


def figures(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [line["values"] for line in lines if "values" in line]


def learning(data, start, **changes):
    dotted = {name.replace("__", "."): value for name, value in changes.items()}
    told = {"data.sources": [{"path": str(data)}], "model.start": str(start), **TINY_RUN, **SMALL, **dotted}
    return read_config("rl", preset="tiny", changes=[told])


def weights(folder):
    return TrainedModel.load(folder / "model").backbone.state_dict()


@pytest.fixture(scope="module")
def model(falling, tmp_path_factory):
    """A model with heads, both after a few steps."""
    folder, start = tmp_path_factory.mktemp("runs"), "micro"
    for stage, steps in (("base", 20), ("pretrain", 20)):
        told = {"data.sources": [{"path": str(falling)}], "model.start": str(start), **TINY_RUN}
        config = read_config(stage, preset="tiny", changes=[told, {"optimizer.steps": steps, "optimizer.batch": 4}])
        start = run_training(config, folder=folder / stage, tell=lambda line: None)
    return start


@pytest.fixture(scope="module")
def run(falling, model, tmp_path_factory):
    """A run of three iterations, and the lines it told."""
    folder, lines = tmp_path_factory.mktemp("runs") / "rl", []
    config = learning(falling, model, optimizer__steps=3, log__checkpoint_every=2, log__checkpoints_kept=2)
    run_training(config, folder=folder, tell=lines.append)
    return folder, lines


def test_a_run_says_what_it_did(run, model):
    folder, lines = run
    record, values = read_run(folder), figures(folder)
    assert (record.kind, record.state, record.step) == ("rl", "completed", 3)
    assert any(line.startswith("warning: rl.gate_clips=0") for line in lines)
    told = values[-1]
    assert {f"reward/{name}" for name in record.config["rl"]["rewards"]} < told.keys()
    assert {"spread", "clip_fraction", "divergence", "empty_sets", "moved_area", "alarm/spread"} < told.keys()
    assert {"seconds/sampling", "seconds/reward", "seconds/update", "samples_per_second"} < told.keys()
    assert values[0]["ratio_deviation"] < 1e-4  # the policy that sampled is the one that learns
    assert values[-1]["divergence"] > 0.0
    before, after = TrainedModel.load(model), TrainedModel.load(folder / "model")
    changed = [
        name for name, value in before.backbone.state_dict().items() if not torch.equal(value, weights(folder)[name])
    ]
    assert changed
    assert all(
        torch.equal(value, after.heads.state_dict()[name]) for name, value in before.heads.state_dict().items()
    ), "heads stay as they are"


def test_a_run_that_went_on_is_the_same_bit_for_bit(run, falling, model, tmp_path):
    shutil.copytree(run[0], tmp_path / "rl")
    shutil.rmtree(tmp_path / "rl" / "checkpoints" / "step-00000003")
    config = learning(falling, model, optimizer__steps=3, log__checkpoint_every=2, log__checkpoints_kept=2)
    run_training(config, folder=tmp_path / "rl", resume=True, tell=lambda line: None)
    assert read_run(tmp_path / "rl").resumed == 1
    one, other = weights(run[0]), weights(tmp_path / "rl")
    assert not [name for name in one if not torch.equal(one[name], other[name])]


def test_shuffled_advantages_and_the_anchor_change_what_is_learned(run, falling, model, tmp_path):
    found = [weights(run[0])]
    for name, changes in {"shuffled": {"rl__shuffle_advantages": True}, "anchored": {"rl__anchor": 0.5}}.items():
        run_training(
            learning(falling, model, optimizer__steps=3, **changes), folder=tmp_path / name, tell=lambda line: None
        )
        found.append(weights(tmp_path / name))
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert [name for name in found[0] if not torch.equal(found[one][name], found[other][name])]
    assert figures(tmp_path / "anchored")[-1]["anchor"] > 0.0


def test_a_pipeline_learns_by_its_adapter(falling_large, tmp_path):
    pipeline = write_tiny_pipeline("wan_ti2v", tmp_path / "wan")
    words = ["--data", falling_large, "--split", "", "--preset", "tiny"]
    heads = {**TINY_RUN, "optimizer.steps": 1, "model.lora_rank": 2}
    answers = []
    for command, start, more in (
        ("pretrain", pipeline, heads),
        ("rl", tmp_path / "pretrain" / "model", {**heads, **SMALL, "optimizer.steps": 2, "optimizer.batch": 1}),
    ):
        chosen = [word for name, value in more.items() for word in ("--set", f"{name}={value}")]
        arguments = [command, *map(str, words), "--from", str(start), "--out", str(tmp_path / command), *chosen]
        answers.append(CliRunner().invoke(app, arguments))
        assert answers[-1].exit_code == 0, answers[-1].output
    values = figures(tmp_path / "rl")
    assert values[0]["divergence"] == 0.0
    assert values[1]["divergence"] > 0.0
    assert TrainedModel.load(tmp_path / "rl" / "model").backbone.adapter.rank == 2


def test_a_reward_that_cannot_tell_is_refused_before_the_first_iteration(falling, model, tmp_path):
    config = learning(falling, model, rl__gate_clips=16, rl__gate_split="")
    with pytest.raises(RunError, match=r"does not put truth > generated > wrong clip on 8 clips"):
        run_training(config, folder=tmp_path / "run", tell=lambda line: None)
    assert not (tmp_path / "run" / "run.json").exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"rl__gate_clips": 8}, "tried on clips of split 'val' first"),
        ({"rl__rewards": {"beauty": 1.0}}, "there are no rewards beauty"),
        ({"model__start": "micro"}, "which knows nothing yet"),
    ],
)
def test_what_does_not_fit_is_refused(falling, model, tmp_path, changes, told):
    with pytest.raises(SpecError, match=told):
        run_training(learning(falling, model, **changes), folder=tmp_path / "run", tell=lambda line: None)
    assert not (tmp_path / "run" / "run.json").exists()


def test_a_model_without_heads_is_refused(falling, model, tmp_path):
    base = model.parents[1] / "base" / "model"
    with pytest.raises(SpecError, match="has no heads"):
        run_training(learning(falling, base), folder=tmp_path / "run", tell=lambda line: None)


def test_what_is_not_a_number_names_the_prompts(falling, model, tmp_path):
    config = learning(falling, model, optimizer__rate=1e30, optimizer__warm_up=0, optimizer__steps=3)
    with pytest.raises(RunError, match=r"iteration [123]: .* not finite; prompts are clips [0-9a-f]+, "):
        run_training(config, folder=tmp_path / "run", tell=lambda line: None)
    assert read_run(tmp_path / "run").state == "failed"


def test_alarms_compare_with_the_first_iterations():
    alarms, usual = Alarms(), {"spread": 1.0, "divergence": 0.01, "moved_area": 1.0}
    assert not [raised for _ in range(3) if (raised := alarms.look(usual))]
    assert alarms.look({**usual, "spread": 0.01}).keys() == {"spread"}
    assert alarms.look({**usual, "moved_area": 0.1}).keys() == {"moved_area"}
    raised = alarms.look({**usual, "divergence": 1.0})
    assert len(alarms.news(raised)) == 1
    assert alarms.news(raised) == []
