"""The whole experiment: trained, judged, compared; finished work stays, and what was killed goes on."""

import json
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from simfactory.errors import StoreError
from training.experiment import (
    Setting,
    StepCounts,
    arm_chains,
    clip_groups,
    find_plan,
    read_cost,
    run_experiment,
    write_outcome,
)

CHANGES = {"data.frames": 4, "data.stride": 1, "optimizer.batch": 2, "device": "cpu", "log.checkpoint_every": 1}
PLAN = find_plan("arms").chosen(("B",))


@pytest.fixture(scope="module")
def setting(sim, poor):
    return Setting(
        data={"sim": sim, "poor": poor},
        test=sim,
        changes=CHANGES,
        steps=StepCounts(base=2, heads=1, tune=1),
        seeds=(0,),
        sampling_steps=2,
    )


@pytest.fixture(scope="module")
def experiment(setting, tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiment")
    chains = arm_chains(PLAN, setting, folder)
    told = []
    run_experiment(chains, setting, folder, workers=1, tell=told.append)
    return folder, chains, told


def test_every_run_is_trained_once_and_every_arm_judged(experiment):
    _, chains, told = experiment
    assert sum(": trained (" in line for line in told) == 7  # one network, two changes, heads of both, heads, stage II
    assert [line.split(":")[0] for line in told[7:]] == ["Base-seed0", "A-seed0", "B-seed0"]
    costs = [read_cost(run) for run in chains[-1].runs]
    assert [cost.steps for cost in costs] == [2, 1, 1]
    assert [cost.windows for cost in costs] == [4, 2, 2]
    assert [cost.trains_network for cost in costs] == [True, False, True]
    assert all(cost.cpu_seconds > 0.0 for cost in costs)
    assert costs[0].head_parameters == 0 < costs[1].head_parameters


def test_finished_work_is_not_done_again(experiment, setting):
    folder, chains, _ = experiment
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    told = []
    run_experiment(chains, setting, folder, workers=2, tell=told.append)
    assert told == []
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_the_outcome_has_arms_costs_floors_and_pictures(experiment, setting):
    folder, chains, _ = experiment
    files = write_outcome(PLAN, setting, chains, folder, picture_count=1)
    found = json.loads((folder / "experiment.json").read_text())
    arms = {arm["name"]: arm for arm in found["arms"]}
    assert list(arms) == ["Base", "A", "B"]
    assert {arm["steps"] for arm in arms.values()} == {4}
    assert {arm["windows"] for arm in arms.values()} == {8}
    assert [(arm["network_steps"], arm["head_steps"]) for arm in arms.values()] == [(3, 1), (3, 1), (3, 2)]
    rows = {row["name"]: row for row in found["rows"]}
    assert list(rows["object flow EPE, true video"]["values"]) == ["Base", "A", "B", "still", "background"][:4]
    assert rows["object flow EPE, true video"]["floor"] == 0.0
    assert rows["object depth AbsRel, true video"]["values"]["background"]["mean"] > 0.0
    assert found["comparisons"] == []  # of three clips nothing is told
    markdown = files.markdown.read_text()
    assert "What each arm took" in markdown
    (picture,) = re.findall(r"!\[.*\]\(<(.*)>\)", markdown)
    assert (folder / picture).read_bytes().startswith(b"\x89PNG")


def test_test_clips_are_grouped_by_what_is_new(setting):
    groups = clip_groups(setting)
    assert {name: len(ids) for name, ids in groups.items()} == {"all": 3, "known": 1, "new scene": 1, "new range": 1}
    assert not set(groups["new scene"]) & set(groups["new range"])


def test_missing_test_clips_are_found_before_training(setting, poor, tmp_path):
    wrong = replace(setting, test=poor)
    with pytest.raises(StoreError, match="no clip is split test"):
        run_experiment(arm_chains(PLAN, wrong, tmp_path), wrong, tmp_path, workers=1, tell=print)
    assert not list(tmp_path.iterdir())


def children_of(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_what_was_killed_goes_on_from_its_checkpoint(setting, sim, poor, tmp_path):
    options = [f"--set={name}={value}" for name, value in CHANGES.items()]
    command = [sys.executable, "-m", "training", "ablate", "--sim", sim, "--poor", poor, "--out", str(tmp_path)]
    command += [
        "--arm",
        "Base",
        "--seeds",
        "2",
        "--workers",
        "2",
        "--sampling-steps",
        "2",
        "--steps",
        "base=400,heads=1,tune=1",
        *options,
    ]
    killed = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 200.0
    while not (made := list(tmp_path.glob("runs/base-base-seed0*/checkpoints/step-*"))) and time.monotonic() < deadline:
        assert killed.poll() is None
        time.sleep(0.05)
    workers = children_of(killed.pid)
    killed.kill()
    killed.wait()
    # Nobody waits for the workers any more: they stop of themselves, with a checkpoint.
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    (run,) = tmp_path.glob("runs/base-base-seed0*")
    assert made
    assert not (run / "model").exists()

    longer = replace(setting, steps=StepCounts(base=400, heads=1, tune=1))
    plan = PLAN.chosen(("Base",))
    chains = arm_chains(plan, longer, tmp_path)
    assert chains[0].runs[0].folder == run
    run_experiment(chains, longer, tmp_path, workers=1, tell=lambda line: None)
    resumed = [line for line in map(json.loads, (run / "metrics.jsonl").read_text().splitlines()) if "resumed" in line]
    assert len(resumed) == 1
    assert resumed[0]["step"] >= 1
    assert read_cost(chains[0].runs[0]).steps == 400
