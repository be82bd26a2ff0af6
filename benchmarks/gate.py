"""Measures how many sampled episodes pass the quality gate at their first attempt, and why the others do not.

    python benchmarks/gate.py --category soft_body --seed 11 --episodes 40
    python benchmarks/gate.py --category rigid --seed 11 --episodes 60
    python benchmarks/gate.py --category soft_body --seed 11 --episodes 20 --frames 240      (ten seconds)

Each episode is sampled, simulated, rendered by one camera at a small size, and checked as usual; a refused one is not
replaced. `stable` counts those without a physical reason against them, whether or not the camera sees what happens.
Intervals are Wilson's, 95 %. Figures are stored in `benchmarks/results/gate.json`, one entry per category, seed and
number of frames at 24 Hz.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import scenes
from simfactory.store import read_rejections

RESULTS = Path(__file__).parent / "results" / "gate.json"
KEY = ("category", "frames", "seed", "backend")  # of an entry
PHYSICAL = {  # reasons
    "not_finite",
    "out_of_bounds",
    "energy_growth",
    "penetration",
    "inverted_elements",
    "lost_grains",
    "overstretched",
    "self_crossing",
}
QUANTILE = 1.959964  # of the normal distribution, two-sided 95 %


def wilson(passed: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (1927).
    """
    share, z = passed / total, QUANTILE
    middle = share + z * z / (2 * total)
    half = z * math.sqrt(share * (1.0 - share) / total + z * z / (4 * total * total))
    scale = 1.0 + z * z / total
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def measure(
    category: str, *, seed: int, episodes: int, frames: int, size: int, backend: str, workers: int
) -> dict[str, object]:
    """Return how many sampled episodes pass, by category and seed, with the reasons of the refused ones.

    Args:
        category: Physics category.
        seed: Seed of the sampling.
        episodes: Number of episodes.
        frames: Frames per episode.
        size: Image width and height [px].
        backend: Simulator.
        workers: Processes.
    """
    specs = [
        scenes.sample(category, seed=seed, index=index, frame_count=frames, fps=24.0, size=(size, size), views=1)
        for index in range(episodes)
    ]
    with tempfile.TemporaryDirectory() as folder:
        spec_file, dataset = Path(folder, "specs.json"), Path(folder, "dataset")
        spec_file.write_text(json.dumps([spec.model_dump(mode="json") for spec in specs]))
        command = [sys.executable, "-c", "from simfactory.cli import main; main()", "generate"]
        command += ["--spec", str(spec_file), "--out", str(dataset), "--backend", backend]
        command += ["--workers", str(workers), "--json"]
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)  # 1 = an episode was refused
        if not done.stdout:
            raise RuntimeError(f"generate ended with {done.returncode}")
        report = json.loads(done.stdout)
        rejections = read_rejections(dataset).values()
    passed = int(report["added"])
    if passed + len(rejections) != episodes:
        raise RuntimeError(f"{passed} episodes passed and {len(rejections)} were refused, of {episodes}")
    stable = episodes - sum(bool(PHYSICAL & set(reasons)) for reasons in rejections)
    return {
        "category": category,
        "seed": seed,
        "backend": backend,
        "episodes": episodes,
        "frames": frames,
        "passed": passed,
        "refused_by_reason": report["refused"],
        "interval_95": [round(bound, 3) for bound in wilson(passed, episodes)],
        "stable": stable,
        "stable_interval_95": [round(bound, 3) for bound in wilson(stable, episodes)],
    }


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--category", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--episodes", type=int, default=40)
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--size", type=int, default=64, help="image width and height [px]")
    parser.add_argument("--backend", default="newton")
    parser.add_argument("--workers", type=int, default=1)
    options = vars(parser.parse_args())
    entry = measure(options.pop("category"), **options)
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    kept = [other for other in stored if any(other[name] != entry[name] for name in KEY)]
    ordered = sorted(
        [*kept, entry], key=lambda one: [str(one["category"]), *(int(str(one[name])) for name in KEY[1:3])]
    )
    RESULTS.write_text(json.dumps(ordered, indent=1) + "\n")
    print(json.dumps(entry, indent=1))


if __name__ == "__main__":
    main()
