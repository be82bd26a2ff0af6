"""Measures the clip store on a synthetic 256 x 256 scene: bytes and CPU per frame, windows per CPU-second.

Run it with `python benchmarks/store.py`; it prints its figures and stores them in `benchmarks/results/store.json`.
CPU time is the process's own, all threads; every figure is the best of several repeats, because whatever else the
machine does can only add to it.
"""

import argparse
import itertools
import json
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import zarr

from simfactory.dataset import open_dataset
from simfactory.signals import Precision, Signal
from simfactory.store import PROFILES, ClipWriter, DatasetFolder, Profile, clip_id, create_dataset

RESULTS = Path(__file__).parent / "results" / "store.json"
SIDE, FRAMES, WINDOW = 256, 48, 16
CORE = ("rgb", "depth", "flow_forward", "instance")
IMAGE = ("time", "y", "x")
PLACES = {"random": [3, 21, 9, 30, 14, 5, 27, 18, 1, 31, 11, 23], "aligned": [0, 8, 16, 24, 32] * 2}
Frame = dict[str, np.ndarray]
NAN, INF = float("nan"), float("inf")
FLOW = Precision(dtype="int16", scale=1 / 64, scale_max=1 / 8)
SIGNALS = [
    Signal(name="rgb", dims=(*IMAGE, "channel"), dtype="uint8", unit="1", description="Colour."),
    Signal(
        name="depth",
        dims=IMAGE,
        dtype="float32",
        unit="m",
        description="Depth.",
        fill=INF,
        precision=Precision(dtype="float16"),
    ),
    *(
        Signal(
            name=name,
            dims=("time", "uv", "y", "x"),
            dtype="float32",
            unit="px",
            description="Flow.",
            fill=NAN,
            precision=FLOW,
        )
        for name in ("flow_forward", "flow_backward")
    ),
    Signal(
        name="scene_flow",
        dims=("time", "xyz", "y", "x"),
        dtype="float32",
        unit="m",
        description="Scene flow.",
        fill=NAN,
        precision=Precision(dtype="int16", scale=1e-4, scale_max=1e-2),
    ),
    Signal(
        name="normal",
        dims=(*IMAGE, "xyz"),
        dtype="float32",
        unit="1",
        description="Normal.",
        fill=NAN,
        precision=Precision(dtype="int8", scale=1 / 127),
    ),
    Signal(name="instance", dims=IMAGE, dtype="uint16", unit="id", description="Instance."),
    Signal(name="mask", dims=IMAGE, dtype="uint8", unit="1", description="Mask bits."),
]


def texture(rng: np.random.Generator, side: int) -> np.ndarray:
    """Return a (side, side, 3) texture [0, 1]: coarse to fine noise, as painted surfaces have it."""
    total = np.zeros((side, side, 3), dtype=np.float32)
    for cells in (4, 16, 64, 256):
        layer = rng.random((cells, cells, 3), dtype=np.float32)
        total += cv2.resize(layer, (side, side), interpolation=cv2.INTER_CUBIC) / np.sqrt(cells)
    return (total - total.min()) / np.ptp(total)


