"""What each step of training is worth: arms that differ in one thing, with equal steps, judged on held-out clips.

    python benchmarks/training_arms.py                  # Base, A, B, F, G: three seeds
    python benchmarks/training_arms.py --plan terms     # stage II with all losses, and without each
    python benchmarks/training_arms.py --scale quick --out out/quick --results out/quick.json    # does everything run

It generates two datasets, runs `simfactory-train ablate` on them, and keeps what that finds in
`benchmarks/results/training_arms.json`, one entry a plan and scale. What is finished in --out is not done again:
after an interruption the same command goes on.

`sim` has scenes in which bodies and ropes fall, as `simfactory generate` samples them, in clips of nine frames from
their beginning; of its test clips a part shows scenes, and a part a gravity (3.2 to 4.2 m/s²) that no training clip
has. `poor` has the same scenes with wrong physics: gravity of 0.1 to 0.8 m/s² and, among rigid bodies, collisions that
lose nothing; each clip is shown forwards and backwards.
"""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generate import machine

from simfactory.dataset import open_dataset

RESULTS = Path(__file__).parent / "results" / "training_arms.json"
WEIGHTLESS = ("--split", "100/0/0", "--range", "gravity=0.1:0.8")
SPLIT = ("--split", "80/0/20")  # and scenes that are for tests alone
ELASTIC = ("--range", "restitution=0.95:1")
FIGURES = ("schema", "clips", "arms", "rows", "comparisons", "beside_trivial")
SETTING = ("preset", "changes", "steps", "seeds", "tune_rate", "poor_orders", "sampling_steps")


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """How large an experiment is.

    Attributes:
        scenes: Category → scenes.
        clips: Category → clips of each scene, in `sim` and in `poor`.
        new: Category → a scene of which only tests show something.
        render: Options of `generate`.
        train: Plan → options of `ablate`.
        steps: Plan → steps of the parts of a chain.
    """

    scenes: dict[str, tuple[str, ...]]
    clips: dict[str, tuple[int, int]]
    new: dict[str, str]
    render: tuple[str, ...]
    train: dict[str, tuple[str, ...]]
    steps: dict[str, str]


FULL = Scale(
    scenes={
        "rigid": ("free_drop", "bounce", "box_drop", "drop_onto_block"),
        "rope": ("rope_pile", "rope_drop", "rope_over_beam"),
    },
    clips={"rigid": (120, 60), "rope": (80, 40)},
    new={"rigid": "ledge_load", "rope": "rope_across_rope"},
    render=("--frames", "9", "--fps", "12", "--size", "32x32"),
    train={
        "arms": ("--clips", "48", "--sampling-steps", "5"),
        "terms": ("--clips", "32", "--sampling-steps", "5"),
    },
    steps={"arms": "base=900,heads=300,tune=400", "terms": "base=900,heads=300,tune=60"},
)
QUICK = Scale(
    scenes={"rigid": ("free_drop",)},
    clips={"rigid": (12, 4)},
    new={},
    render=("--frames", "6", "--fps", "12", "--size", "16x16"),
    train=dict.fromkeys(
        ("arms", "terms"), ("--set", "data.frames=5", "--set", "optimizer.batch=2", "--sampling-steps", "2")
    ),
    steps=dict.fromkeys(("arms", "terms"), "base=2,heads=2,tune=2"),
)
SCALES = {"full": FULL, "quick": QUICK}


def call(command: list[str]) -> None:
    """Run a command of this project."""
    print("$", *command, flush=True)
    threads = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    subprocess.run([sys.executable, "-m", *command], check=True, env={**os.environ, **threads})


def generate(scale: Scale, out: Path, *, workers: int) -> None:
    """Make both datasets; clips that are there already are not made again."""
    shared = [*scale.render, "--views", "1", "--cameras", "ring", "--seed", "11", "--workers", str(workers)]
    for category, scenes in scale.scenes.items():
        wrong = [*WEIGHTLESS, *(ELASTIC if category == "rigid" else ())]
        wanted = [
            (name, scene, count, more)
            for name, count, more in zip(("sim", "poor"), scale.clips[category], (SPLIT, wrong), strict=True)
            for scene in scenes
        ]
        if category in scale.new:
            wanted.append(("sim", scale.new[category], scale.clips[category][0] // 5, SPLIT))
        for name, scene, count, more in wanted:
            options = ["--category", category, "--scene", scene, "--clips", str(count), "--out", str(out / name), *more]
            call(["simfactory", "generate", *options, *shared])


# Any: JSON.
def keep(out: Path, name: str, plan: str, results: Path) -> dict[str, Any]:
    """Keep what an experiment has found beside that of others; return its figures."""
    found = json.loads((out / plan / "experiment.json").read_text(encoding="utf-8"))
    kept = json.loads(results.read_text(encoding="utf-8")) if results.exists() else {}
    figures = {each: found[each] for each in FIGURES}
    kept[name] = {
        "machine": machine(),
        "trained_on": {each: len(open_dataset(out / each, split="train")) for each in ("sim", "poor")},
        "setting": {each: found["setting"][each] for each in SETTING},
        **figures,
    }
    results.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return figures


def main() -> None:
    """Generate, train, judge, and keep what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plan", choices=("arms", "terms"), default="arms")
    parser.add_argument("--arm", nargs="*", default=[], help="only these, and what they are compared with")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=Path("out/training_arms"), help="datasets, runs and reports")
    parser.add_argument("--steps", help="base=N,heads=N,tune=N, instead of the plan's")
    parser.add_argument("--scale", choices=tuple(SCALES), default="full", help="how many clips and steps")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    scale = SCALES[options.scale]
    generate(scale, options.out, workers=options.workers)
    command = ["training", "ablate", "--plan", options.plan, "--seeds", str(options.seeds)]
    command += ["--sim", str(options.out / "sim"), "--poor", str(options.out / "poor")]
    command += ["--steps", options.steps or scale.steps[options.plan], "--workers", str(options.workers)]
    command += ["--out", str(options.out / options.plan), *scale.train[options.plan]]
    for name in options.arm:
        command += ["--arm", name]
    call(command)
    figures = keep(options.out, f"{options.plan}, {options.scale}", options.plan, options.results)
    for row in figures["comparisons"]:
        print(row["sentence"])


if __name__ == "__main__":
    main()
