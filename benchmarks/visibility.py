"""Measures on sampled scenes what every camera rig sees of the action, and stores the figures.

    python benchmarks/visibility.py --specs 1000

Each spec is simulated on newton and looked at with all rigs at a low resolution: surface buffers only, no images. The
quality gate would refuse episodes by their physics: they are counted and left out. It would also refuse those with a
camera inside a body (looked for at every frame) or with too small a moving area: such cameras are listed and left out
of the figures. A run that was stopped goes on where it was: its rows are kept beside the result until that is complete.
"""

import argparse
import json
import platform
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

import scenes
from layouts.cameras import rigs
from simfactory.episode import scene_surfaces
from simfactory.errors import SpecError
from simfactory.quality import Thresholds, episode_report
from simfactory.testing.trajectories import trajectories
from simfactory.testing.visibility import Sighting, sightings

RESULTS = Path(__file__).parent / "results" / "visibility.json"

BATCH = 10  # episodes simulated together
RENEWED = 5  # batches after which a process is replaced: compiled scenes stay in its memory
AREA_FLOOR = Thresholds().moving_area

Row = dict[str, object]


def rows(options: argparse.Namespace, path: Path) -> Iterator[Row]:
    """Yield one row per spec, in order: those of an earlier run with the same options first, then new ones.

    Args:
        options: Of the command line.
        path: Where rows are kept.
    """
    asked = {name: getattr(options, name) for name in ("size", "frames", "looks", "seed")}
    kept = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    if kept and kept[0] != asked:
        raise SystemExit(f"{path} has rows of another run, with {kept[0]}: remove it or ask for the same")
    found = kept[1 : 1 + options.specs]
    yield from found
    work = partial(look, size=options.size, frame_count=options.frames, looks=options.looks, seed=options.seed)
    batches = [range(k, min(k + BATCH, options.specs)) for k in range(len(found), options.specs, BATCH)]
    with path.open("a") as file:
        if not kept:
            file.write(json.dumps(asked) + "\n")
        for begin in range(0, len(batches), RENEWED * options.workers):
            with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
                for made in pool.map(work, batches[begin : begin + RENEWED * options.workers]):
                    file.writelines(json.dumps(row) + "\n" for row in made)
                    file.flush()
                    yield from made


def look(indices: Sequence[int], *, size: int, frame_count: int, looks: int, seed: int) -> list[Row]:
    """Return for each episode its scene, why it was refused, or what its cameras see."""
    frames = np.unique(np.linspace(0, frame_count - 1, looks).round().astype(int)).tolist()
    made: list[Row] = [{"index": index} for index in indices]
    specs = []
    for row, index in zip(made, indices, strict=True):
        try:
            spec = scenes.sample(
                "rigid", seed=seed, index=index, rigs=tuple(rigs()), size=(size, size), frame_count=frame_count
            )
        except SpecError as error:
            row["failure"] = str(error)
        else:
            row["scene"] = spec.scene
            specs.append((row, spec))
    for (row, spec), trajectory in zip(specs, trajectories([spec for _, spec in specs]), strict=True):
        row["refused"] = list(episode_report(spec, trajectory, scene_surfaces(spec), []).reasons)
        row["sightings"] = [asdict(one) for one in sightings(spec, trajectory, frames=frames)]
    return made


def figures(made: Sequence[Row]) -> dict[str, object]:
    """Return figures by rig and by base scene."""
    by_rig: dict[str, list[Sighting]] = defaultdict(list)
    by_scene: dict[str, list[Sighting]] = defaultdict(list)
    physics: Counter[str] = Counter()
    cameras: Counter[str] = Counter()
    unseen: list[str] = []
    for row in made:
        reasons = row.get("refused", [])
        physics.update(f"{row['scene']}: {reason}" for reason in reasons if reason != "camera_inside")
        if {*reasons} - {"camera_inside"}:
            continue
        for sighting in (Sighting(**one) for one in row.get("sightings", [])):
            if sighting.inside or sighting.area < AREA_FLOOR:
                cameras[sighting.rig] += 1
                what = "inside a body" if sighting.inside else f"moving area {sighting.area:.5f}"
                unseen.append(f"{row['index']} {row['scene']} {sighting.camera}: {what}")
            else:
                by_rig[sighting.rig].append(sighting)
                by_scene[row["scene"]].append(sighting)
    clips = [sighting for found in by_rig.values() for sighting in found]
    return {
        "clips": len(clips),
        "clips_without_motion": sum(bool(np.isnan(sighting.area)) for sighting in clips),
        "rigs": {name: {**_summary(found), "refused": cameras[name]} for name, found in sorted(by_rig.items())},
        "scenes": {name: _summary(found) for name, found in sorted(by_scene.items())},
        "area_floor": AREA_FLOOR,
        "episodes_refused_by_physics": dict(sorted(physics.items())),
        "clips_refused": unseen,
        "not_sampled": [f"{row['index']}: {row['failure']}" for row in made if "failure" in row],
    }


def _summary(found: list[Sighting]) -> dict[str, float]:
    area = np.array([sighting.area for sighting in found if not np.isnan(sighting.area)])
    span = np.array([sighting.span for sighting in found if not np.isnan(sighting.area)])
    measured = {
        "clips": len(found),
        "area_median": float(np.median(area)),
        "area_1_percent": float(np.quantile(area, 0.01)),
        "area_least": float(area.min()),
        "span_median": float(np.median(span)),
        "span_10_percent": float(np.quantile(span, 0.1)),
        "span_90_percent": float(np.quantile(span, 0.9)),
        "frames_seen_mean": float(np.mean([sighting.seen for sighting in found if not np.isnan(sighting.area)])),
    }
    return {name: float(f"{value:.4g}") for name, value in measured.items()}


def main() -> None:
    """Measure, print and store the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--specs", type=int, default=1000, help="sampled scenes")
    parser.add_argument("--size", type=int, default=64, help="image width and height [px]")
    parser.add_argument("--frames", type=int, default=48, help="frames per scene")
    parser.add_argument("--looks", type=int, default=16, help="frames that are looked at")
    parser.add_argument("--seed", type=int, default=0, help="seed of the scenes")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where to store the figures")
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    path = options.out.with_suffix(".part")
    begin, made = time.perf_counter(), []
    for row in rows(options, path):
        made.append(row)
        print(
            f"{len(made)}/{options.specs}: {row.get('scene', row.get('failure'))} {row.get('refused', '')}", flush=True
        )
    result = {
        **{name: getattr(options, name) for name in ("specs", "size", "frames", "looks", "seed")},
        "machine": platform.machine(),
        "seconds": round(time.perf_counter() - begin, 1),
        **figures(made),
    }
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    path.unlink()
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
