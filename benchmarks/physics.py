"""Measures what physics costs: CPU-seconds per simulated second and memory, for each category at a stated size.

    python benchmarks/physics.py
    python benchmarks/physics.py --case cloth rope --seconds 2

Each case is simulated in a process of its own, without pictures: two frames that load kernels and settle nothing,
then the time that is counted; the median of `--repeats` processes. `aim` is 1.2 times what the solver named beside it
took for a scene of that size when solvers were compared, times how much slower this machine is now, if it is: that is
measured in the same run, before and after the cases, by Newton's own solver on a plain scene of cloth and one of a soft
body (`comparison/solvers.py`), and counts for the bodies that are simulated likewise; the mean for others.
Cloth is always simulated with self-contact here, which the solver was compared with; without it the same cloth took
4.3 there, and nothing kept it from passing through itself. Sixteen worlds are sixteen different scenes that are stepped
together. Figures are stored in `benchmarks/results/physics.json`.
"""

import argparse
import json
import math
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import scenes
from simfactory.liquids import liquid_particles
from simfactory.simulators import create_simulator
from simfactory.spec import Body, Box, Cylinder, Heat, Rectangle, SceneSpec, Sphere
from simfactory.testing.specs import (
    make_body,
    make_cloth,
    make_fluid,
    make_granular,
    make_inflatable,
    make_rope,
    make_soft,
    make_spec,
)

RESULTS = Path(__file__).parent / "results" / "physics.json"
SOLVERS = Path(__file__).parent / "comparison" / "solvers.py"
FPS = 24.0
COST = "cpu_seconds_per_second"
WORLDS = 16


@dataclass(frozen=True, kw_only=True)
class Case:
    """One measurement.

    Attributes:
        size: What is simulated, in words.
        scenes: Makes the specs, which are stepped together.
        solver: What the aim was measured with.
        reference: What that took [CPU-s per simulated second]; None = it was not measured.
    """

    size: str
    scenes: Callable[[], Sequence[SceneSpec]]
    solver: str = ""
    reference: float | None = None


def sampled(category: str, count: int, bodies: int, **options: str) -> list[SceneSpec]:
    """Return the first sampled episodes of a category that have so many bodies."""
    found: list[SceneSpec] = []
    index = 0
    while len(found) < count:
        spec = scenes.sample(category, seed=1, index=index, frame_count=48, size=(64, 64), views=1, **options)
        found += [spec] if len(spec.bodies) == bodies else []
        index += 1
    return found


def spec(*bodies: Body, **options: object) -> SceneSpec:
    """Return a scene on a floor."""
    return make_spec(bodies=bodies, frame_count=24, fps=FPS, **options)  # type: ignore[arg-type]  # forwarded as given


def curtain(shift: float = 0.0) -> SceneSpec:
    """A square cloth of 1,681 nodes that hangs from two corners and swings."""
    sheet = make_cloth(
        geometry=Rectangle(size=(1.0, 1.0)), resolution=40, position=(0.0, shift, 1.5), held=("-x+y", "+x+y")
    )
    return spec(sheet)


def drape() -> SceneSpec:
    """The same cloth, which falls over a ball and lies in folds."""
    ball = make_body("ball", Sphere(radius=0.2), position=(0.0, 0.0, 0.2005), mobility="static")
    return spec(make_cloth(resolution=40, position=(0.0, 0.0, 0.45)), ball)


def jelly(shift: float = 0.0, *, resolution: int = 8, heat: Heat | None = None) -> SceneSpec:
    """A cube of jelly that falls onto the floor with a ball on top of it."""
    cube = make_soft(position=(0.0, 0.0, 0.2 + shift), resolution=resolution, heat=heat)
    return spec(cube, make_body("ball", Sphere(radius=0.06), position=(0.02, 0.0, 0.45 + shift)))


def wax(shift: float = 0.0) -> SceneSpec:
    """A cube that warms up, softens and sags on a hot floor."""
    heat = Heat(
        temperature=300.0, conductivity=200.0, heat_capacity=1000.0, contact_conductance=1e5, convection=10.0,
        softening=(310.0, 340.0), molten_shear=0.01, flow_time=0.2,
    )  # fmt: skip
    plate = make_body("plate", Box(size=(0.6, 0.6, 0.05)), position=(0.0, 0.0, 0.025), mobility="static",
                      temperature=380.0)  # fmt: skip
    cube = make_soft(position=(0.0, 0.0, 0.202 + 0.1 * shift), resolution=5, heat=heat)
    return spec(cube, plate, air_density=1.2)


