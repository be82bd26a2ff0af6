"""Measures how the memory of one process grows while it records a thousand clips.

    python benchmarks/endurance.py
    python benchmarks/endurance.py --category rope --clips 200

Sampled episodes of one camera are recorded one after the other by one engine, in two slots. The slope is that of a
line through the resident set after every episode, the first fifth left out: caches fill there. Figures are stored in
`benchmarks/results/endurance.json`, one entry per category and preset.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from generate import machine

import scenes
from simfactory.engine import Engine
from simfactory.recording import open_writer
from simfactory.spec import SceneSpec
from simfactory.store import create_dataset

RESULTS = Path(__file__).parent / "results" / "endurance.json"
AIM = 0.05  # [MB per clip]
WARM = 0.2  # share of the clips in which caches fill


def resident() -> float:
    """Return the resident set of this process [MB]."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def sampled(category: str, clips: int, frames: int, side: int) -> Iterator[SceneSpec]:
    """Yield so many episodes of one camera."""
    for index in range(clips):
        yield scenes.sample(category, seed=3, index=index, frame_count=frames, size=(side, side), views=1)


def measure(category: str, *, clips: int, frames: int, side: int, preset: str) -> dict[str, object]:
    """Return how memory grew."""
    with tempfile.TemporaryDirectory() as folder:
        data = create_dataset(Path(folder, "data"), profile="portable").path
        engine = Engine(preset=preset, profile="portable")
        seen, committed = [resident()], 0
        for outcome in engine.run(sampled(category, clips, frames, side), open_recorder=partial(open_writer, data)):
            committed += len(outcome.committed)
            seen.append(resident())
            if len(seen) % 50 == 0:
                print(f"{len(seen)} episodes, {committed} committed, {seen[-1]:.0f} MB", flush=True)
    warm = int(WARM * len(seen))
    slope, _ = np.polyfit(np.arange(warm, len(seen)), seen[warm:], 1)
    return {
        "category": category,
        "preset": preset,
        "episodes": clips,
        "committed": committed,
        "frames": frames,
        "side": side,
        "slope_mb_per_clip": round(float(slope), 4),
        "aim": AIM,
        "resident_mb": {"start": round(seen[0]), "warm": round(seen[warm]), "end": round(seen[-1])},
    }


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--category", default="rigid")
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--preset", default="draft")
    options = vars(parser.parse_args())
    entry = measure(options.pop("category"), **options)
    stored = json.loads(RESULTS.read_text())["runs"] if RESULTS.exists() else []
    names = ("category", "preset")
    kept = [one for one in stored if any(one[name] != entry[name] for name in names)]
    runs = sorted([*kept, entry], key=lambda one: [str(one[name]) for name in names])
    RESULTS.write_text(json.dumps({"machine": machine(), "runs": runs}, indent=1) + "\n")
    print(json.dumps(entry, indent=1))


if __name__ == "__main__":
    main()
