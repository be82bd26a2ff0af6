"""The script that measures arms: it makes its data, runs a plan, and keeps what was found."""

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_a_tiny_sample_of_the_experiment_runs(repository_root, tmp_path):
    results = tmp_path / "results.json"
    script = [sys.executable, "benchmarks/training_arms.py", "--scale", "quick", "--arm", "A", "--seeds", "1"]
    script += ["--workers", "1", "--out", str(tmp_path / "data"), "--results", str(results)]
    done = subprocess.run(script, cwd=repository_root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(results.read_text())["arms, quick"]
    assert [arm["name"] for arm in found["arms"]] == ["Base", "A"]
    assert {arm["steps"] for arm in found["arms"]} == {6}
    assert found["clips"]["all"] >= 1
    assert str(tmp_path) not in json.dumps(found)
