"""Measure how often a robot's tasks are done, how many episodes the quality gate keeps, and what they cost.

Usage: python benchmarks/manipulation.py [--episodes 4] [--seed 0] [--scene robot_places_cup]

Every episode lasts until its plan has ended. A task that failed is valid data: the gate refuses broken physics only.
"""

import argparse
import json
import platform
import time
from pathlib import Path

import scenes
import simfactory
from scenes.manipulation import MANIPULATION
from scenes.manipulation_soft import CLOTH_MANIPULATION, ROPE_MANIPULATION
from simfactory.arms import plan_frames
from simfactory.spec import SceneSpec

RESULTS = Path(__file__).parent / "results" / "manipulation.json"
FPS = 12.0
CATEGORIES = {"articulated": MANIPULATION, "cloth": CLOTH_MANIPULATION, "rope": ROPE_MANIPULATION}
NAMES = {row.name: category for category, rows in CATEGORIES.items() for row in rows}


def whole(name: str, *, seed: int, index: int) -> SceneSpec:
    """Return an episode that lasts until its plan has ended."""
    spec = scenes.sample(NAMES[name], scene=name, seed=seed, index=index, views=1, fps=FPS, size=(96, 96))
    return spec.model_copy(update={"frame_count": plan_frames(spec)})


def main() -> None:
    """Print the table and store it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=4, help="of every scene")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scene", choices=list(NAMES), nargs="*")
    options = parser.parse_args()
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"scenes": {}}
    for name in options.scene or NAMES:
        begin, simulated, done, kept = time.process_time(), 0.0, 0, 0
        reasons: list[str] = []
        for index in range(options.episodes):
            spec = whole(name, seed=options.seed, index=index)
            episode = simfactory.simulate(spec, backend="newton")
            done += bool(episode.clips[0].arrays["robot/success"][-1])
            kept += bool(episode.quality["passed"])
            reasons += episode.quality["reasons"]
            simulated += spec.duration
        cost = (time.process_time() - begin) / simulated
        line = {
            "seed": options.seed,
            "episodes": options.episodes,
            "done": done,
            "kept": kept,
            "reasons": sorted(reasons),
        }
        stored["scenes"][name] = line | {"cpu_seconds_per_second": round(cost, 2)}
        print(
            f"{name:<24} done {done}/{options.episodes}, kept {kept}/{options.episodes} {sorted(reasons)}, {cost:.1f}"
        )
        stored |= {"fps": FPS, "machine": platform.processor() or platform.machine()}
        RESULTS.write_text(json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    main()
