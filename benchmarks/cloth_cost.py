"""Measure what a second of cloth costs: a sheet that hangs, that drapes over a ball, and that falls into a heap.

Usage: python benchmarks/cloth_cost.py [--resolution 37] [--case hanging]

Self-contact is always on. The hanging sheet does not touch itself, the heap lies in many layers. Costs are CPU-seconds
a simulated second, of the solver alone, after compilation; measure on a quiet machine.
"""

import argparse
import json
import platform
import time
from pathlib import Path

from simfactory.simulators import create_simulator
from simfactory.spec import Rectangle, SceneSpec, Sphere
from simfactory.testing.specs import make_body, make_cloth, make_spec

RESULTS = Path(__file__).parent / "results" / "cloth_cost.json"
UPRIGHT = (0.5**0.5, 0.0, 0.0, 0.5**0.5)
FPS, FRAMES = 24.0, 24
SIDE = 0.8  # [m]


def cases(resolution: int) -> dict[str, tuple[SceneSpec, int]]:
    """Return the scenes, and the frames that pass before each is measured."""
    fabric = {"geometry": Rectangle(size=(SIDE, SIDE)), "resolution": resolution, "area_density": 0.2}
    fabric |= {"membrane_stiffness": 200.0}
    held = make_cloth(**fabric, orientation=UPRIGHT, held=("-x+y", "+x+y"), position=(0.0, 0.0, 1.5))
    ball = make_body("ball", Sphere(radius=0.2), position=(0.0, 0.0, 0.25), mobility="static")
    draped = make_cloth(**fabric, position=(0.02, 0.03, 0.5))
    standing = make_cloth(**fabric, orientation=UPRIGHT, position=(0.0, 0.0, 0.45))
    return {
        "hanging": (make_spec(bodies=[held], fps=FPS, frame_count=1 + FRAMES), 0),
        "draping": (make_spec(bodies=[ball, draped], fps=FPS, frame_count=1 + FRAMES), 0),
        "heap": (make_spec(bodies=[standing], fps=FPS, frame_count=1 + FRAMES), 14),
    }


def main() -> None:
    """Print the costs and store them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resolution", type=int, default=37, help="edges along a side; 37 make 1,694 nodes")
    parser.add_argument("--case", choices=list(cases(4)), nargs="*")
    options = parser.parse_args()
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name, (spec, before) in cases(options.resolution).items():
        if options.case and name not in options.case:
            continue
        simulator = create_simulator("newton")
        simulator.load([spec])
        for _ in range(before):
            simulator.step()
        begin = time.process_time()
        for _ in range(FRAMES - before):
            simulator.step()
        cost = (time.process_time() - begin) * FPS / (FRAMES - before)
        nodes = len(simulator.state(0).vertices[len(spec.bodies) - 1])
        stored[name] = {"nodes": nodes, "cpu_seconds_per_second": round(cost, 2)}
        stored["machine"] = platform.processor() or platform.machine()
        print(f"{name:<10} {nodes} nodes, {cost:.2f} CPU-s a second", flush=True)
        RESULTS.write_text(json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    main()
