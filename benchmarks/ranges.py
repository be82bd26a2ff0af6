"""Measures requested against delivered distributions of 10,000 clips a category, and stores the figures.

    python benchmarks/ranges.py --clips 10000

It runs `simfactory spec stats` and fails if a tier's share is improbable (p < 0.001), if two specs are the same
physically, if there are fewer than 1,000 environments (map, turn and suns), or if a parameter that a category has
covers less than 95 % of its range. Figures are stored in `benchmarks/results/ranges.json`.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from scenes.listing import categories

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
    rows = report["parameters"]
    if isinstance(rows, dict):
        found += [f"{name} covers {row['coverage']:.0%}" for name, row in rows.items() if row["covered"] is False]
    return [f"{report['category']}: {line}" for line in found]


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    options = vars(parser.parse_args())
    reports = [measure(category, **options) for category in categories()]
    RESULTS.write_text(json.dumps(reports, indent=1) + "\n")
    for report in reports:
        shown = ("category", "episodes", "clips", "distinct_configurations", "distinct_environments", "tiers")
        print({key: report[key] for key in (*shown, "tier_p_value", "cpu_seconds")})
    found = [line for report in reports for line in shortcomings(report)]
    if found:
        raise SystemExit("\n".join(found))


if __name__ == "__main__":
    main()
