"""`simfactory-train sft` and `pretrain` from the command line: the chain, a diffusers pipeline, several processes."""

import json
import os
import socket
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from simfactory.errors import SpecError
from training.cli import app
from training.model import TrainedModel
from training.testing.tiny_pipelines import write_tiny_pipeline

SMALL = [
    "data.frames=5",
    "data.stride=1",
    "optimizer.batch=2",
    "optimizer.steps=2",
    "log.picture_every=0",
    "device=cpu",
]


def changes(*more):
    return [word for change in [*SMALL, *more] for word in ("--set", change)]


def run(*words):
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def metrics(folder):
    return [json.loads(line)["values"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_the_whole_chain_by_its_commands(falling, tmp_path):
    data = ["--data", falling, "--split", "", "--preset", "tiny"]
    told = run("sft", "--stage", "base", *data, "--out", tmp_path / "base", *changes())
    assert told.splitlines()[-1] == f"model: {tmp_path / 'base' / 'model'}"
    run("pretrain", *data, "--from", tmp_path / "base" / "model", "--out", tmp_path / "pretrain", *changes())
    model = tmp_path / "pretrain" / "model"
    run("sft", *data, "--from", model, "--out", tmp_path / "sft", *changes("losses.warp_mode=paper"))
    config = json.loads((tmp_path / "sft" / "run.json").read_text())["config"]
    assert config["losses"]["warp_mode"] == "paper"
    assert config["model"]["start"] == str(model)
    final = TrainedModel.load(tmp_path / "sft" / "model")
    assert final.heads is not None
    assert final.clip.frame_count == 5
    told = run("sft", "--resume", "--out", tmp_path / "sft", "--set", "optimizer.steps=3")
    assert json.loads((tmp_path / "sft" / "run.json").read_text())["step"] == 3


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    return write_tiny_pipeline("wan_ti2v", tmp_path_factory.mktemp("pipelines") / "wan")


def test_clips_that_a_pipeline_does_not_take_are_refused(falling, pipeline, tmp_path):
    words = ["--data", falling, "--split", "", "--from", pipeline, "--out", tmp_path / "run"]
    with pytest.raises(SpecError, match=r"16×16 px; this model takes multiples of 32×32 px"):
        run("sft", *words, *changes("model.lora_rank=2"))
    with pytest.raises(SpecError, match=r"1 \+ 4 n frames"):
        run("sft", *words, *changes("model.lora_rank=2"), "--set", "data.frames=6")


def test_a_pipeline_of_diffusers_gets_an_adapter(falling_large, pipeline, tmp_path):
    words = [
        "--data",
        falling_large,
        "--split",
        "",
        "--from",
        pipeline,
        *changes("model.lora_rank=2", "losses.pixel=0.1"),
    ]
    told = run("sft", *words, "--out", tmp_path / "run", "--set", "heads.depth_width=16")
    assert "wan with" in told
    values = metrics(tmp_path / "run")[-1]
    assert values["loss/flow_matching"] > 0
    assert values["loss/pixel"] > 0
    model = TrainedModel.load(tmp_path / "run" / "model")
    assert model.backbone.adapter.rank == 2
    assert model.heads is not None
    assert (tmp_path / "run" / "model" / "pytorch_lora_weights.safetensors").is_file()
    assert not (tmp_path / "run" / "model" / "network.safetensors").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--set", "losses.wrap=0"], r"no losses\.wrap to set; nearest are losses\.warp"),
        (["--set", "losses.warp"], "give NAME=VALUE"),
        (["--preset", "huge"], "choose one of"),
        (["--range", "gravitas=1:2"], "gravitas"),
        (["--resume", "--preset", "tiny"], "leave --data, --from, --preset and --config out"),
    ],
)
def test_options_that_are_wrong_are_explained(tmp_path, words, told):
    data = [] if "--resume" in words else ["--data", "somewhere"]
    with pytest.raises(SpecError, match=told):
        run("sft", "--out", tmp_path / "run", *data, *words)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


def test_two_processes_train_as_one_with_twice_the_batch(falling, tmp_path):
    options = ["--stage", "base", "--data", falling, "--split", "", "--preset", "tiny", *changes("log.metrics_every=1")]
    run("sft", *options, "--set", "optimizer.batch=4", "--out", tmp_path / "one")
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", free_port()]
    command = [*launch, "-m", "training", "sft", *map(str, options), "--out", str(tmp_path / "two")]
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    subprocess.run(command, check=True, timeout=180, env=environment, capture_output=True)
    one, two = metrics(tmp_path / "one"), metrics(tmp_path / "two")
    assert len(one) == len(two) == 2
    for left, right in zip(one, two, strict=True):
        for name in ("loss/flow_matching", "gradient_norm"):
            assert right[name] == pytest.approx(left[name], rel=1e-5), name
    one_model, two_model = (
        TrainedModel.load(tmp_path / name / "model").backbone.state_dict() for name in ("one", "two")
    )
    # Adam divides by the gradient's size: where it is all rounding, a step of the rate's size may go either way.
    largest = max(float((value - two_model[name]).abs().max()) for name, value in one_model.items())
    assert largest < 2.5 * 2 * 1e-3 / 20
