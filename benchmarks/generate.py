"""Measures what a committed frame costs: CPU-seconds by stage, bytes by modality, memory.

Run it with `python benchmarks/generate.py`; it prints its figures and stores them in
`benchmarks/results/generate.json`. Every repeat is a new process that fills a new dataset from the same five-body
rigid episodes with all modalities, so imports and kernel loading count (compiling does not: the cache is warm).
CPU time is what the kernel accounted to the whole process, all threads, user and system.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import scenes
from simfactory.dataset import open_dataset
from simfactory.spec import SceneSpec

RESULTS = Path(__file__).parent / "results" / "generate.json"
BODIES, FRAMES, SIDE = 5, 48, 256


def five_body_specs(*, episodes: int, views: int | None) -> list[SceneSpec]:
    """Return the first sampled rigid episodes that have five bodies."""
    found: list[SceneSpec] = []
    index = 0
    while len(found) < episodes:
        spec = scenes.sample(
            "rigid",
            tier="multi_object",
            seed=1,
            index=index,
            frame_count=FRAMES,
            fps=24.0,
            size=(SIDE, SIDE),
            views=views,
        )
        if len(spec.bodies) == BODIES:
            found.append(spec)
        index += 1
    return found


def run(spec_file: Path, dataset: Path, *, preset: str) -> dict[str, object]:
    """Fill a dataset in a new process; return its report with CPU seconds and peak memory of the process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", "from simfactory.cli import main; main()", "generate"]
    command += ["--spec", str(spec_file), "--out", str(dataset), "--preset", preset, "--workers", "1", "--json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # 1 = the gate refused an episode
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not done.stdout:
        raise RuntimeError(done.stderr)
    report: dict[str, object] = json.loads(done.stdout)
    report["cpu_total"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    report["peak_mb"] = after.ru_maxrss / 1024  # of the largest child so far
    return report


def measure(*, preset: str, episodes: int, views: int | None, repeats: int) -> dict[str, object]:
    """Return the figures of one setting: medians over repeats, per committed frame."""
    specs = five_body_specs(episodes=episodes, views=views)
    with tempfile.TemporaryDirectory() as folder:
        spec_file = Path(folder, "specs.json")
        spec_file.write_text(json.dumps([spec.model_dump(mode="json") for spec in specs]))
        short = Path(folder, "short.json")  # every scene, since shapes of one kind only compile kernels of their own
        short.write_text(json.dumps([spec.model_dump(mode="json") | {"frame_count": 2} for spec in specs]))
        run(short, Path(folder, "warm"), preset=preset)  # fills the kernel cache
        reports = [run(spec_file, Path(folder, f"run{number}"), preset=preset) for number in range(repeats)]
        clips = list(open_dataset(Path(folder, "run0")))
        frames = sum(clip.frame_count for clip in clips)
        sizes: dict[str, int] = {}
        for clip in clips:
            for name, size in clip.stored_bytes().items():
                sizes[name] = sizes.get(name, 0) + size
    totals = [float(str(report["cpu_total"])) / frames for report in reports]
    stages: dict[str, list[float]] = {}
    for report in reports:
        spent = report["cpu_seconds"]
        assert isinstance(spent, dict)
        for name, seconds in spent.items():
            stages.setdefault(name, []).append(seconds / frames)
    by_stage = {name: round(statistics.median(values), 5) for name, values in stages.items()}
    by_stage["start and previews"] = round(statistics.median(totals) - sum(by_stage.values()), 5)
    return {
        "preset": preset,
        "episodes": episodes,
        "cameras": views or 5,
        "clips": len(clips),
        "refused": reports[0]["refused"],
        "frames": frames,
        "cpu_s_per_frame": {
            "median": round(statistics.median(totals), 4),
            "min": round(min(totals), 4),
            "max": round(max(totals), 4),
        },
        "cpu_s_per_frame_by_stage": by_stage,
        "bytes_per_frame": {name: round(size / frames) for name, size in sorted(sizes.items())}
        | {"total": round(sum(sizes.values()) / frames)},
        "peak_mb": round(max(float(str(report["peak_mb"])) for report in reports)),
    }


def machine() -> dict[str, object]:
    """Return what the figures were measured on."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("warp-lang", "newton", "numpy", "zarr")},
    }


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--presets", nargs="+", default=["draft", "standard", "high"])
    parser.add_argument("--episodes", type=int, default=2)
    options = parser.parse_args()
    runs = []
    for preset in options.presets:
        for episodes, views in ((options.episodes, None), (5 * options.episodes, 1)):
            runs.append(measure(preset=preset, episodes=episodes, views=views, repeats=options.repeats))
            print(json.dumps(runs[-1]), flush=True)
    stored = json.loads(RESULTS.read_text())["runs"] if RESULTS.exists() else []
    runs += [run for run in stored if run["preset"] not in options.presets]  # keep their figures
    report = {"scene": f"{BODIES} rigid bodies, {SIDE}x{SIDE}, {FRAMES} frames", "machine": machine(), "runs": runs}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
