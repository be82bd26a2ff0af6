"""Measures whether clips of every category agree with themselves: reprojection, flow, warp, tracks against flow.

    python benchmarks/consistency.py
    python benchmarks/consistency.py --category fluid granular --episodes 8

Sampled episodes are simulated, rendered and annotated as usual, in memory. Of each clip: how far a pixel's material
point projects from the pixel's centre, how far flow ends from where that point goes, the share of unoccluded pixels
that land on another surface in the next frame, and how far tracks go from where flow leads. `limit` is what the quality
gate allows, of tracks and flow 0.01 px. Figures are stored in `benchmarks/results/consistency.json`.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from generate import machine

import scenes
from scenes.listing import categories
from simfactory.simulation import simulate
from simfactory.testing.ground_truth import CONSISTENT, consistency

RESULTS = Path(__file__).parent / "results" / "consistency.json"


def measure(category: str, *, episodes: int, frames: int, size: int, seed: int) -> dict[str, object]:
    """Return the worst figures of a category's clips, and how many clips and tracks they are of."""
    worst = dict.fromkeys(CONSISTENT, 0.0)
    clips = tracks = moving = 0
    for index in range(episodes):
        spec = scenes.sample(category, seed=seed, index=index, frame_count=frames, fps=24.0, size=(size, size), views=2)
        episode = simulate(spec)
        figures = consistency(episode)
        clips += len(episode.clips)
        for clip in episode.clips:
            tracks += len(clip.arrays["tracks/frame"])
            moving += int(np.count_nonzero(np.abs(clip.arrays["scene_flow"]).max(axis=1) > 0.0))
        worst = {name: max(value, figures[name]) for name, value in worst.items()}
    return {
        "category": category,
        "episodes": episodes,
        "clips": clips,
        "tracks": tracks,
        "moving_pixels": moving,
        "worst": {name: float(f"{value:.3g}") for name, value in worst.items()},
        "within": all(value <= CONSISTENT[name] for name, value in worst.items()),
    }


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--category", choices=list(categories()), nargs="*")
    parser.add_argument("--episodes", type=int, default=4)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--size", type=int, default=128, help="image width and height [px]")
    parser.add_argument("--seed", type=int, default=5)
    options = vars(parser.parse_args())
    chosen = options.pop("category") or list(categories())
    print(f"{'category':<14}{'tracks':>8}" + "".join(f"{name:>17}" for name in CONSISTENT), flush=True)
    stored = json.loads(RESULTS.read_text())["categories"] if RESULTS.exists() else {}
    for category in chosen:
        line = measure(category, **options)
        stored[category] = line
        figures = dict(line["worst"])  # type: ignore[call-overload]  # JSON
        print(f"{category:<14}{line['tracks']:>8}" + "".join(f"{value:>17}" for value in figures.values()), flush=True)
    print(f"{'limit':<22}" + "".join(f"{limit:>17}" for limit in CONSISTENT.values()))
    report = {"machine": machine(), "limits": CONSISTENT, **{k: options[k] for k in ("frames", "size", "seed")}}
    RESULTS.write_text(json.dumps(report | {"categories": stored}, indent=1) + "\n")
    beyond = [name for name, line in stored.items() if not line["within"]]
    if beyond:
        raise SystemExit(f"beyond a limit: {', '.join(beyond)}")


if __name__ == "__main__":
    main()
