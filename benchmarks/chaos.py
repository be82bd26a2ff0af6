"""Breaks a service of real processes in every way it must survive, and counts what is there at the end.

    python benchmarks/chaos.py                       (all trials; workers are killed fifty times: a quarter of an hour)
    python benchmarks/chaos.py --trials queue_away poisoned

Each trial runs a queue server, an API and workers as processes of their own, with clips of closed-form motion (Newton's
in `killed_newton`). What must hold in each: every clip that was asked for is counted, catalogued and committed, none
twice, none damaged; and what the trial's own line says. Figures are stored in `benchmarks/results/chaos.json`. CI runs
smaller ones of the same code.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from generate import machine

from api.testing.chaos import TRIALS, Account, failures_of

RESULTS = Path(__file__).parent / "results" / "chaos.json"
SEEDS = 5  # of killed_workers, ten kills each


def run(name: str, options: dict[str, int]) -> Account:
    """Return the account of a trial, with what did not hold."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sf") as folder:
        account = TRIALS[name](Path(folder), **options)
    found = {**options, **account, "seconds": round(time.monotonic() - begin, 1), "wrong": failures_of(account)}
    print(f"{name}: {'holds' if not found['wrong'] else found['wrong']} {json.dumps(found)}", flush=True)
    return found


def main() -> None:
    """Run, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", nargs="+", choices=[*TRIALS], default=[*TRIALS])
    options = parser.parse_args()
    report = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"trials": {}}
    for name in options.trials:
        variants = [{"seed": seed, "clips": 400} for seed in range(SEEDS)] if name == "killed_workers" else [{}]
        report["trials"][name] = [run(name, variant) for variant in variants]
    RESULTS.write_text(json.dumps({**report, "machine": machine()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