def swinging_rope(shift: float = 0.0) -> SceneSpec:
    """A rope of 48 segments that swings from one end against a box."""
    rope = make_rope(points=((0.0, 0.0, 0.0), (1.2, 0.0, 0.0)), position=(0.0, 0.0, 1.3 + shift), held=("start",),
                     segments=48)  # fmt: skip
    return spec(rope, make_body("box", Box(size=(0.3, 0.3, 0.5)), position=(0.2, 0.0, 0.2505), mobility="static"))


def balloon(shift: float = 0.0, *, resolution: int = 12) -> SceneSpec:
    """A balloon that falls onto the floor beside a box."""
    box = make_body("box", Box(size=(0.2, 0.2, 0.2)), position=(0.2, 0.0, 0.1005))
    return spec(make_inflatable(position=(0.0, 0.0, 0.5 + shift), resolution=resolution), box, air_density=1.2)


def pool(viscosity: float) -> SceneSpec:
    """About 5,000 particles of liquid that break loose in a tank."""
    walls = [
        make_body(f"wall_{k}", Box(size=(1.44, 0.02, 0.4) if k < 2 else (0.02, 0.4, 0.4)), mobility="static",
                  position=(0.0, (-0.21, 0.21)[k], 0.2) if k < 2 else ((-0.71, 0.71)[k - 2], 0.0, 0.2))
        for k in range(4)
    ]  # fmt: skip
    dam = make_fluid(geometry=Box(size=(0.36, 0.396, 0.28)), position=(-0.51, 0.0, 0.1405), spacing=0.02,
                     viscosity=viscosity)  # fmt: skip
    return spec(dam, *walls)


def heap() -> SceneSpec:
    """About 5,000 grains of sand that slump, and a ball that falls into them."""
    column = make_granular(geometry=Cylinder(radius=0.16, height=0.36), position=(0.0, 0.0, 0.1805),
                           grain_radius=0.0105)  # fmt: skip
    return spec(column, make_body("ball", Sphere(radius=0.06), position=(0.0, 0.0, 0.5)))


def worlds(make: Callable[[float], SceneSpec]) -> list[SceneSpec]:
    """Return different scenes of one kind."""
    return [make(0.01 * number) for number in range(WORLDS)]


CASES = {
    "rigid": Case(size="5 bodies", scenes=lambda: sampled("rigid", 1, 5), solver="XPBD", reference=0.44),
    "rigid x16": Case(
        size="16 scenes of 5 bodies", scenes=lambda: sampled("rigid", WORLDS, 5), solver="XPBD", reference=0.56
    ),
    "articulated": Case(
        size="chain of 5 links on a post",
        scenes=lambda: sampled("articulated", 1, 7, scene="chain_swing"),
        solver="MuJoCo",
        reference=0.15,
    ),
    "articulated x16": Case(
        size="16 scenes of 5 links", scenes=lambda: sampled("articulated", WORLDS, 7, scene="chain_swing")
    ),
    "cloth": Case(size="1,681 nodes, hanging", scenes=lambda: [curtain()], solver="VBD, self-contact", reference=23.0),
    "cloth folded": Case(
        size="1,681 nodes, draped", scenes=lambda: [drape()], solver="VBD, self-contact", reference=23.0
    ),
    "soft_body": Case(size="729 nodes, and a ball", scenes=lambda: [jelly()], solver="VBD", reference=1.7),
    "soft_body x16": Case(size="16 scenes of 64 nodes", scenes=lambda: worlds(lambda s: jelly(s, resolution=3))),
    "rope": Case(size="48 segments", scenes=lambda: [swinging_rope()], solver="VBD", reference=0.84),
    "rope x16": Case(size="16 scenes of 48 segments", scenes=lambda: worlds(swinging_rope)),
    "inflatable": Case(size="ball of 12 edges across", scenes=lambda: [balloon()], solver="VBD", reference=8.3),
    "inflatable x16": Case(size="16 balls of 6 edges", scenes=lambda: worlds(lambda s: balloon(s, resolution=6))),
    "fluid": Case(size="5,000 particles of water", scenes=lambda: [pool(1e-3)], solver="MPM", reference=4.3),
    "fluid viscous": Case(size="5,000 particles of honey", scenes=lambda: [pool(10.0)], solver="MPM", reference=4.3),
    "granular": Case(size="5,000 grains, and a ball", scenes=lambda: [heap()], solver="MPM", reference=4.3),
    "thermal": Case(size="1,000 tetrahedra", scenes=lambda: [wax()], solver="VBD", reference=1.5),
    "thermal x16": Case(size="16 scenes of 1,000 tetrahedra", scenes=lambda: worlds(wax)),
}


