"""Ask the service what its description allows and what it does not, by schemathesis, for several seeds.

A real API process with its own queue server and database answers; no worker runs, so jobs stay where they are. Results
are written as JSON: requests and failures by seed, answers of 500 and more, and tracebacks in the service's log.
"""

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from api.redis_server import start_server
from simfactory.store import create_dataset
from simfactory.testing.store import example_id, write_example

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "benchmarks" / "schemathesis.toml"


@contextmanager
def service(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Run the API of a new state folder with one dataset; yield its address, a token and its log."""
    state, data, log = folder / "state", folder / "data", folder / "api.log"
    state.mkdir(mode=0o700)
    create_dataset(data / "fuzzed")
    write_example(data / "fuzzed", 1)
    queue = start_server(state / "redis")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "SIMFACTORY_DATA": str(data), "PYTHONPATH": str(ROOT)}
    for name in ("REDIS_URL", "DATABASE_URL", "SIMFACTORY_TOKEN"):
        environment.pop(name, None)
    subprocess.run(
        [sys.executable, "-m", "simfactory", "reconcile", "--state", str(state)], check=True, env=environment, cwd=ROOT
    )
    command = [sys.executable, "-m", "api.serve", str(state), "127.0.0.1", str(port)]
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink, env=environment, cwd=ROOT)
    try:
        _wait(f"http://127.0.0.1:{port}/healthz", process)
        yield f"http://127.0.0.1:{port}", (state / "token").read_text().strip(), log
    finally:
        for each in (process, queue):
            each.terminate()
            each.wait(20.0)


def fuzz(url: str, token: str, *, seed: int, examples: int, phases: str, folder: Path) -> dict[str, Any]:  # Any: JSON
    """Run all phases for a seed; return what came of it."""
    program = shutil.which("schemathesis", path=str(Path(sys.executable).parent)) or "schemathesis"
    command = [
        program, "--config-file", str(CONFIG), "run", f"{url}/v1/openapi.json",
        "--header", f"Authorization: Bearer {token}", "--phases", phases, "--seed", str(seed),
        "--max-examples", str(examples), "--continue-on-failure", "--no-color",
        "--report", "junit", "--report-dir", str(folder / f"seed-{seed}"),
    ]  # fmt: skip
    begin = time.monotonic()
    run = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    said = run.stdout + run.stderr
    generated = re.search(r"([\d,]+) generated", said)
    failed = re.search(r"([\d,]+) unique failures?", said) or re.search(r"([\d,]+) found", said)
    return {
        "seed": seed,
        "exit": run.returncode,
        "seconds": round(time.monotonic() - begin, 1),
        "requests": int(generated[1].replace(",", "")) if generated else 0,
        "failures": int(failed[1].replace(",", "")) if failed else int(run.returncode != 0),
        "said": said if run.returncode else "",
    }


def log_counts(log: Path) -> dict[str, Any]:  # Any: JSON
    """Return how many answers, answers of 500 and more, and tracebacks a log holds, and the slowest answers [ms]."""
    lines = log.read_text().splitlines()
    timed = [found for line in lines if (found := re.search(r'"[A-Z]+ (/\S*) \d{3} ([\d.]+) ms', line))]
    slow = [(float(found[2]), found[1]) for found in timed]
    answers = [found[1] for line in lines if (found := re.search(r'"[A-Z]+ /\S* (\d{3}) [\d.]+ ms', line))]
    return {
        "answered": len(answers),
        "server_errors": sum(status >= "500" for status in answers),
        "slowest": sorted(slow, reverse=True)[:5],
        "tracebacks": sum("Traceback" in line for line in lines),
    }


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60.0
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urlopen(url, timeout=2.0).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("the API does not start")


def main() -> int:
    """Fuzz, write the results, and return 0 if nothing failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--examples", type=int, default=100, help="of an operation")
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "service_fuzz.json")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="sf-"))
    try:
        with service(folder) as (url, token, log):
            runs = [
                fuzz(url, token, seed=seed, examples=options.examples, phases=options.phases, folder=folder)
                for seed in options.seeds
            ]
        counts = log_counts(log)
        story = log.read_text() if counts["tracebacks"] else ""
    finally:
        shutil.rmtree(folder)
    for run in runs:
        print({name: value for name, value in run.items() if name != "said"})
        print(run.pop("said"), story)
    print(counts)
    result = {"examples": options.examples, "phases": options.phases, "clip": example_id(1), "runs": runs, **counts}
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    return 1 if any(run["exit"] for run in runs) or counts["server_errors"] or counts["tracebacks"] else 0


if __name__ == "__main__":
    sys.exit(main())
