"""Runs of preferences: they learn, go on bit for bit, tell alarms, and name the clips of what is not a number."""

import json

import pytest
import torch
from typer.testing import CliRunner

from simfactory.errors import RunError, SpecError
from simfactory.runs import read_run
from tests.training.conftest import TINY_RUN
from training.cli import app
from training.config import DPOConfig
from training.config_files import read_config
from training.dpo import alarms
from training.model import TrainedModel
from training.running import run_training
from training.testing.tiny_pipelines import write_tiny_pipeline


def figures(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [line["values"] for line in lines if "values" in line]


def preferring(pairs, start, **changes):
    dotted = {name.replace("__", "."): value for name, value in changes.items()}
    chosen = {"optimizer.rate": 3e-4, "losses.flow_matching": 0.0}
    told = {"data.sources": [{"path": str(pairs)}], "model.start": str(start), **TINY_RUN, **chosen, **dotted}
    return read_config("dpo", preset="tiny", changes=[told])


@pytest.fixture(scope="module")
def base(falling, tmp_path_factory):
    """A new model after 30 steps of flow matching."""
    told = {"data.sources": [{"path": str(falling)}], **TINY_RUN, "optimizer.steps": 30, "optimizer.batch": 4}
    folder = tmp_path_factory.mktemp("runs") / "base"
    return run_training(read_config("base", preset="tiny", changes=[told]), folder=folder, tell=lambda line: None)


@pytest.fixture(scope="module")
def run(pairs, base, tmp_path_factory):
    """A run of 12 steps with a checkpoint after 6, and the lines it told."""
    folder, lines = tmp_path_factory.mktemp("runs") / "dpo", []
    config = preferring(
        pairs, base, optimizer__steps=12, log__checkpoint_every=6, log__metrics_every=1, optimizer__warm_up=2
    )
    run_training(config, folder=folder, tell=lines.append)
    return folder, lines


def test_a_run_learns_to_prefer_intact_clips(run):
    folder, _ = run
    record, values = read_run(folder), figures(folder)
    assert (record.kind, record.state, record.step, record.datasets[0].clips) == ("dpo", "completed", 12, 12)
    assert values[0]["loss/dpo"] == pytest.approx(0.6931, abs=1e-4)  # the reference itself
    assert values[0]["dpo/accuracy"] == 0.5
    assert values[-1]["loss/dpo"] < 0.68
    assert values[-1]["dpo/margin"] > 0
    assert {"alarm/winner_error", "alarm/undecided"} < values[-1].keys()


def test_a_run_that_went_on_is_the_same_bit_for_bit(run, pairs, base, tmp_path):
    whole = preferring(pairs, base, optimizer__steps=12, log__checkpoint_every=6, optimizer__warm_up=2)
    run_training(whole, folder=tmp_path, tell=lambda line: None)
    step = tmp_path / "checkpoints" / "step-00000012"
    for file in step.iterdir():
        file.unlink()
    step.rmdir()
    run_training(whole, folder=tmp_path, resume=True, tell=lambda line: None)
    assert read_run(tmp_path).resumed == 1
    one, other = (TrainedModel.load(folder / "model").backbone.state_dict() for folder in (run[0], tmp_path))
    assert not [name for name in one if not torch.equal(one[name], other[name])]


def test_a_pipeline_learns_by_its_adapter_and_then_by_a_copy(pairs_large, tmp_path):
    pipeline = write_tiny_pipeline("wan_ti2v", tmp_path / "wan")
    words = ["--data", pairs_large, "--split", "", "--preset", "tiny", "--set", "model.lora_rank=2"]
    for name, value in {**TINY_RUN, "optimizer.steps": 2, "optimizer.rate": 0.01, "log.metrics_every": 1}.items():
        words += ["--set", f"{name}={value}"]
    for start, out in ((pipeline, "one"), (tmp_path / "one" / "model", "two")):
        answer = CliRunner().invoke(app, ["dpo", *map(str, words), "--from", str(start), "--out", str(tmp_path / out)])
        assert answer.exit_code == 0, answer.output
        values = figures(tmp_path / out)
        # An adapter that was trained before is part of the reference.
        assert values[0]["loss/dpo"] == pytest.approx(0.6931, abs=1e-4)
        assert values[1]["loss/dpo"] != pytest.approx(0.6931, abs=1e-6)
    assert TrainedModel.load(tmp_path / "two" / "model").backbone.adapter.rank == 2


def test_what_is_not_a_number_names_both_clips(pairs, base, tmp_path):
    config = preferring(pairs, base, losses__flow_matching=1.0, optimizer__rate=1e30, optimizer__warm_up=0)
    with pytest.raises(RunError, match=r"not finite; clips [0-9a-f]+>[0-9a-f]+, "):
        run_training(config, folder=tmp_path / "run", tell=lambda line: None)
    assert read_run(tmp_path / "run").state == "failed"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"losses__depth": 0.1}, "dpo trains the network alone"),
        ({"data__cache": "cache"}, "leave data.cache"),
        ({"dpo__beta": -1.0}, "give finite numbers of 0 or more"),
    ],
)
def test_what_does_not_fit_is_refused(pairs, changes, told):
    with pytest.raises(SpecError, match=told):
        preferring(pairs, "micro", **changes)


def test_a_new_model_is_refused(pairs, tmp_path):
    with pytest.raises(SpecError, match="which knows nothing yet"):
        run_training(preferring(pairs, "micro"), folder=tmp_path / "run", tell=lambda line: None)


def test_alarms_are_raised_by_figures_alone():
    told = {"dpo/winner_error": 1.05, "dpo/reference_winner_error": 1.0, "dpo/accuracy": 0.52}
    late = alarms(told, step=100, config=DPOConfig(patience=100))
    assert {name: raised for name, (raised, _) in late.items()} == {"alarm/winner_error": 1.0, "alarm/undecided": 1.0}
    fine = alarms({**told, "dpo/winner_error": 1.01}, step=99, config=DPOConfig(patience=100))
    assert not any(raised for raised, _ in fine.values())


def test_alarms_are_told_in_a_line(pairs, base, tmp_path):
    lines = []
    config = preferring(pairs, base, dpo__beta=0.0, dpo__patience=0, optimizer__steps=1)
    run_training(config, folder=tmp_path / "run", tell=lines.append)
    assert figures(tmp_path / "run")[-1]["alarm/undecided"] == 1.0
    assert [line for line in lines if line.startswith("warning: step 1: intact clips are preferred")]
