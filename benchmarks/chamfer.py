"""The exact 4D Chamfer distance: CPU time, memory and value beside brute force and public implementations.

    pip install scikit-learn faiss-cpu pykdtree        # what is not there is left out, and named
    OMP_NUM_THREADS=1 python benchmarks/chamfer.py --points 20000 200000

Prints its figures and keeps them in results/chamfer.json. Each row is a process of its own: CPU time of all its threads
for both directions, and by how much its peak memory grows over what the same method holds after 100 points.

Sets of points: `room`, all over a room for 2 s, two draws that have nothing to do with each other, the worst for a
tree; `surface`, on three balls that fly for 48 frames, beside the same with errors of 2 cm, as a reward sees them.

Methods: `brute_force`, all pairs in float64, some rows at a time, which the others are held against; `ours`, on a CPU:
SciPy's k-d tree; `ours_cuda`, on a GPU, where there is one: all pairs in float32. Of others only the search is theirs,
and distances to what it finds are ours, in float64: scikit-learn's `NearestNeighbors`, faiss' `IndexFlatL2` (all pairs
in float32) and pykdtree's `KDTree`.
"""

import argparse
import importlib
import importlib.util
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from generate import machine

from training.chamfer import chamfer_4d

RESULTS = Path(__file__).parent / "results" / "chamfer.json"
TIME_SCALE = 0.9  # [m/s], that of the reward
TOLERANCE = 1e-6  # [m]
PAIRS = 1 << 24  # distances that brute force holds at a time
FRAMES, FPS = 48, 24.0
Float64 = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Figures = dict[str, float | int | str]


def room(rng: np.random.Generator, count: int) -> tuple[Float64, Float64]:
    """Return two sets `(count, 4)` of (x, y, z [m], t [s]) all over a room, unrelated."""
    first, second = (
        np.column_stack([rng.uniform(-2.0, 2.0, (count, 3)), rng.uniform(0.0, FRAMES / FPS, count)]) for _ in range(2)
    )
    return first, second


def surface(rng: np.random.Generator, count: int) -> tuple[Float64, Float64]:
    """Return two sets `(count, 4)` of (x, y, z [m], t [s]): points on balls that fly, and the same with errors."""
    seconds, ball = rng.integers(0, FRAMES, count) / FPS, rng.integers(0, 3, count)
    direction = rng.normal(size=(count, 3))
    place = 0.3 * direction / np.linalg.norm(direction, axis=1, keepdims=True)
    velocity = np.array([[1.0, 0.2, 8.0], [-0.5, 1.0, 9.0], [0.3, -1.2, 10.0]])[ball]
    place += velocity * seconds[:, None] - np.array([0.0, 0.0, 4.905]) * seconds[:, None] ** 2
    first = np.column_stack([place, seconds])
    second = first + np.column_stack([rng.normal(0.0, 0.02, (count, 3)), np.zeros(count)])
    return first, rng.permutation(second)


SETS = {"surface": surface, "room": room}


def scaled(points: Float64) -> Float64:
    """Return (x, y, z, λ t) [m]."""
    return points * np.array([1.0, 1.0, 1.0, TIME_SCALE])


def by_neighbours(a: Float64, b: Float64, nearest: Callable[[Float64, Float64], Indices]) -> float:
    """Return the distance [m] by a search for the nearest neighbours of scaled points."""
    first, second = scaled(a), scaled(b)
    forth = np.linalg.norm(first - second[nearest(first, second)], axis=1).mean()
    return float(forth + np.linalg.norm(second - first[nearest(second, first)], axis=1).mean())


