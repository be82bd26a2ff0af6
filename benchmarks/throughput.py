"""Measures how fast the engine fills a dataset: CPU-seconds per committed frame by stage, use of slots, scaling.

    python benchmarks/throughput.py                                  (all cases, three repeats: half an hour)
    python benchmarks/throughput.py --quick --json out/quick.json    (a minute, once kernels are compiled)
    python benchmarks/throughput.py --cases rigid --device cuda:0    (on a GPU; environments are then slots of it)
    python benchmarks/throughput.py --cases none --mujoco PYTHON --pyrender PYTHON    (peers alone, see side_by_side.py)

One process simulates sampled episodes in sixteen slots, records them from the default five cameras at 256x256 with all
signals, and commits them. The engine is warm: imports and kernels are not counted, all threads are. What is counted is
committed; episodes that the gate refuses cost time and give no frame. Slots are measured with clips of 49 to 129
frames of closed-form motion, without pictures, beside the share that batches would reach that wait for their longest
clip. Figures are stored in `benchmarks/results/throughput.json`, the curve of scaling beside the docs' images.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from comparison.curve import draw_curve
from generate import machine
from side_by_side import FRAMES as FRAMES_FOLDER
from side_by_side import run as run_peer

import scenes
from simfactory.engine import Engine
from simfactory.recording import open_writer
from simfactory.simulators import create_simulator
from simfactory.slots import EnvironmentPool
from simfactory.spec import SceneSpec, Sphere
from simfactory.stages import Stages
from simfactory.store import create_dataset
from simfactory.testing.specs import make_body, make_spec

RESULTS = Path(__file__).parent / "results" / "throughput.json"
CURVE = Path(__file__).parent.parent / "docs" / "images" / "scaling.svg"
SLOTS, SIDE, BODIES = 16, 256, 5
LENGTHS = 49, 129  # frames, as video models take them
AIMS = {  # CPU-seconds per committed frame
    ("rigid", "draft"): 0.09,
    ("cloth", "draft"): 0.25,
    ("soft_body", "draft"): 0.25,
    ("fluid", "draft"): 0.40,
    ("rigid", "standard"): 0.15,
    ("rigid", "high"): 0.75,
}
KUBRIC = {"rgb_cpu_s": 6.0, "truth_cpu_s": 0.34}  # Cycles and the rest, 256x256: measured elsewhere, quoted


def sampled(category: str, *, episodes: int, frames: int, views: int | None) -> list[SceneSpec]:
    """Return the first sampled episodes of a category; of rigid ones those with five bodies."""
    found: list[SceneSpec] = []
    index = 0
    while len(found) < episodes:
        spec = scenes.sample(
            category, seed=1, index=index, frame_count=frames, fps=24.0, size=(SIDE, SIDE), views=views
        )
        index += 1
        if category != "rigid" or len(spec.bodies) == BODIES:
            found.append(spec)
    return found


def fill(
    specs: Sequence[SceneSpec], *, preset: str, device: str, slots: int, backend: str = "newton"
) -> tuple[int, dict[str, float], float, float]:
    """Record specs into a new dataset; return frames committed, CPU-seconds by stage, CPU- and wall-seconds."""
    with tempfile.TemporaryDirectory() as folder:
        data = create_dataset(Path(folder, "data"), profile="portable").path

        engine = Engine(backend=backend, preset=preset, profile="portable", device=device)
        cpu, wall, frames = time.process_time(), time.perf_counter(), 0
        for outcome in engine.run(specs, open_recorder=partial(open_writer, data), environments=slots):
            frames += len(outcome.committed) * (0 if outcome.trajectory is None else outcome.trajectory.frame_count)
        return frames, engine.stages.taken(), time.process_time() - cpu, time.perf_counter() - wall


def measure(category: str, preset: str, options: argparse.Namespace) -> dict[str, object]:
    """Return the figures of one case: medians over repeats, per committed frame."""
    specs = sampled(category, episodes=options.episodes, frames=options.frames, views=options.views)
    short = [spec.model_copy(update={"frame_count": 2}) for spec in specs]
    fill(short, preset=preset, device=options.device, slots=SLOTS)  # loads kernels
    runs = [fill(specs, preset=preset, device=options.device, slots=SLOTS) for _ in range(options.repeats)]
    stages: dict[str, list[float]] = {}
    for frames, spent, cpu, _ in runs:
        parts = Counter(spent)
        parts["everything else"] = cpu - sum(spent.values())
        for name, seconds in parts.items():
            stages.setdefault(name, []).append(seconds / frames)
    cost = [cpu / frames for frames, _, cpu, _ in runs]
    aim = AIMS.get((category, preset))
    return {
        "category": category,
        "preset": preset,
        "device": options.device,
        "environments": SLOTS,
        "episodes": options.episodes,
        "cameras": options.views or 5,
        "frames_per_clip": options.frames,
        "repeats": options.repeats,
        "frames": runs[0][0],
        "cpu_s_per_frame": round(statistics.median(cost), 4),
        "range": [round(min(cost), 4), round(max(cost), 4)],
        "aim": aim,
        "frames_per_wall_second": round(statistics.median(frames / wall for frames, _, _, wall in runs), 2),
        "cpu_s_per_frame_by_stage": {name: round(statistics.median(values), 5) for name, values in stages.items()},
    }


def rolling(lengths: Iterable[int]) -> list[SceneSpec]:
    """Return scenes of closed-form motion with so many frames."""
    ball = make_body("ball", Sphere(radius=0.2), position=(0.0, 0.0, 0.5), linear_velocity=(0.1, 0.0, 0.0))
    base = make_spec(bodies=(ball,), frame_count=2, size=(16, 16), gravity=(0.0, 0.0, 0.0))
    return [base.model_copy(update={"frame_count": length, "index": index}) for index, length in enumerate(lengths)]


def use_of_slots(clips: int) -> dict[str, object]:
    """Return the share of slots in use with clips of mixed lengths, and that of batches that wait for their longest."""
    rng = random.Random(7)
    lengths = [rng.randint(*LENGTHS) for _ in range(clips)]
    pool = EnvironmentPool(lambda: create_simulator("mock"), slots=SLOTS, stages=Stages())
    begin = time.perf_counter()
    frames = sum(
        0 if episode.trajectory is None else episode.trajectory.frame_count
        for episode in pool.simulate(enumerate(rolling(lengths)))
    )
    wall = time.perf_counter() - begin
    batches = [lengths[begin : begin + SLOTS] for begin in range(0, clips, SLOTS)]
    return {
        "slots": SLOTS,
        "clips": clips,
        "frames": f"{LENGTHS[0]} to {LENGTHS[1]}",
        "slot_utilisation": round(pool.occupancy.share, 4),
        "in_lock_step": round(sum(lengths) / sum(SLOTS * max(batch) for batch in batches), 4),
        "frames_per_second": round(frames / wall),
    }


def scaling(counts: Sequence[int], *, frames: int, device: str) -> list[dict[str, object]]:
    """Return simulated frames a second of the same five-body scenes in so many slots, without pictures."""
    specs = sampled("rigid", episodes=max(counts), frames=frames, views=1)

    def simulate(some: Sequence[SceneSpec], slots: int) -> float:
        pool = EnvironmentPool(lambda: create_simulator("newton", device=device), slots=slots, stages=Stages())
        begin = time.process_time()
        done = sum(e.trajectory.frame_count for e in pool.simulate(enumerate(some)) if e.trajectory is not None)
        pool.close()
        return done / (time.process_time() - begin)

    simulate([spec.model_copy(update={"frame_count": 2}) for spec in specs], 1)  # loads kernels
    rates = [simulate(specs, count) for count in counts]
    return [
        {
            "environments": count,
            "frames_per_cpu_second": round(rate, 1),
            "efficiency": round(rate / rates[0], 3),
        }
        for count, rate in zip(counts, rates, strict=True)
    ]


def peers(pythons: dict[str, str]) -> dict[str, object]:
    """Return what other renderers take for colour, depth and ids of the same meshes."""
    from comparison.export import export

    (spec,) = sampled("rigid", episodes=1, frames=2, views=1)
    simulator = create_simulator("newton")
    simulator.load([spec])
    found: dict[str, object] = {"kubric (quoted)": KUBRIC}
    with tempfile.TemporaryDirectory() as folder:
        scene = Path(folder, "scene.npz")
        export(spec, simulator.state(0), scene)
        for name, python in pythons.items():
            command = [python, str(FRAMES_FOLDER / f"{name}_frame.py"), str(scene)]
            _, _, facts = run_peer(name, command, Path(folder, f"{name}.npz"))
            found[name] = {key: round(facts[key], 4) for key in ("rgb_cpu_s", "truth_cpu_s")}
    return found


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [f"{category}:{preset}" for category, preset in AIMS]
    parser.add_argument("--cases", nargs="+", default=names, help="CATEGORY:PRESET, or none")
    parser.add_argument("--episodes", type=int, default=16)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--views", type=int, help="cameras of an episode; default five")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--environments", type=int, nargs="*", default=[1, 2, 4, 8, 16, 32, 64], help="of the curve")
    parser.add_argument("--mujoco", metavar="PYTHON")
    parser.add_argument("--pyrender", metavar="PYTHON")
    parser.add_argument("--quick", action="store_true", help="a small sample: one camera, one repeat, rigid bodies")
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE")
    options = parser.parse_args()
    if options.quick:
        options.cases, options.frames, options.views, options.repeats = ["rigid:draft"], 8, 1, 1
        options.environments = [1, 4, 16]
    report: dict[str, object] = {"machine": machine()}
    if options.json.exists():
        report = json.loads(options.json.read_text()) | report
    slots = use_of_slots(300 if options.quick else 800)
    report |= {"slot_utilisation": slots["slot_utilisation"], "slots": slots}
    print(json.dumps(slots), flush=True)
    for case in [name for name in options.cases if name != "none"]:
        category, preset = (*case.split(":"), "draft")[:2]
        figures = measure(category, preset, options)
        report[category if preset == "draft" else f"{category}_{preset}"] = figures
        print(json.dumps(figures), flush=True)
    if options.cases != ["none"] and options.environments:
        curve = scaling(options.environments, frames=options.frames, device=options.device)
        report["scaling"] = {"device": options.device, "frames_per_episode": options.frames, "points": curve}
        print(json.dumps(curve), flush=True)
        if options.json == RESULTS:
            draw_curve(curve, CURVE)
    pythons = {name: getattr(options, name) for name in ("mujoco", "pyrender") if getattr(options, name)}
    if pythons:
        report["peers"] = peers(pythons)
        print(json.dumps(report["peers"]), flush=True)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
