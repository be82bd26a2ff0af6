"""Measures ground truth against the independent oracle on sampled scenes, on every backend, and stores the figures.

    python benchmarks/ground_truth.py --scenes 50 --size 256 --frames 4
    python benchmarks/ground_truth.py --scenes 16 --backends newton-soft newton-cloth    # deforming bodies on newton

Each scene is simulated, rendered and annotated as usual, in memory; each clip (one fixed, one moving camera) is then
compared with what Embree and float64 arithmetic say. `newton-soft` adds two soft bodies to the scenes: one that hits
the floor, one that is held, bends and swings; `newton-rope` two ropes likewise; `newton-cloth` a sheet that folds over
a ball, and a flag; `newton-inflatable` a ball and a ring; `newton-granular` two heaps, `newton-heat` two soft bodies
that melt. Backends that are not measured keep their stored figures. Cost is the CPU time of annotations and checks, per
frame.
"""

import argparse
import json
import platform
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from simfactory.annotations import annotations
from simfactory.quality import ClipChecks, episode_report
from simfactory.simulation import simulate
from simfactory.testing.ground_truth import (
    EXACT,
    PLANTED,
    Oracle,
    WorldMotion,
    check,
    compare,
    mock_trajectory,
    oracle_contexts,
    oracles,
    sample_scene,
    violations,
)

RESULTS = Path(__file__).parent / "results" / "ground_truth.json"

KINDS = ("soft", "cloth", "inflatable", "rope", "granular", "heat")


def measure_backend(backend: str, *, scene_count: int, size: int, frame_count: int) -> dict[str, object]:
    """Return mean and worst of every figure over the clips of sampled scenes, and which clips broke a limit.

    Args:
        backend: Name of a backend; `-soft`, `-cloth`, `-inflatable`, `-rope`, `-heat` or `-granular` is appended for
            scenes with such bodies.
        scene_count: Number of scenes.
        size: Image width and height [px].
        frame_count: Frames per scene.
    """
    simulator, _, kind = backend.partition("-")
    figures: dict[str, list[float]] = {}
    broken: dict[str, list[str]] = {}
    planted = dict.fromkeys(PLANTED, 0)
    refused: dict[str, int] = {}
    moving = 0
    for index in range(scene_count):
        spec = sample_scene(
            index,
            deforming=simulator == "mock",
            soft=kind == "soft",
            cloth=kind == "cloth",
            inflatable=kind == "inflatable",
            rope=kind == "rope",
            granular=kind == "granular",
            thermal=kind == "heat",
            size=size,
            frame_count=frame_count,
        )
        episode = simulate(spec, backend=simulator, preset="draft")
        for reason in episode.quality["reasons"]:
            refused[reason] = refused.get(reason, 0) + 1
        for clip, measured in zip(episode.clips, check(episode, closed_form=backend == "mock"), strict=True):
            moving += clip.camera.path.kind != "fixed"
            for name, value in measured.items():
                figures.setdefault(name, []).append(value)
            if found := violations(measured):
                broken[f"{index}/{clip.camera.name}"] = found
        oracle, clip = oracles(episode, closed_form=backend == "mock")[0], episode.clips[0]
        name = list(PLANTED)[index % len(PLANTED)]
        planted[name] += bool(violations(compare(oracle, PLANTED[name](oracle, clip.arrays))))
        print(f"{backend} {index + 1}/{scene_count}: {len(broken)} clips beyond a limit", flush=True)
    return {
        "scenes": scene_count,
        "clips": len(next(iter(figures.values()))),
        "moving_cameras": moving,
        "figures": {name: _summary(name, values) for name, values in sorted(figures.items())},
        "beyond_limits": broken,
        "planted_errors_found": {
            name: f"{found} of {len(range(number, scene_count, len(PLANTED)))}"
            for number, (name, found) in enumerate(planted.items())
        },
        "quality_gate_refused": refused,
    }


def measure_cost(*, size: int, frame_count: int, repeats: int = 5) -> dict[str, float]:
    """Return CPU milliseconds per frame of every annotation and of the quality checks; frames come from the oracle."""
    spec = sample_scene(0, deforming=True, size=size, frame_count=frame_count)
    oracle = Oracle(spec, spec.cameras[0], WorldMotion.closed_form(spec))
    contexts = oracle_contexts(oracle, mock_trajectory(spec))
    clip = replace(contexts[0].clip, visible=lambda points, _instances: np.zeros(points.shape[:2], np.bool_))
    cost: dict[str, float] = {}
    for annotation in annotations():
        begin = time.process_time()
        for _ in range(repeats):
            for context in contexts:
                if annotation.frame is not None:
                    annotation.frame(context)
            if annotation.clip is not None:
                annotation.clip(clip)
        cost[annotation.name] = 1e3 * (time.process_time() - begin) / repeats / frame_count
    begin = time.process_time()
    for _ in range(repeats):
        checks = ClipChecks(clip)
        for context in contexts:
            checks.frame(context)
    cost["quality: frames"] = 1e3 * (time.process_time() - begin) / repeats / frame_count
    begin = time.process_time()
    for _ in range(repeats):
        episode_report(spec, clip.trajectory, clip.surfaces, [checks])
    cost["quality: episode"] = 1e3 * (time.process_time() - begin) / repeats / frame_count
    return {name: round(value, 3) for name, value in cost.items()}


def _summary(name: str, values: list[float]) -> Mapping[str, float | None]:
    least = name.endswith("agreement") or name.startswith(("iou", "occlusion_iou"))
    limit = EXACT.minimum.get(name, EXACT.maximum.get(name))
    worst = min(values) if least else max(values)
    return {"mean": float(f"{np.mean(values):.4g}"), "worst": float(f"{worst:.6g}"), "limit": limit}


def main() -> None:
    """Measure, print a table, and store the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=50, help="sampled scenes per backend")
    parser.add_argument("--size", type=int, default=256, help="image width and height [px]")
    parser.add_argument("--frames", type=int, default=4, help="frames per scene")
    parser.add_argument(
        "--backends",
        nargs="+",
        default=["mock", "newton", *(f"newton-{kind}" for kind in KINDS)],
    )
    parser.add_argument("--out", type=Path, default=RESULTS, help="where to store the figures")
    options = parser.parse_args()
    stored = json.loads(options.out.read_text())["backends"] if options.out.exists() else {}
    result: dict[str, object] = {
        "size": options.size,
        "frames": options.frames,
        "preset": "draft",
        "machine": platform.machine(),
        "python": platform.python_version(),
        "cost_ms_per_frame": measure_cost(size=options.size, frame_count=16),
        "backends": stored
        | {
            backend: measure_backend(backend, scene_count=options.scenes, size=options.size, frame_count=options.frames)
            for backend in options.backends
        },
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
