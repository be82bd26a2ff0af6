"""Newton's own vertex block descent on two plain scenes: how fast this machine is beside the one of the aims.

    python benchmarks/comparison/solvers.py cloth --seconds 1

Four substeps of five iterations at 60 Hz, no self-contact: what 4.3 (cloth of 1,681 nodes) and 1.7 (729 nodes of a
soft body) CPU-seconds per simulated second were measured with.
"""

import argparse
import json
import math
import time
from typing import Any

import newton
import warp as wp

RATE = 60.0  # [Hz]
SUBSTEPS, ITERATIONS = 4, 5
STATED = {"cloth": 4.3, "soft_body": 1.7}  # [CPU-s per simulated second]


def cloth(builder: Any) -> None:  # Any: a newton ModelBuilder
    """Hang a cloth from one side."""
    builder.add_cloth_grid(
        pos=wp.vec3(0.0, 0.0, 2.0), rot=wp.quat_identity(), vel=wp.vec3(), dim_x=40, dim_y=40, cell_x=0.025,
        cell_y=0.025, mass=0.2 / 1681, fix_left=True, tri_ke=1e3, tri_ka=1e3, tri_kd=0.1, edge_ke=1e-2, edge_kd=0.0,
    )  # fmt: skip


def soft_body(builder: Any) -> None:  # Any: a newton ModelBuilder
    """Drop a cube."""
    builder.add_soft_grid(
        pos=wp.vec3(0.0, 0.0, 0.5), rot=wp.quat_identity(), vel=wp.vec3(), dim_x=8, dim_y=8, dim_z=8, cell_x=0.05,
        cell_y=0.05, cell_z=0.05, density=1000.0, k_mu=1e5, k_lambda=1e5, k_damp=0.0,
    )  # fmt: skip
    builder.add_ground_plane()


SCENES = {"cloth": cloth, "soft_body": soft_body}


def measure(name: str, *, seconds: float) -> float:
    """Return the CPU-seconds per simulated second of a scene, after two frames that load kernels."""
    builder = newton.ModelBuilder()
    SCENES[name](builder)
    builder.color()
    model = builder.finalize(device="cpu")
    solver = newton.solvers.SolverVBD(model, iterations=ITERATIONS, particle_enable_self_contact=False)
    states, control = [model.state(), model.state()], model.control()
    pipeline = newton.CollisionPipeline(model)
    contacts = pipeline.contacts()

    def frame() -> None:
        pipeline.collide(states[0], contacts)
        for _ in range(SUBSTEPS):
            states[0].clear_forces()
            solver.step(states[0], states[1], control, contacts, 1.0 / (RATE * SUBSTEPS))
            states.reverse()

    for _ in range(2):
        frame()
    count = math.ceil(seconds * RATE)
    begin = time.process_time()
    for _ in range(count):
        frame()
    return (time.process_time() - begin) * RATE / count


def main() -> None:
    """Measure one scene and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scene", choices=list(SCENES))
    parser.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args()
    print(json.dumps({"cost": measure(options.scene, seconds=options.seconds), "stated": STATED[options.scene]}))


if __name__ == "__main__":
    main()
