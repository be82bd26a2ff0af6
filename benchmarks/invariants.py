"""Checks the invariants of base scenes: each must hold in all episodes, and without its cause in none.

    python benchmarks/invariants.py
    python benchmarks/invariants.py --category rope --episodes 3
    python benchmarks/invariants.py --category rigid --scene bounce ramp_roll

    python benchmarks/invariants.py --category fluid --frames 33

Episodes are simulated without pictures, for two seconds, the frames asked for or, with a robot, until its plan has
ended. Figures are stored in `benchmarks/results/invariants.json`, by scene.
"""

import argparse
import json
import sys
import time
from collections.abc import Hashable, Sequence
from pathlib import Path

import scenes
from scenes.category import BaseScene
from scenes.invariants import check
from scenes.listing import categories
from simfactory.arms import plan_frames
from simfactory.episode import Trajectory
from simfactory.simulators import create_simulator
from simfactory.spec import SceneSpec
from simfactory.testing.trajectories import trajectories

RESULTS = Path(__file__).parent / "results" / "invariants.json"


def episode(category: str, row: BaseScene, *, seed: int, index: int, frames: int) -> SceneSpec:
    """Return one episode of a base scene, long enough for its invariants."""
    spec = scenes.sample(category, scene=row.name, seed=seed, index=index, views=1, frame_count=frames, size=(64, 64))
    return spec if spec.robot is None else spec.model_copy(update={"frame_count": plan_frames(spec)})


def simulate(specs: Sequence[SceneSpec]) -> list[Trajectory]:
    """Return the trajectories of specs; those of one signature are simulated together."""
    simulator = create_simulator("newton", device="cpu")
    groups: dict[Hashable, list[int]] = {}
    for index, spec in enumerate(specs):
        groups.setdefault(simulator.signature(spec), []).append(index)
    found: dict[int, Trajectory] = {}
    for group in groups.values():
        found.update(zip(group, trajectories([specs[index] for index in group]), strict=True))
    return [found[index] for index in range(len(specs))]


def measure(category: str, row: BaseScene, *, seed: int, episodes: int, frames: int) -> dict[str, object]:
    """Return a scene's figures."""
    begin = time.process_time()
    specs = [episode(category, row, seed=seed, index=index, frames=frames) for index in range(episodes)]
    verdicts = check(specs, row.invariants, simulate)
    rows = [
        {
            "role": one.invariant.role,
            "measure": one.invariant.measure,
            "above": one.invariant.above,
            "below": one.invariant.below,
            "cause": one.invariant.cause,
            "of": one.invariant.of,
            "values": [round(value, 4) for value in one.values],
            "without_cause": [round(value, 4) for value in one.controls],
            "passed": one.passed,
        }
        for one in verdicts
    ]
    cost = round(time.process_time() - begin, 1)
    facts = {"category": category, "seed": seed, "episodes": episodes, "frames": specs[0].frame_count}
    return {**facts, "cpu_seconds": cost, "invariants": rows}


def main() -> None:
    """Check, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--category", choices=list(categories()), nargs="*")
    parser.add_argument("--scene", nargs="*", help="names of base scenes; default: all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--episodes", type=int, default=2)
    parser.add_argument("--frames", type=int, default=49, help="frames of an episode at 24 Hz, without a robot")
    options = parser.parse_args()
    failed = 0
    for name in options.category or list(categories()):
        for row in categories()[name].scenes:
            if options.scene and row.name not in options.scene:
                continue
            entry = measure(name, row, seed=options.seed, episodes=options.episodes, frames=options.frames)
            stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
            RESULTS.write_text(json.dumps(dict(sorted((stored | {row.name: entry}).items())), indent=1) + "\n")
            lines = entry["invariants"]
            assert isinstance(lines, list)
            failed += sum(not line["passed"] for line in lines) + (not lines)
            print(f"{row.name} ({entry['cpu_seconds']} CPU-s)" + ("" if lines else ": no invariant"))
            for line in lines:
                bound = f"> {line['above']}" if line["above"] is not None else f"< {line['below']}"
                cause = line["cause"] if line["of"] is None else f"{line['cause']} of {line['of']}"
                print(
                    f"  {'ok  ' if line['passed'] else 'FAIL'} {line['role']} {line['measure']} {bound}: "
                    f"{line['values']}; without {cause}: {line['without_cause']}",
                    flush=True,
                )
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
