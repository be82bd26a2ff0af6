"""Measures on sampled scenes what every camera rig sees of the action, and stores the figures.

    python benchmarks/visibility.py --specs 1000

Each spec is simulated on newton without its quality gate (what it refuses is left out of the figures and counted) and
looked at with all rigs at a low resolution: surface buffers only, no images. A camera inside a body is
looked for at every frame.
"""

import argparse
import json
import platform
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

import scenes
from layouts.cameras import rigs
from simfactory.episode import scene_surfaces
from simfactory.errors import SpecError
from simfactory.quality import episode_report
from simfactory.testing.visibility import Sighting, sightings, trajectories

RESULTS = Path(__file__).parent / "results" / "visibility.json"

BATCH = 10  # episodes simulated together
AREA_FLOOR = 0.002  # of the pixels, mean over the frames with motion: below it a camera misses the action


def measure(*, spec_count: int, size: int, frame_count: int, looks: int, seed: int, workers: int) -> dict[str, object]:
    """Return figures by rig and by base scene over sampled specs."""
    by_rig: dict[str, list[Sighting]] = defaultdict(list)
    by_scene: dict[str, list[Sighting]] = defaultdict(list)
    refused: Counter[str] = Counter()
    broken: list[str] = []
    work = partial(look, size=size, frame_count=frame_count, looks=looks, seed=seed)
    batches = [range(begin, min(begin + BATCH, spec_count)) for begin in range(0, spec_count, BATCH)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for number, (found, failures, reasons) in enumerate(pool.map(work, batches), start=1):
            broken += failures
            refused.update(reasons)
            for index, scene, sighting in found:
                by_rig[sighting.rig].append(sighting)
                by_scene[scene].append(sighting)
                if sighting.inside or sighting.area < AREA_FLOOR:
                    what = "inside a body" if sighting.inside else f"moving area {sighting.area:.5f}"
                    broken.append(f"{index} {scene} {sighting.camera}: {what}")
            print(f"{number}/{len(batches)}: {len(broken)} broken, {sum(refused.values())} refused", flush=True)
    clips = [sighting for found in by_rig.values() for sighting in found]
    return {
        "clips": len(clips),
        "clips_without_motion": sum(bool(np.isnan(sighting.area)) for sighting in clips),
        "rigs": {name: _summary(found) for name, found in sorted(by_rig.items())},
        "scenes": {name: _summary(found) for name, found in sorted(by_scene.items())},
        "area_floor": AREA_FLOOR,
        "broken": broken,
        "refused_by_quality": dict(sorted(refused.items())),
    }


def look(
    indices: Sequence[int], *, size: int, frame_count: int, looks: int, seed: int
) -> tuple[list[tuple[int, str, Sighting]], list[str], list[str]]:
    """Return what is seen of some episodes, which could not be sampled, and why the quality gate refused others."""
    frames = np.unique(np.linspace(0, frame_count - 1, looks).round().astype(int)).tolist()
    specs, failures, reasons, found = [], [], [], []
    for index in indices:
        try:
            specs.append(
                scenes.sample(
                    "rigid", seed=seed, index=index, rigs=tuple(rigs()), size=(size, size), frame_count=frame_count
                )
            )
        except SpecError as error:
            failures.append(f"{index}: {error}")
    for spec, trajectory in zip(specs, trajectories(specs), strict=True):
        report = episode_report(spec, trajectory, scene_surfaces(spec), [])
        if report.passed:
            found += [(spec.index, spec.scene, sighting) for sighting in sightings(spec, trajectory, frames=frames)]
        reasons += [f"{spec.scene}: {reason}" for reason in report.reasons]
    return found, failures, reasons


def _summary(found: list[Sighting]) -> dict[str, float]:
    area = np.array([sighting.area for sighting in found if not np.isnan(sighting.area)])
    span = np.array([sighting.span for sighting in found if not np.isnan(sighting.area)])
    figures = {
        "clips": len(found),
        "inside": sum(sighting.inside for sighting in found),
        "below_floor": int((area < AREA_FLOOR).sum()),
        "area_median": float(np.median(area)),
        "area_1_percent": float(np.quantile(area, 0.01)),
        "area_least": float(area.min()),
        "span_median": float(np.median(span)),
        "span_10_percent": float(np.quantile(span, 0.1)),
        "span_90_percent": float(np.quantile(span, 0.9)),
        "frames_seen_mean": float(np.mean([sighting.seen for sighting in found])),
    }
    return {name: float(f"{value:.4g}") for name, value in figures.items()}


def main() -> None:
    """Measure, print and store the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--specs", type=int, default=1000, help="sampled scenes")
    parser.add_argument("--size", type=int, default=64, help="image width and height [px]")
    parser.add_argument("--frames", type=int, default=48, help="frames per scene")
    parser.add_argument("--looks", type=int, default=8, help="frames that are looked at")
    parser.add_argument("--seed", type=int, default=0, help="seed of the scenes")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where to store the figures")
    options = parser.parse_args()
    begin = time.perf_counter()
    figures = measure(
        spec_count=options.specs,
        size=options.size,
        frame_count=options.frames,
        looks=options.looks,
        seed=options.seed,
        workers=options.workers,
    )
    result = {
        "specs": options.specs,
        "size": options.size,
        "frames": options.frames,
        "looks": options.looks,
        "seed": options.seed,
        "machine": platform.machine(),
        "seconds": round(time.perf_counter() - begin, 1),
        **figures,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
