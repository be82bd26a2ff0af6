"""Measures what one control plane carries: lists over a million clips, a long queue, many workers at once.

    python benchmarks/service_scale.py                             (all parts: half an hour)
    python benchmarks/service_scale.py --parts shards
    python benchmarks/service_scale.py --quick --json out/q.json   (a small sample of the same, half a minute)

`rows` fills the catalogue through the ledger and asks for clips by every filter and pair of filters, at the start, in
the middle and near the end of their lists, over HTTP. `shards` pushes and pops a long queue, and measures a round of
the janitor, of the dispatcher and of the results' reader alone. `workers` lets workers that only pretend to record work
against a whole control plane: queue, heartbeats and reports are real, the clips are made up. Where other processes run
beside it, times on the wall say little: CPU time of the API (and of PostgreSQL's processes) is given too, and what a
machine with a core to spare would show on the wall is about that. Figures are stored in
`benchmarks/results/service_scale.json`.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from generate import machine
from service.rows import measure_rows
from service.servers import databases
from service.shards import measure_shards
from service.workers import measure_workers

RESULTS = Path(__file__).parent / "results" / "service_scale.json"
PARTS = ("rows", "shards", "workers")


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--databases", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3, help="requests of each case")
    parser.add_argument("--shards", type=int, default=100_000)
    parser.add_argument("--open-shards", type=int, nargs="+", default=[1_000, 10_000], help="of the janitor's rounds")
    parser.add_argument("--results", type=int, default=5_000, help="episodes that the reader enters")
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--rates", type=float, nargs="+", default=[1.0, 10.0, 50.0], help="clips/s of a worker")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each rate")
    parser.add_argument("--shared", action="store_true", help="say in the results that other processes ran beside it")
    parser.add_argument("--quick", action="store_true", help="a small sample with SQLite alone")
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE")
    options = parser.parse_args()
    if options.quick:
        options.databases, options.rows, options.jobs, options.repeats = ["sqlite"], 20_000, 300, 1
        options.shards, options.open_shards, options.results = 1_000, [200], 200
        options.workers, options.rates, options.seconds = 4, [10.0], 3.0
    report: dict[str, object] = json.loads(options.json.read_text()) if options.json.exists() else {}
    report["machine"] = machine()
    measures: dict[str, Callable[[Path, str, str, argparse.Namespace], dict[str, object]]] = {
        "rows": measure_rows, "shards": measure_shards, "workers": measure_workers,
    }  # fmt: skip
    for part in options.parts:
        for name in options.databases:
            with tempfile.TemporaryDirectory(prefix="sf-") as folder, databases([name], Path(folder)) as found:
                if name not in found:
                    print(f"{name} is not installed: left out")
                    continue
                figures = measures[part](Path(folder), name, found[name], options)
            figures["shared_machine"] = options.shared
            report[part] = {**report.get(part, {}), name: figures}  # type: ignore[dict-item]  # JSON
            print(json.dumps({part: {name: figures}}), flush=True)
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