def brute_force(a: Float64, b: Float64) -> float:
    """Return it by all pairs."""

    def mean(queries: torch.Tensor, targets: torch.Tensor) -> float:
        rows = max(1, PAIRS // len(targets))
        mode = "donot_use_mm_for_euclid_dist"  # the faster way loses digits of small distances
        parts = [torch.cdist(some, targets, compute_mode=mode).amin(dim=1) for some in queries.split(rows)]
        return float(torch.cat(parts).mean())

    first, second = torch.from_numpy(scaled(a)), torch.from_numpy(scaled(b))
    return mean(first, second) + mean(second, first)


def ours(a: Float64, b: Float64) -> float:
    """Return ours on a CPU."""
    return float(chamfer_4d(a[:, :3], a[:, 3], b[:, :3], b[:, 3], time_scale=TIME_SCALE))


def ours_cuda(a: Float64, b: Float64) -> float:
    """Return ours on a GPU."""
    points = [torch.from_numpy(values).float().cuda() for values in (a[:, :3], a[:, 3], b[:, :3], b[:, 3])]
    return float(chamfer_4d(*points, time_scale=TIME_SCALE))


def scikit_learn(queries: Float64, targets: Float64) -> Indices:
    """Return the nearest targets by scikit-learn."""
    search = importlib.import_module("sklearn.neighbors").NearestNeighbors(n_neighbors=1).fit(targets)
    return np.asarray(search.kneighbors(queries, return_distance=False)[:, 0], np.int64)


def faiss(queries: Float64, targets: Float64) -> Indices:
    """Return the nearest targets by faiss."""
    index = importlib.import_module("faiss").IndexFlatL2(4)
    index.add(targets.astype(np.float32))
    return np.asarray(index.search(queries.astype(np.float32), 1)[1][:, 0], np.int64)


def pykdtree(queries: Float64, targets: Float64) -> Indices:
    """Return the nearest targets by pykdtree."""
    tree = importlib.import_module("pykdtree.kdtree").KDTree(targets)
    return np.asarray(tree.query(queries)[1], np.int64)


OTHERS = {  # how they search, module, package
    "scikit-learn": (scikit_learn, "sklearn", "scikit-learn"),
    "faiss": (faiss, "faiss", "faiss-cpu"),
    "pykdtree": (pykdtree, "pykdtree", "pykdtree"),
}
METHODS: dict[str, Callable[[Float64, Float64], float]] = {
    "brute_force": brute_force,
    "ours": ours,
    "ours_cuda": ours_cuda,
    **{name: lambda a, b, search=search: by_neighbours(a, b, search) for name, (search, _, _) in OTHERS.items()},
}


def why_absent(method: str) -> str:
    """Return why a method cannot be asked on this machine; "" if it can."""
    if method == "ours_cuda":
        return "" if torch.cuda.is_available() else "no GPU"
    return "not installed" if method in OTHERS and importlib.util.find_spec(OTHERS[method][1]) is None else ""


def measure(method: str, kind: str, count: int) -> Figures:
    """Return value, CPU time and memory of a method, in this process."""
    METHODS[method](*SETS[kind](np.random.default_rng(1), 100))  # what is begun once does not count
    a, b = SETS[kind](np.random.default_rng(0), count)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    value = METHODS[method](a, b)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    found: Figures = {
        "sets": kind,
        "points": count,
        "method": method,
        "distance_m": value,
        "cpu_s": round(cpu, 3),
        "wall_s": round(wall, 3),
        "memory_mb": round((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024, 1),
    }
    if method in OTHERS:
        found["version"] = version(OTHERS[method][2])
    if method == "ours_cuda":
        found["gpu"] = torch.cuda.get_device_name()
        found["gpu_memory_mb"] = round(torch.cuda.max_memory_allocated() / 2**20, 1)
    return found


def compare(kind: str, count: int) -> list[Figures]:
    """Return the figures of every method that is there, each from its own process, with its error.

    Raises:
        SystemExit: Ours is not that of all pairs.
    """
    rows: list[Figures] = []
    for method in METHODS:
        if why_absent(method):
            continue
        command = [sys.executable, __file__, "--one", method, kind, str(count)]
        row: Figures = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        row["error_m"] = abs(float(row["distance_m"]) - float((rows or [row])[0]["distance_m"]))
        rows.append(row)
        print(json.dumps(row), flush=True)
    wrong = [row for row in rows if str(row["method"]).startswith("ours") and float(row["error_m"]) > TOLERANCE]
    if wrong:
        raise SystemExit(f"more than {TOLERANCE} m from the distance of all pairs: {wrong}")
    return rows


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--one", nargs=3, metavar=("METHOD", "SETS", "POINTS"), help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.one is not None:
        method, kind, count = options.one
        print(json.dumps(measure(method, kind, int(count))))
        return
    runs = [row for count in options.points for kind in options.sets for row in compare(kind, count)]
    points = " ".join(map(str, options.points))
    report = {
        "what": "4D Chamfer distance of two sets of as many points, both directions, exact",
        "command": f"OMP_NUM_THREADS=1 python benchmarks/chamfer.py --points {points} --sets {' '.join(options.sets)}",
        "machine": machine() | {name: version(name) for name in ("torch", "scipy")},
        "time_scale_m_per_s": TIME_SCALE,
        "threads": torch.get_num_threads(),
        "not_measured": {name: why for name in METHODS if (why := why_absent(name))},
        "runs": runs,
    }
    options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
