"""The service against its description: all phases of schemathesis, for three seeds."""

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_service_keeps_to_its_description(repository_root, tmp_path):
    found = tmp_path / "found.json"
    command = [
        sys.executable,
        "benchmarks/service_fuzz.py",
        "--examples",
        "3",
        "--seeds",
        "1",
        "2",
        "3",
        "--out",
        found,
    ]
    run = subprocess.run(command, cwd=repository_root, capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-4000:]
    told = json.loads(found.read_text())
    assert [(each["seed"], each["failures"]) for each in told["runs"]] == [(1, 0), (2, 0), (3, 0)]
    assert all(each["requests"] > 500 for each in told["runs"])
    assert told["answered"] > 2000
    assert told["server_errors"] == told["tracebacks"] == 0
