"""The script that measures the 4D Chamfer distance: all there is agrees with brute force, and is written down."""

import json
import subprocess
import sys


def test_a_small_sample_of_the_measurement_runs(repository_root, tmp_path):
    results = tmp_path / "chamfer.json"
    script = [sys.executable, "benchmarks/chamfer.py", "--points", "500", "--sets", "surface", "--json", str(results)]
    done = subprocess.run(script, cwd=repository_root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(results.read_text())
    runs = {run["method"]: run for run in found["runs"]}
    assert {"brute_force", "ours"} <= runs.keys()
    assert runs.keys() | found["not_measured"].keys() >= {"ours_cuda", "scikit-learn", "faiss", "pykdtree"}
    assert not runs.keys() & found["not_measured"].keys()
    assert all(run["error_m"] <= 1e-6 for run in runs.values())
    assert str(tmp_path) not in json.dumps(found)
