"""Measures what people who look cost the service: open dashboards against workers with real heartbeats.

    python benchmarks/dashboards.py                              (fifty against twenty, five minutes)
    python benchmarks/dashboards.py --quick --json out/q.json    (a small sample of the same)

Queue, heartbeats, reports, event streams and pages are real; the clips are made up. Each dashboard does what its page's
scripts do in a browser: it keeps a stream of events open, fetches its page again after what happened, at most once a
second, and of the live pages what they look at every one or two seconds. CPU is that of the API's process, in cores;
its memory is looked at over the whole time. Figures are stored in `benchmarks/results/dashboards.json`.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from generate import machine
from service.dashboards import measure_dashboards

RESULTS = Path(__file__).parent / "results" / "dashboards.json"


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dashboards", type=int, default=50)
    parser.add_argument("--workers", type=int, default=20)
    parser.add_argument("--rate", type=float, default=0.5, help="clips/s of a worker")
    parser.add_argument("--seconds", type=float, default=180.0, help="of looking; half of it before, with nobody")
    parser.add_argument("--settle", type=float, default=15.0, help="before each measurement [s]")
    parser.add_argument("--shared", action="store_true", help="say in the results that other processes ran beside it")
    parser.add_argument("--quick", action="store_true", help="a small sample")
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE")
    options = parser.parse_args()
    if options.quick:
        options.dashboards, options.workers, options.rate = 10, 3, 20.0
        options.seconds, options.settle = 6.0, 3.0
    with tempfile.TemporaryDirectory(prefix="sf-") as folder:
        figures = measure_dashboards(Path(folder), options)
    command = "python benchmarks/dashboards.py " + " ".join(sys.argv[1:])
    report = {"machine": machine(), "command": command.strip(), "shared_machine": options.shared, **figures}
    print(json.dumps(report, indent=1))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