class Scene:
    """Textured balls before a textured slanted wall under a sky, seen by a camera that slides and turns.

    `moving` has 5 balls and a still camera, `dense` 40 balls and a moving one.
    """

    def __init__(self, *, balls: int, camera_speed: float, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.camera_speed = camera_speed
        self.wall, self.skin = texture(rng, 1024), texture(rng, 512)
        self.start = rng.uniform([20, 60], [236, 236], (balls, 2)).astype(np.float32)
        self.velocity = rng.normal(0, 3, (balls, 2)).astype(np.float32)
        self.radius = rng.uniform(10, 40, balls).astype(np.float32) * (1 if balls < 10 else 0.6)
        self.distance = np.sort(rng.uniform(2, 8, balls))[::-1].astype(np.float32)
        self.v, self.u = np.mgrid[:SIDE, :SIDE].astype(np.float32) + 0.5

    def frame(self, time_index: int) -> Frame:
        """Return every signal of one frame."""
        u, v = self.u, self.v
        shift = self.camera_speed * time_index
        sky = v < 40
        depth = 60 / (1 + v / 24 + 0.002 * u)
        parallax = self.camera_speed * 9 / depth
        flow = np.stack([-parallax * (1 + u / 900), 0.02 * parallax * (v - 128) / 16])
        colour = cv2.remap(self.wall, (u * 2 + shift * 18 / depth) % 1023, v * 3 % 1023, cv2.INTER_LINEAR)
        colour *= (0.6 + 0.4 * v / SIDE)[..., None]
        colour[sky] = np.stack([0.5 + v / 120, 0.7 + v / 200, np.ones_like(v)], axis=-1)[sky]
        normal = np.broadcast_to(np.array([0.0, -0.6, 0.8], np.float32), (SIDE, SIDE, 3)).copy()
        instance = np.where(sky, 0, 1).astype(np.uint16)
        motion = np.zeros((3, SIDE, SIDE), np.float32)
        depth[sky], flow[:, sky], normal[sky], motion[:, sky] = INF, NAN, NAN, NAN
        for index, (start, velocity, radius) in enumerate(zip(self.start, self.velocity, self.radius, strict=True)):
            centre = start + velocity * time_index - np.array([shift, 0])
            centre = np.abs((centre + SIDE) % (2 * SIDE) - SIDE)
            x, y = (u - centre[0]) / radius, (v - centre[1]) / radius
            squared = x * x + y * y
            hit = squared < 1
            x, y, z = x[hit], y[hit], np.sqrt(1 - squared[hit])
            spin = 0.05 * time_index * (1 + index % 3)
            look = cv2.remap(
                self.skin,
                ((np.arctan2(x, z) + spin) * 90 % 511).astype(np.float32),
                ((y + 1) * 200).astype(np.float32),
                cv2.INTER_LINEAR,
            )
            colour[hit] = look[:, 0] * (0.25 + 0.75 * np.clip(0.4 * x - 0.6 * y + 0.7 * z, 0, 1))[:, None]
            depth[hit] = self.distance[index] * (1 - 0.05 * z)
            turn = 0.05 * (1 + index % 3) * radius
            flow[:, hit] = np.stack([velocity[0] + turn * z - self.camera_speed, velocity[1] + 0 * z])
            normal[hit] = np.stack([x, -y, -z], axis=-1)
            motion[:, hit] = np.stack([velocity[0] + turn * z, 0 * z, -velocity[1] + 0 * z]) / 100
            instance[hit] = index + 2
        mask = np.where(sky, 0, 1) | np.where(np.isfinite(flow).all(0) & (u + flow[0] < 0), 4, 0)
        smooth = cv2.GaussianBlur(colour, (3, 3), 0.5)
        return {
            "rgb": np.clip(np.rint(smooth * 255), 0, 255).astype(np.uint8),
            "depth": depth.astype(np.float32),
            "flow_forward": flow.astype(np.float32),
            "flow_backward": -flow.astype(np.float32),
            "scene_flow": motion,
            "normal": normal.astype(np.float32),
            "instance": instance,
            "mask": mask.astype(np.uint8),
        }


def best(repeats: int, work: Callable[[], object]) -> float:
    """Return the least CPU time of `work` [s]."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def write(dataset: DatasetFolder, number: int, frames: list[Frame], names: Sequence[str]) -> None:
    """Write and commit one clip with the named signals."""
    with ClipWriter(
        dataset,
        clip_id({"benchmark": number}),
        signals=[signal for signal in SIGNALS if signal.name in names],
        frame_count=len(frames),
        height=SIDE,
        width=SIDE,
        attributes={"fps": 24.0},
    ) as writer:
        for frame in frames:
            writer.append({name: frame[name] for name in names})
        writer.commit(arrays={}, attributes={}, row={"index": number})


def write_files(folder: Path, frames: list[Frame]) -> int:
    """Write the core as one PNG or npy file per frame and signal, the baseline; return the bytes."""
    for k, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"rgb_{k}.png"), frame["rgb"][..., ::-1])
        cv2.imwrite(str(folder / f"instance_{k}.png"), frame["instance"])
        np.save(folder / f"depth_{k}.npy", frame["depth"])
        np.save(folder / f"flow_forward_{k}.npy", frame["flow_forward"])
    return sum(file.stat().st_size for file in folder.iterdir())


def read_files(folder: Path, start: int) -> list[np.ndarray]:
    """Read one window of the baseline."""
    window = range(start, start + WINDOW)
    return [
        *(np.stack([cv2.imread(str(folder / f"{n}_{k}.png"), -1) for k in window]) for n in ("rgb", "instance")),
        *(np.stack([np.load(folder / f"{n}_{k}.npy") for k in window]) for n in ("depth", "flow_forward")),
    ]


def windows_per_second(read: Callable[[int], object], starts: list[int], repeats: int) -> float:
    """Return windows read per CPU-second."""
    return len(starts) / best(repeats, lambda: [read(start) for start in starts])


def measure_reading(path: Path, repeats: int) -> dict[str, float]:
    """Return windows per CPU-second of the reader and of plain zarr-python, on the same clip."""
    figures: dict[str, float] = {}
    for engine in ("tensorstore", "zarr"):
        clip = open_dataset(path, engine=engine)[0]
        for physical in (False, True):
            for place, starts in PLACES.items():
                read = partial(clip.window, length=WINDOW, modalities=CORE, physical=physical)
                label = f"{engine} {'physical' if physical else 'stored'} {place}"
                figures[label] = windows_per_second(read, starts, repeats)
    group = zarr.open_group(clip.path, mode="r")
    arrays = [group[name] for name in CORE]
    for place, starts in PLACES.items():
        figures[f"plain zarr-python {place}"] = windows_per_second(
            lambda start: [array[start : start + WINDOW] for array in arrays], starts, repeats
        )
    return {label: round(rate, 1) for label, rate in figures.items()}


def measure_profile(folder: Path, profile: Profile, frames: list[Frame], repeats: int) -> dict[str, object]:
    """Return every figure of one profile on one scene."""
    every = [signal.name for signal in SIGNALS]
    dataset = create_dataset(folder, profile=profile)
    write(dataset, 0, frames, every)
    numbers = itertools.count(1)
    core = best(repeats, lambda: write(dataset, next(numbers), frames, CORE))
    whole = best(repeats, lambda: write(dataset, next(numbers), frames, every))
    sizes = {name: size / FRAMES for name, size in open_dataset(dataset)[0].stored_bytes().items()}
    return {
        "bytes_per_frame": {name: round(size) for name, size in sizes.items()},
        "core_kilobytes_per_frame": round(sum(sizes[name] for name in CORE) / 1000, 1),
        "all_kilobytes_per_frame": round(sum(sizes.values()) / 1000, 1),
        "core_write_cpu_ms_per_frame": round(core / FRAMES * 1000, 2),
        "all_write_cpu_ms_per_frame": round(whole / FRAMES * 1000, 2),
        "windows_per_cpu_second": measure_reading(folder, repeats),
    }


def measure_files(folder: Path, frames: list[Frame], repeats: int) -> dict[str, object]:
    """Return the figures of the baseline on one scene."""
    folder.mkdir()
    cpu = best(repeats, lambda: write_files(folder, frames))
    return {
        "core_kilobytes_per_frame": round(write_files(folder, frames) / FRAMES / 1000, 1),
        "core_write_cpu_ms_per_frame": round(cpu / FRAMES * 1000, 2),
        "windows_per_cpu_second": {
            place: round(windows_per_second(partial(read_files, folder), starts, repeats), 1)
            for place, starts in PLACES.items()
        },
    }


def main() -> None:
    """Measure both scenes, print and store the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="repeats per figure; the best counts")
    parser.add_argument("--output", type=Path, default=RESULTS, help="JSON file to write")
    arguments = parser.parse_args()
    scenes = {"moving": Scene(balls=5, camera_speed=0.0), "dense": Scene(balls=40, camera_speed=1.3)}
    report: dict[str, object] = {
        "what": f"{SIDE} x {SIDE}, {FRAMES} frames; core = {', '.join(CORE)}; windows of {WINDOW} frames of the core",
        "machine": {"cpu": platform.machine(), "python": platform.python_version(), "numpy": np.__version__},
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, scene in scenes.items():
            frames = [scene.frame(k) for k in range(FRAMES)]
            report[name] = {
                **{p: measure_profile(Path(folder, f"{name}-{p}"), p, frames, arguments.repeats) for p in PROFILES},
                "one file per frame (baseline)": measure_files(
                    Path(folder, f"{name}-files"), frames, arguments.repeats
                ),
            }
    text = json.dumps(report, indent=2)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