def measure(name: str, *, seconds: float) -> dict[str, object]:
    """Simulate a case in this process."""
    case = CASES[name]
    specs = [spec.model_copy(update={"frame_count": math.ceil(seconds * FPS) + 3}) for spec in case.scenes()]
    simulator = create_simulator("newton")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    simulator.load(specs)
    for _ in range(2):
        simulator.step()
    frames = math.ceil(seconds * FPS)
    begin = time.process_time()
    for _ in range(frames):
        simulator.step()
    cost = (time.process_time() - begin) / (frames / FPS)
    state = simulator.state(0)
    points = {index: len(nodes) for index, nodes in (*state.vertices.items(), *state.particles.items())}
    points |= {
        index: len(liquid_particles(body).centers) for index, body in enumerate(specs[0].bodies) if body.kind == "fluid"
    }
    return {
        "size": case.size,
        "worlds": len(specs),
        "points": sum(points.values()),
        "cpu_seconds_per_second": round(cost, 3),
        "per_world": round(cost / len(specs), 3),
        "peak_mb": round((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024.0, 1),
        "reference_solver": case.solver,
        "reference": case.reference,
    }


def run(*command: str) -> dict[str, float]:
    """Run a process of Python and return the JSON of its last line."""
    done = subprocess.run([sys.executable, *command], check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def slowness(seconds: float) -> dict[str, float]:
    """Return how many times more CPU-seconds Newton's own solver takes here than it did where aims come from."""
    lines = {name: run(str(SOLVERS), name, "--seconds", str(seconds)) for name in ("cloth", "soft_body")}
    return {name: line["cost"] / line["stated"] for name, line in lines.items()}


def slower_for(case: str, runs: Sequence[dict[str, float]]) -> float:
    """Return the factor that counts for a case: of the solver that is like its own, or of both."""
    like = {"soft_body": "soft_body", "thermal": "soft_body", "cloth": "cloth", "inflatable": "cloth"}
    chosen = like.get(case.split()[0])
    return statistics.geometric_mean(
        factor for factors in runs for name, factor in factors.items() if chosen in (None, name)
    )


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=list(CASES), nargs="*")
    parser.add_argument("--seconds", type=float, default=1.0, help="simulated time that is counted [s]")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--one", choices=list(CASES), help="measure this case here and print JSON alone")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, seconds=options.seconds)))
        return
    names = options.case or list(CASES)
    command = [__file__, "--seconds", str(options.seconds), "--one"]
    before = slowness(options.seconds)
    lines = {}
    for name in names:
        repeats = sorted((run(*command, name) for _ in range(options.repeats)), key=lambda line: line[COST])
        lines[name] = repeats[len(repeats) // 2]
        print(f"{name:<16}{lines[name][COST]:>9}", flush=True)
    runs = [before, slowness(options.seconds)]
    print(f"Newton's own solver, over what it took where aims come from: {runs}")
    print(f"{'case':<16}{'size':<32}{'CPU-s/s':>9}{'aim':>8}{'MB':>8}")
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"cases": {}}
    for name, line in lines.items():
        reference = line["reference"]
        slower = slower_for(name, runs)
        aim = None if reference is None else round(1.2 * reference * max(slower, 1.0), 2)
        met = None if aim is None else line[COST] <= aim
        stored["cases"][name] = line | {"machine_slower": round(slower, 2), "aim": aim, "met": met}
        print(f"{name:<16}{line['size']:<32}{line[COST]:>9}{'' if aim is None else aim:>8}{line['peak_mb']:>8}")
    stored["cases"] = {key: stored["cases"][key] for key in CASES if key in stored["cases"]}
    stored |= {"backend": "newton", "device": "cpu", "machine": platform.processor() or platform.machine()}
    RESULTS.write_text(json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    main()
