"""Measure every physical law on a backend: exact, measured, error, tolerance, and what it costs.

Usage: python benchmarks/laws.py [--backend newton] [--substeps 4] [--device cpu] [--part cloth|granular|thermal|…]
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

from simfactory.simulators import Simulator, create_simulator
from simfactory.spec import Box, Capsule, Cone, Cylinder, JointBall, SceneSpec, Sphere
from simfactory.testing.laws import (
    Law,
    air_laws,
    cloth_laws,
    fluid_laws,
    grain_laws,
    handling_laws,
    heat_laws,
    inflatable_laws,
    joint_laws,
    measure,
    rigid_laws,
    robot_laws,
    rope_laws,
    soft_laws,
    wind_laws,
)
from simfactory.testing.specs import make_body, make_cloth, make_material, make_rope, make_soft, make_spec

PARTS: dict[str, tuple[str, Callable[[int], list[Law]]]] = {  # with the kind that a backend must know for them
    "soft_body": ("soft_body", lambda substeps: soft_laws(substeps=substeps)),
    "thermal": ("soft_body", lambda substeps: [*heat_laws(substeps=substeps), *air_laws(substeps=substeps)]),
    "fluid": ("fluid", lambda substeps: fluid_laws()),
    "wind": ("fluid", lambda substeps: wind_laws(substeps=substeps)),
    "granular": ("granular", lambda substeps: grain_laws(substeps=substeps)),
    "robot": ("hinge", lambda substeps: robot_laws(substeps=2 * substeps)),  # as scenes with a robot are simulated
    "handling": ("rope", lambda substeps: handling_laws(substeps=substeps)),
    "rope": ("rope", lambda substeps: rope_laws(substeps=substeps)),
    "cloth": ("cloth", lambda substeps: cloth_laws(substeps=substeps)),
    "inflatable": ("inflatable", lambda substeps: inflatable_laws(substeps=substeps)),
}
RESULTS = Path(__file__).parent / "results" / "laws.json"
GEOMETRIES = (
    Box(size=(0.3, 0.4, 0.5)),
    Sphere(radius=0.2),
    Cylinder(radius=0.2, height=0.4),
    Cone(radius=0.25, height=0.5),
    Capsule(radius=0.15, height=0.3),
)


def five_bodies(*, index: int) -> SceneSpec:
    """Five bodies that fall onto each other: two seconds at 24 Hz."""
    bodies = [
        make_body(
            f"body_{k}",
            geometry,
            position=(0.1 * k, 0.05 * k, 0.5 + 0.6 * k),
            angular_velocity=(1.0, 2.0, 0.1 * index),
            physical=make_material(restitution=0.3),
        )
        for k, geometry in enumerate(GEOMETRIES)
    ]
    return make_spec(bodies=bodies, frame_count=48, air_density=1.2)


def jelly_and_ball(*, index: int) -> SceneSpec:
    """A jelly cube of 343 nodes hit by a rigid ball: two seconds at 24 Hz."""
    bodies = [
        make_soft("cube", position=(0.02 * index, 0.0, 0.4)),
        make_body("ball", Sphere(radius=0.1), position=(0.0, 0.0, 0.8)),
    ]
    return make_spec(bodies=bodies, frame_count=48)


def chain(*, index: int) -> SceneSpec:
    """Five links that hang from each other, let go level: two seconds at 24 Hz."""
    links = [make_body(f"link_{k}", Box(size=(0.2, 0.04, 0.04)), position=(0.2 * k + 0.1, 0.0, 2.0)) for k in range(5)]
    joints = [
        JointBall(
            name=f"joint_{k}", parent=f"link_{k - 1}" if k else None, child=f"link_{k}", anchor=(0.2 * k, 0.0, 2.0)
        )
        for k in range(5)
    ]
    return make_spec(bodies=links, joints=joints, frame_count=48, gravity=(0.1 * index, 0.0, -9.81))


def ropes_and_ball(*, index: int) -> SceneSpec:
    """A rope of 1 m that falls across a hanging one, and a rigid ball: two seconds at 24 Hz."""
    bodies = [
        make_rope("hung", ((-0.4, 0.0, 0.0), (0.4, 0.0, 0.0)), slack=0.25, held=("start", "end")),
        make_rope("falling", position=(0.02 * index, 0.0, 1.3), orientation=(0.0, 0.0, 0.70710678, 0.70710678)),
        make_body("ball", Sphere(radius=0.1), position=(0.0, 0.0, 1.8)),
    ]
    return make_spec(bodies=bodies, frame_count=48)


def hanging_sheet(*, index: int) -> SceneSpec:
    """A sheet of 1,612 nodes that is let go at two corners: two seconds at 24 Hz."""
    sheet = make_cloth(resolution=36, position=(0.0, 0.0, 1.6), held=("-x-y", "-x+y"))
    return make_spec(bodies=[sheet], frame_count=48)


def cost(simulator: Simulator, scene: Callable[..., SceneSpec], *, environments: int) -> dict[str, float]:
    """Return CPU seconds of loading, and per simulated second of all environments together."""
    specs = [scene(index=index) for index in range(environments)]
    simulator.load(specs)  # compiles
    begin = time.process_time()
    simulator.load(specs)
    loaded = time.process_time()
    for _ in range(48):
        simulator.step()
        for environment in range(environments):
            simulator.state(environment)
    return {"load": loaded - begin, "per_simulated_second": (time.process_time() - loaded) / 2.0}


def row(law: Law, figure: float) -> dict[str, object]:
    """Return one line of the table as JSON."""
    return {
        "law": law.name,
        "unit": law.unit,
        "exact": law.exact,
        "measured": figure,
        "error": figure - law.exact,
        "tolerance": law.tolerance,
        "passed": abs(figure - law.exact) <= law.tolerance,
        "reason": law.reason,
    }


def measure_part(part: str, *, backend: str, substeps: int, device: str) -> None:
    """Measure the laws of one part alone, and put them in place of the stored ones.

    Args:
        part: Of `PARTS`.
        backend: Simulator.
        substeps: Solver steps per frame.
        device: Where it runs.
    """
    simulator = create_simulator(backend, device=device)
    begin = time.process_time()
    rows = [row(law, measure(simulator, [law])[0]) for law in PARTS[part][1](substeps)]
    spent = time.process_time() - begin
    for line in rows:
        print(f"{'   ' if line['passed'] else 'NO '}{line['law']:<90} {line['measured']:>9.4f} {line['exact']:>9.4f}")
    print(f"{len(rows)} laws of {part}: {spent:.0f} CPU-s")
    stored = json.loads(RESULTS.read_text())
    names = {str(line["law"]) for line in rows}
    kept = [line for line in stored[backend]["laws"] if line["law"] not in names]
    stored[backend] |= {"laws": [*kept, *rows], f"law_cpu_seconds_{part}": spent}
    RESULTS.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n")


def main() -> None:
    """Print the table and store it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", default="newton")
    parser.add_argument("--substeps", type=int, default=4, help="solver steps per frame of 1/60 s")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--part", choices=("all", *PARTS), default="all", help="measure one part alone, keep the rest")
    options = parser.parse_args()
    if options.part != "all":
        measure_part(options.part, backend=options.backend, substeps=options.substeps, device=options.device)
        return

    simulator = create_simulator(options.backend, device=options.device)
    laws = [*rigid_laws(substeps=options.substeps), *joint_laws(substeps=options.substeps)]
    if options.backend == "mock":
        laws = [law for law in laws if not law.needs]
    begin = time.perf_counter()
    simulator.load([five_bodies(index=0)])
    first_load = time.perf_counter() - begin
    begin = time.process_time()
    rows = [row(law, figure) for law, figure in zip(laws, measure(simulator, laws), strict=True)]
    for kind, laws_of in PARTS.values():
        if simulator.supports(kind):
            rows += [row(law, measure(simulator, [law])[0]) for law in laws_of(options.substeps)]
    law_seconds = time.process_time() - begin
    for line in rows:
        mark = "   " if line["passed"] else "NO "
        print(
            f"{mark}{line['law']:<68} {line['measured']:>11.6f} {line['exact']:>11.6f} {line['error']:>+10.1e} "
            f"{line['tolerance']:>9.1e} {line['unit']}"
        )
    costs = {str(count): cost(simulator, five_bodies, environments=count) for count in (1, 4, 16)}
    linked = {}
    if simulator.supports("ball_joint"):
        linked = {str(count): cost(simulator, chain, environments=count) for count in (1, 4, 16)}
    soft = {}
    if simulator.supports("soft_body"):
        soft = {str(count): cost(simulator, jelly_and_ball, environments=count) for count in (1, 4)}
    ropes = {}
    if simulator.supports("rope"):
        ropes = {str(count): cost(simulator, ropes_and_ball, environments=count) for count in (1, 4)}
    cloth = {"1": cost(simulator, hanging_sheet, environments=1)} if simulator.supports("cloth") else {}
    print(f"{len(rows)} laws: {law_seconds:.2f} CPU-s; first load (compiles if the cache is cold): {first_load:.1f} s")
    for count, figures in costs.items():
        print(
            f"{count:>3} environments of five bodies: {figures['per_simulated_second']:.3f} CPU-s a simulated second, "
            f"{figures['load']:.2f} CPU-s to load"
        )
    for count, figures in linked.items():
        print(
            f"{count:>3} environments of a chain of five links: {figures['per_simulated_second']:.3f} CPU-s a "
            f"simulated second, {figures['load']:.2f} CPU-s to load"
        )
    for count, figures in soft.items():
        print(
            f"{count:>3} environments of a soft cube and a ball: {figures['per_simulated_second']:.3f} CPU-s a "
            f"simulated second, {figures['load']:.2f} CPU-s to load"
        )
    for count, figures in ropes.items():
        print(
            f"{count:>3} environments of two ropes and a ball: {figures['per_simulated_second']:.3f} CPU-s a "
            f"simulated second, {figures['load']:.2f} CPU-s to load"
        )
    for count, figures in cloth.items():
        print(
            f"{count:>3} environments of a sheet of 1,612 nodes: {figures['per_simulated_second']:.3f} CPU-s a "
            f"simulated second, {figures['load']:.2f} CPU-s to load"
        )
    record = {
        "backend": simulator.version(),
        "device": options.device,
        "machine": platform.processor() or platform.machine(),
        "steps_per_second": 60 * options.substeps,
        "first_load_seconds": first_load,
        "law_cpu_seconds": law_seconds,
        "cost": costs,
        "cost_joints": linked,
        "cost_soft": soft,
        "cost_rope": ropes,
        "cost_cloth": cloth,
        "laws": rows,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    stored[options.backend] = record
    RESULTS.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
