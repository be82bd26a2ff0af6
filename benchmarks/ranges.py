"""Measures requested against delivered distributions of 10,000 clips a category, and stores the figures.

    python benchmarks/ranges.py --clips 10000

It runs `simfactory spec stats` for each category and fails if a tier's share is improbable (p < 0.001), if two specs
are the same physically, if there are fewer than 1,000 environments (map, turn and suns), or if a parameter covers less
than 95 % of its range in all categories together: some scenes need but a part of a range, of wind for instance.
Figures are stored in `benchmarks/results/ranges.json`, one line a category.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scenes.listing import categories
from scenes.statistics import COVERAGE
from simfactory.parameters import PARAMETERS

RESULTS = Path(__file__).parent / "results" / "ranges.json"
ENVIRONMENTS = 1000
IMPROBABLE = 0.001


def measure(category: str, *, clips: int, seed: int, workers: int) -> dict[str, object]:
    """Return the statistics of a category as JSON.

    Args:
        category: Physics category.
        clips: Number of clips.
        seed: Seed of the sampling.
        workers: Processes.
    """
    command = [sys.executable, "-c", "from simfactory.cli import main; main()", "spec", "stats", "--json"]
    command += ["--category", category, "--clips", str(clips), "--seed", str(seed), "--workers", str(workers)]
    report: dict[str, object] = json.loads(
        subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    )
    return report


def shortcomings(report: dict[str, object]) -> list[str]:
    """Return what a report lacks."""
    found = []
    if float(str(report["tier_p_value"])) < IMPROBABLE:
        found.append(f"tiers {report['tiers']} have p = {report['tier_p_value']}")
    if report["distinct_configurations"] != report["episodes"]:
        found.append(f"{report['distinct_configurations']} configurations in {report['episodes']} episodes")
    if int(str(report["distinct_environments"])) < ENVIRONMENTS:
        found.append(f"{report['distinct_environments']} environments, wanted are {ENVIRONMENTS}")
    return [f"{report['category']}: {line}" for line in found]


def uncovered(reports: Sequence[dict[str, Any]]) -> list[str]:  # Any: JSON
    """Return the parameters of which categories that draw from the whole range do not cover it together."""
    found = []
    for name, parameter in PARAMETERS.items():
        rows = [report["parameters"][name] for report in reports]
        bins = np.sum([row["histogram"] for row in rows if tuple(row["requested"]) == parameter.usual], axis=0)
        share = float(np.mean((bins[[0, -1]] if parameter.discrete else bins) > 0))
        print(f"{name:<24}{sum(row['count'] for row in rows):>8} values cover {share:.0%}")
        found += [f"{name} covers {share:.0%}"] if share < COVERAGE else []
    return found


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    options = vars(parser.parse_args())
    reports = [measure(category, **options) for category in categories()]
    RESULTS.write_text("[\n" + ",\n".join(map(json.dumps, reports)) + "\n]\n")
    for report in reports:
        shown = ("category", "episodes", "clips", "distinct_configurations", "distinct_environments", "tiers")
        print({key: report[key] for key in (*shown, "tier_p_value", "cpu_seconds")})
    found = [line for report in reports for line in shortcomings(report)] + uncovered(reports)
    if found:
        raise SystemExit("\n".join(found))


if __name__ == "__main__":
    main()
