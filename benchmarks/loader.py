"""Windows per CPU-second of the training loader, beside other readers and formats of the same clips.

    simfactory generate --category rigid --clips 24 --views 1 --frames 48 --size 128x128 --seed 5 --out out/loader
    simfactory generate --category rigid --clips 12 --views 1 --frames 48 --size 256x256 --seed 5 --out out/loader256
    pip install '.[compare-loaders]'
    OMP_NUM_THREADS=1 python benchmarks/loader.py out/loader out/loader256

Prints its figures and keeps them in results/loader.json. A window is 16 frames of rgb, depth, flow_forward and
instance. `stored` is what the format keeps, as torch tensors; `decoded` is what a model takes: float32 rgb in [-1, 1],
depth, flow and masks of where they are valid. Other formats are decoded by our function, so that reading alone differs.
CPU time is the process's own, all threads, files in the page cache; readers take turns, and the best of several
repeats counts, because whatever else the machine does can only add to it.

What a GPU would take is arithmetic, and says so: see `demand`.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from generate import machine
from loading.readers import READERS, SIGNALS, stored_bytes

from training.data import CachedWindows, Framing, Sample, WindowDataset, WindowKey, Windows, open_source
from training.data.decoding import decoded
from training.data.stored import STEP

RESULTS = Path(__file__).parent / "results" / "loader.json"
LENGTH = 16
DRAWS = 24  # windows of a repeat
Window = dict[str, torch.Tensor]
Read = Callable[[int, int], object]

# NVIDIA's data sheet of the H200 SXM: 1,979 TFLOP/s in BF16 with sparsity, half of it without.
PEAK = 989e12
SCALES = {
    # Wan 2.2 TI2V-5B (its configuration): 30 layers of width 3072; 81 × 480 × 832 is 21 × 15 × 26 tokens.
    "5B": {
        "parameters": 5e9,
        "layers": 30,
        "width": 3072,
        "tokens": 21 * 15 * 26,
        "frames": 81,
        "height": 480,
        "width_px": 832,
        "utilisation": 0.4,
        "passes": 3,  # LoRA with recomputed activations: forward twice, backward to the activations
    },
    # The largest of the tiny transformers that are foreseen: 64 × 64 × 24 in patches of 1 × 8 × 8 pixels.
    "tiny": {
        "parameters": 45e6,
        "layers": 12,
        "width": 512,
        "tokens": 24 * 8 * 8,
        "frames": 24,
        "height": 64,
        "width_px": 64,
        "utilisation": 0.3,
        "passes": 3,  # all weights: forward, backward to activations and to weights
    },
}


def demand(scale: dict[str, float]) -> dict[str, float]:
    """Return how many windows an H200 takes a second when it waits for nothing else, and their bytes.

    A pass through the weights is 2 N T FLOP, one through attention 4 T² d L (N parameters, T tokens, d width, L
    layers): Kaplan et al., "Scaling laws for neural language models" (2020), section 2.1. `utilisation`, the share of
    the peak that training reaches, is assumed.
    """
    tokens = scale["tokens"]
    once = 2 * scale["parameters"] * tokens + 4 * tokens**2 * scale["width"] * scale["layers"]
    work = scale["passes"] * once
    pixels = scale["frames"] * scale["height"] * scale["width_px"]
    raw = pixels * (3 + 2 + 4 + 2)  # rgb, depth, flow, ids as stored
    rate = PEAK * scale["utilisation"] / work
    return {
        "tflop_per_window": round(work / 1e12, 2),
        "windows_per_s": round(rate, 2),
        "pixels_per_window": pixels,
        "megabytes_per_s_uncompressed": round(rate * raw / 1e6, 1),
    }


def keys(dataset: WindowDataset, place: str) -> list[tuple[int, int]]:
    """Return (clip, start) of the windows of a repeat: anywhere, or on multiples of eight frames."""
    rng = np.random.default_rng(7)
    clips = dataset.sources[0].dataset
    picked = rng.integers(0, len(clips), DRAWS)
    room = clips[0].frame_count - LENGTH
    starts = rng.integers(0, room + 1, DRAWS) if place == "random" else rng.integers(0, room // 8 + 1, DRAWS) * 8
    return [(int(clip), int(start)) for clip, start in zip(picked, starts, strict=True)]


def stored_tensors(window: dict[str, np.ndarray], scale: float) -> Window:
    """Return another reader's window as the loader's `read_stored` gives it."""
    tensors = {
        name: torch.from_numpy(np.ascontiguousarray(values.astype(np.int32) if name == "instance" else values))
        for name, values in window.items()
    }
    return {**tensors, f"flow_forward{STEP}": torch.tensor(scale)}


def readings(
    dataset: WindowDataset, stored: WindowDataset, folder: Path
) -> tuple[dict[str, dict[str, Read]], dict[str, float]]:
    """Return what is measured (form of the window → reader → how it reads), and kilobytes a frame by format."""
    sizes: dict[str, float] = {}
    clips = list(stored.sources[0].dataset)
    side = (clips[0].height, clips[0].width)
    scales = [clip.encodings["flow_forward"].scale or 1.0 for clip in clips]

    def ours(which: WindowDataset) -> Read:
        return lambda clip, start: which[WindowKey(source=0, clip_id=clips[clip].id, start=start)]

    forms: dict[str, dict[str, Read]] = {"stored": {"ours": ours(stored)}, "decoded": {"ours": ours(dataset)}}
    for kind in READERS:
        reader = kind(clips, folder / kind.name)
        check(reader.window(1, 5, LENGTH), clips[1].window(5, LENGTH, modalities=SIGNALS, physical=False), kind.name)

        def plain(clip: int, start: int, reader: object = reader) -> Window:
            return stored_tensors(reader.window(clip, start, LENGTH), scales[clip])

        def full(clip: int, start: int, plain: Callable[[int, int], Window] = plain) -> Window:
            return decoded(plain(clip, start), outputs=SIGNALS, framing=Framing(), part=side)

        forms["stored"][kind.name], forms["decoded"][kind.name] = plain, full
        size = stored_bytes(reader, clips, folder / kind.name)
        frames = sum(clip.frame_count for clip in clips)
        sizes[kind.name] = round(size / frames / 1e3, 1)
        print(f"{kind.name}: {sizes[kind.name]} KB a frame", flush=True)
    return forms, sizes


def check(window: dict[str, np.ndarray], expected: dict[str, np.ndarray], name: str) -> None:
    """Make sure that a reader reads what the store holds."""
    for signal in SIGNALS:
        np.testing.assert_array_equal(window[signal], expected[signal], err_msg=f"{name} {signal}")


def measure(path: Path, folder: Path, *, repeats: int) -> dict[str, object]:
    """Return windows per CPU-second of every reader on one dataset."""
    source = open_source(path)
    windows = Windows(length=LENGTH)
    dataset = WindowDataset([source], windows=windows, outputs=SIGNALS)
    stored = WindowDataset([source], windows=windows, outputs=SIGNALS, decode=False)
    figures: dict[str, dict[str, dict[str, float]]] = {}
    forms, sizes = readings(dataset, stored, folder)
    for form, reads in forms.items():
        times: dict[tuple[str, str], list[float]] = {}
        for _ in range(repeats + 1):  # the first fills caches
            for name, read in reads.items():
                for place in ("random", "aligned"):
                    begin = time.process_time()
                    for clip, start in keys(dataset, place):
                        read(clip, start)
                    times.setdefault((name, place), []).append(time.process_time() - begin)
        figures[form] = {
            name: {place: round(DRAWS / min(times[name, place][1:]), 1) for place in ("random", "aligned")}
            for name in reads
        }
        for name, rates in figures[form].items():
            print(f"{form:8} {name:12} {rates}", flush=True)
    clip = source.dataset[0]
    return {
        "clips": len(source.dataset),
        "size": f"{clip.width}x{clip.height}, {clip.frame_count} frames",
        "windows_per_cpu_second": figures,
        "kilobytes_per_frame": sizes,
    }


class Latents:
    """Stands for a codec: tensors of the size that the 5B scale keeps of a window, drawn at random."""

    def __call__(self, sample: Sample) -> Window:
        """Return tensors that are kept of a window."""
        scale = SCALES["5B"]
        grid = (21, 30, 52)
        return {
            "latents": torch.randn(48, *grid).half(),  # the autoencoder's strides are 4 × 16 × 16
            "depth": torch.rand(int(scale["frames"]), 60, 104).half(),  # targets at an eighth of the picture
            "motion": torch.rand(int(scale["frames"]), 4, 60, 104).half(),
        }


def measure_cache(path: Path, folder: Path, *, repeats: int) -> dict[str, float]:
    """Return how many windows of cached latents of the 5B scale are read in a CPU-second."""
    source = open_source(path)
    dataset = WindowDataset([source], windows=Windows(length=LENGTH), outputs=["rgb"])
    cache = CachedWindows(dataset, folder=folder, codec=Latents(), digest="random", max_bytes=1 << 30)
    wanted = [WindowKey(source=0, clip_id=clip_id, start=0) for clip_id in source.dataset.ids[:12]]
    cache.fill(wanted)
    times = []
    for _ in range(repeats):
        begin = time.process_time()
        for key in wanted:
            cache[key]
        times.append(time.process_time() - begin)
    size = cache.kept_bytes() / len(wanted)
    return {"megabytes_per_window": round(size / 1e6, 1), "windows_per_cpu_second": round(len(wanted) / min(times), 1)}


def cores(needed: dict[str, float], run: dict[str, object]) -> float:
    """Return how many cores read what a GPU takes, by decoded pixels: windows of other sizes are not measured."""
    side = [int(number) for number in str(run["size"]).partition(",")[0].split("x")]
    rate = run["windows_per_cpu_second"]["stored"]["ours"]["random"]
    return round(needed["windows_per_s"] * needed["pixels_per_window"] / (rate * LENGTH * side[0] * side[1]), 2)


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="+", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)  # as in a worker
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for number, path in enumerate(options.datasets):
            print(path, flush=True)
            runs.append(measure(path, Path(folder, str(number)), repeats=options.repeats))
        cached = measure_cache(options.datasets[0], Path(folder, "cache"), repeats=options.repeats)
    needs = {name: demand(scale) for name, scale in SCALES.items()}
    for needed in needs.values():
        needed["cores_that_read_it_stored"] = statistics.median([cores(needed, run) for run in runs])
    needs["5B"]["cores_that_read_cached_latents"] = round(
        needs["5B"]["windows_per_s"] / cached["windows_per_cpu_second"], 3
    )
    report = {
        "what": f"windows of {LENGTH} frames of {', '.join(SIGNALS)}, per CPU-second",
        "command": " ".join(["OMP_NUM_THREADS=1 python benchmarks/loader.py", *sys.argv[1:]]),
        "machine": machine() | {name: version(name) for name in ("tensorstore", "torch", "h5py")},
        "runs": runs,
        "cached_latents": cached,
        "an_h200_takes": needs,
        "assumed": SCALES,
    }
    print(json.dumps({"cached_latents": cached, "an_h200_takes": needs}, indent=1))
    RESULTS.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
