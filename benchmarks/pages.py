"""How long the dashboard's pages take: by HTTP over 100,000 jobs, 10,000 clips and 200 workers, and to the first paint.

    python benchmarks/pages.py                              (a few minutes; an idle machine)
    python benchmarks/pages.py --quick --json out/q.json    (a smaller crowd)

Each page is asked for in turn by one client with a session, `--repeats` times; deep pages of lists by their cursors.
First paint is what Chromium itself reports (`first-contentful-paint` since the navigation's start), of a fresh browser
session each, nothing cached, on software GL. Figures are stored in `benchmarks/results/pages.json`.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.request import Request, urlopen

from playwright.sync_api import sync_playwright

from api.database import Database
from api.paging import encode_cursor
from api.testing.crowd import crowd_clips, crowd_jobs, pretending_workers
from api.testing.factory import TOKEN, Factory, small_job

RESULTS = Path(__file__).parent / "results" / "pages.json"
CHROMIUM = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
PAINT = """() => new Promise((done) => new PerformanceObserver((list, observer) => {
  const found = list.getEntriesByName("first-contentful-paint")[0];
  if (found) { observer.disconnect(); done(found.startTime); }
}).observe({ type: "paint", buffered: true }))"""


def main() -> None:
    """Measure and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE")
    options = parser.parse_args()
    jobs, clips, workers = (2000, 500, 20) if options.quick else (100_000, 10_000, 200)
    folder = Path(tempfile.mkdtemp(prefix="sf-"))  # short: a socket's path has at most 100 bytes
    try:
        report = {
            "command": " ".join(["python benchmarks/pages.py", *sys.argv[1:]]),
            "load_before": round(os.getloadavg()[0], 2),
            "crowd": {"jobs": jobs, "clips": clips, "workers": workers},
            **_measure(folder, jobs, clips, workers, options.repeats),
        }
    finally:
        shutil.rmtree(folder)
    print(json.dumps(report, indent=1))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1) + "\n")


def _measure(folder: Path, jobs: int, clips: int, workers: int, repeats: int) -> dict[str, object]:
    database = Database(f"sqlite:///{folder / 'simfactory.db'}")
    (job,) = crowd_jobs(database, jobs, names=["The last of many"])
    crowd_clips(database, job, clips)
    secret = database.secret()
    database.close()
    with ExitStack() as stack:
        service = stack.enter_context(Factory(folder, lease=60.0))
        names = [f"worker-{number}" for number in range(workers)]
        stack.enter_context(pretending_workers(service.environment["REDIS_URL"], names))
        service.start_worker()
        service.until(lambda: len(service.call("/v1/workers")) > workers, what="all workers")
        made = service.submit(small_job(2, dataset="real", frames=24, size=[128, 128], modalities=[]))
        service.until_done(made)
        clip = service.clips(made)[0]["id"]
        middle = encode_cursor(secret, "jobs", [1.7e9 + jobs / 2, "j"])
        pages = {
            "/": "/", "/jobs": "/jobs", "/jobs of a state": "/jobs?state=completed",
            "/jobs of a dataset": "/jobs?dataset=crowd3", "/jobs in the middle": f"/jobs?cursor={middle}",
            "/jobs/{id}": f"/jobs/{job}", "/workers": "/workers", "/wall": "/wall", "/clips": "/clips",
            "/clips of a scene": "/clips?scene=free_drop", "/clips/{id}": f"/clips/{clip}", "/datasets": "/datasets",
            "/datasets/{name}": "/datasets/crowd", "/scenes": "/scenes", "/scenes/{name}": "/scenes/free_drop",
            "/jobs/new": "/jobs/new", "/training": "/training", "/v1/jobs": "/v1/jobs?limit=100",
            "/v1/jobs in the middle": f"/v1/jobs?limit=100&cursor={middle}",
            "/v1/workers": "/v1/workers", "/v1/clips": "/v1/clips?limit=100", "/metrics": "/metrics",
        }  # fmt: skip
        address = f"http://127.0.0.1:{service.port}"
        answered = {name: _answered(address, path, repeats) for name, path in pages.items()}
        shown = {name: path for name, path in pages.items() if not name.startswith(("/v1", "/metrics"))}
        return {"http": answered, "first_paint_ms": _paints(address, shown)}


def _answered(address: str, path: str, repeats: int) -> dict[str, float]:
    """Return percentiles of the time to the last byte [ms], and the size [kB]."""
    request = Request(address + path, headers={"authorization": f"Bearer {TOKEN}", "accept": "text/html"})
    times, size = [], 0
    for number in range(repeats + 2):
        begin = time.perf_counter()
        with urlopen(request, timeout=60.0) as answer:
            size = len(answer.read())
        if number >= 2:
            times.append(1e3 * (time.perf_counter() - begin))
    times.sort()
    return {"p50_ms": _at(times, 50), "p95_ms": _at(times, 95), "kB": round(size / 1000, 1)}


def _at(times: Sequence[float], percent: int) -> float:
    return round(times[min(len(times) - 1, percent * len(times) // 100)], 1)


def _paints(address: str, pages: dict[str, str]) -> dict[str, float]:
    """Return the median first paint of three [ms] by page."""
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[*CHROMIUM, "--no-sandbox"])
        for name, path in pages.items():
            times = []
            for _ in range(3):
                context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 800})
                context.set_default_timeout(60_000)
                context.request.post("/v1/session", data={"token": TOKEN}, headers={"origin": address})
                page = context.new_page()
                page.goto(path)
                times.append(page.evaluate(PAINT))
                context.close()
            found[name] = round(sorted(times)[1])
        browser.close()
    return found


if __name__ == "__main__":
    main()
