"""The script for Slurm, run as its batch shell runs it, with a stand-in for simfactory."""

import os
import re
import signal
import subprocess
import time

import pytest

NEEDED = {"REDIS_URL": "rediss://:secret@queue:6379/0", "SIMFACTORY_DATA": "/shared/datasets"}
STAND_IN = """#!/usr/bin/env bash
printf '%s\\n' "$@" > "$SEEN/arguments"
echo "$WARP_CACHE_PATH" > "$SEEN/kernels"
trap 'echo stopped > "$SEEN/signal"; exit 0' TERM
echo $$ > "$SEEN/process"
for _ in $(seq "${LASTS:-0}"); do sleep 0.05; done
"""


@pytest.fixture(scope="module")
def script(repository_root):
    return repository_root / "deploy" / "slurm" / "workers.sbatch"


@pytest.fixture
def environment(tmp_path):
    """What a job on a node without GPUs sees, our stand-in first on its path."""
    (tmp_path / "simfactory").write_text(STAND_IN, encoding="utf-8")
    (tmp_path / "simfactory").chmod(0o755)
    return {"PATH": f"{tmp_path}:/usr/bin:/bin", "SEEN": str(tmp_path), **NEEDED}


def run(script, environment):
    return subprocess.run(["bash", script], env=environment, capture_output=True, text=True, timeout=30, check=False)


def arguments(folder):
    return (folder / "arguments").read_text().split()


def test_the_script_is_valid_bash(script):
    subprocess.run(["bash", "-n", script], timeout=30, check=True)


def test_directives_come_before_the_first_command(script):
    """Slurm reads no further."""
    lines = script.read_text(encoding="utf-8").splitlines()
    first_command = next(k for k, line in enumerate(lines) if line and not line.startswith("#"))
    directives = [k for k, line in enumerate(lines) if line.startswith("#SBATCH")]
    assert directives
    assert max(directives) < first_command
    for k in directives:
        assert re.fullmatch(r"#SBATCH --[a-z-]+(=\S+)?", lines[k]), lines[k]


def test_a_job_without_a_gpu_works_on_the_cpu(script, environment, tmp_path):
    done = run(script, environment)
    assert done.returncode == 0, done.stderr
    expected = "worker --backend newton --device cpu --environments 16 --max-idle 300"
    assert arguments(tmp_path) == expected.split()
    assert (tmp_path / "kernels").read_text().strip() == f"/tmp/simfactory-kernels-{os.getuid()}"


def test_a_job_with_a_gpu_works_on_it(script, environment, tmp_path):
    assert run(script, environment | {"CUDA_VISIBLE_DEVICES": "3"}).returncode == 0
    expected = "worker --backend newton --device cuda:0 --environments 128 --max-idle 300"
    assert arguments(tmp_path) == expected.split()


@pytest.mark.parametrize("devices", ["", "NoDevFiles"])
def test_gpus_that_slurm_did_not_give_are_not_used(script, environment, tmp_path, devices):
    assert run(script, environment | {"CUDA_VISIBLE_DEVICES": devices}).returncode == 0
    assert "cpu" in arguments(tmp_path)


def test_the_number_of_environments_can_be_chosen(script, environment, tmp_path):
    assert run(script, environment | {"ENVIRONMENTS": "7"}).returncode == 0
    assert arguments(tmp_path)[arguments(tmp_path).index("--environments") + 1] == "7"


@pytest.mark.parametrize("name", NEEDED)
def test_a_variable_that_is_not_set_is_asked_for(script, environment, tmp_path, name):
    del environment[name]
    done = run(script, environment)
    assert done.returncode != 0
    assert f"set {name} to" in done.stderr
    assert not (tmp_path / "arguments").exists()


def test_the_password_is_no_argument(script, environment, tmp_path):
    run(script, environment)
    assert "secret" not in (tmp_path / "arguments").read_text()


def test_the_signal_to_the_script_stops_the_worker(script, environment, tmp_path):
    """`--signal=B:` sends it to the script's process alone."""
    assert "#SBATCH --signal=B:TERM@60" in script.read_text(encoding="utf-8").splitlines()
    process = subprocess.Popen(["bash", script], env=environment | {"LASTS": "400"})
    try:
        deadline = time.monotonic() + 20
        while not (tmp_path / "process").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
    assert (tmp_path / "signal").read_text() == "stopped\n"
    assert int((tmp_path / "process").read_text()) == process.pid
