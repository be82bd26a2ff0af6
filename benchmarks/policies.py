"""Measure how often policies that observe get their way in sampled scenes, and whether what they did repeats itself.

Usage: python benchmarks/policies.py [--episodes 5] [--seed 3] [--scene robot_places_cup]

The plans of the scenes are not used: the arm begins where they begin, and a policy of three lines decides. All episodes
of a scene run together, each in a closed loop of its own; then they repeat it in open loops, together and one by one.
"""

import argparse
import json
import math
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import scenes
import simfactory
from simfactory.actions import Action, Observation
from simfactory.actions.go_to import GoTo
from simfactory.actions.grasp import Grasp
from simfactory.actions.pour import Pour
from simfactory.actions.push import Push
from simfactory.arms import robot_base
from simfactory.episode import Trajectory
from simfactory.rollouts import rollouts
from simfactory.spec import SceneSpec
from simfactory.testing.trajectories import trajectories

RESULTS = Path(__file__).parent / "results" / "policies.json"
FPS, FRAMES = 12.0, 130
RAISE = GoTo(offset=(0.0, 0.0, 0.1))


class Persistent:
    """Does one action after the other; one that fails is tried again, three times in all."""

    def __init__(self, *actions: Action) -> None:
        self._left, self._tries = list(actions), 3

    def act(self, seen: Observation) -> Action | None:
        """Return the next action, or the same again."""
        if seen.last is not None and seen.last.status == "succeeded":
            self._left, self._tries = self._left[1:], 3
        self._tries -= 1
        return self._left[0] if self._left and self._tries >= 0 else None


def named(spec: SceneSpec, role: str) -> tuple[str, ...]:
    """Return the names of a role's bodies."""
    return tuple(body.name for body in spec.bodies if body.name.startswith(role))


def lifts(spec: SceneSpec, role: str) -> Persistent:
    """Return a policy that lifts the first body of a role."""
    return Persistent(Grasp(target=named(spec, role)[0]), RAISE)


def pushes(spec: SceneSpec) -> Persistent:
    """Return a policy that pushes a block 12 cm to the arm's right."""
    assert spec.robot is not None
    left = robot_base(spec, spec.robot)[:2, 1]
    return Persistent(Push(target=named(spec, "block")[0], way=(-0.12 * float(left[0]), -0.12 * float(left[1]))))


def pours(spec: SceneSpec) -> Persistent:
    """Return a policy that pours the beads of a cup into a bowl."""
    pour = Pour(into=named(spec, "bowl")[0], contents=named(spec, "bead"))
    return Persistent(Grasp(target=named(spec, "cup")[0], lean=math.pi / 2), RAISE, pour)


POLICIES: dict[str, Callable[[SceneSpec], Persistent]] = {
    "robot_places_cup": lambda spec: lifts(spec, "cup"),
    "robot_stacks_blocks": lambda spec: lifts(spec, "block"),
    "robot_pushes_block": pushes,
    "robot_pours_beads": pours,
}


def apart(first: list[Trajectory], second: list[Trajectory]) -> float:
    """Return the largest difference of positions [m]."""
    return max(float(np.abs(a.position - b.position).max()) for a, b in zip(first, second, strict=True))


def main() -> None:
    """Print the table and store it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=5, help="of every scene")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--scene", choices=list(POLICIES), nargs="*")
    options = parser.parse_args()
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"scenes": {}}
    for name in options.scene or POLICIES:
        specs = [
            scenes.sample(
                "articulated",
                scene=name,
                seed=options.seed,
                index=index,
                views=1,
                frame_count=FRAMES,
                fps=FPS,
                size=(64, 64),
            )
            for index in range(options.episodes)
        ]
        begin = time.process_time()
        outcomes = rollouts(specs, [POLICIES[name](spec) for spec in specs])
        cost = time.process_time() - begin
        together = trajectories([outcome.spec for outcome in outcomes])
        again = [simfactory.simulate(outcome.spec) for outcome in outcomes]
        line = {
            "seed": options.seed,
            "episodes": options.episodes,
            "done": sum(outcome.log[-1].status == "succeeded" for outcome in outcomes),
            "actions": sum(len(outcome.outcomes) for outcome in outcomes),
            "frames": [outcome.spec.frame_count for outcome in outcomes],
            "largest_difference_of_the_replay_m": {
                "together": apart([outcome.trajectory for outcome in outcomes], together),
                "one_by_one": apart(
                    [outcome.trajectory for outcome in outcomes], [episode.trajectory for episode in again]
                ),
            },
            "kept": sum(bool(episode.quality["passed"]) for episode in again),
            "reasons": sorted(reason for episode in again for reason in episode.quality["reasons"]),
            "cpu_seconds": round(cost, 1),
        }
        stored["scenes"][name] = line
        print(name, json.dumps(line))
        stored |= {"fps": FPS, "machine": platform.processor() or platform.machine()}
        RESULTS.write_text(json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    main()
