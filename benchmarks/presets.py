"""Quality of the render presets: error and flicker on six fixed scenes against many-sample references.

    python benchmarks/presets.py                      # judge all presets, write results/presets.json
    python benchmarks/presets.py --references 4096    # add samples to the references until each has so many

References are the mean of frames of preset `reference`, each with its own random numbers: path-traced with the same
estimator as `standard` and `high`, without denoiser, further edge samples or limit on bright paths.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from simfactory.cameras import camera_to_world
from simfactory.episode import scene_surfaces
from simfactory.rendering import Renderer, find_preset
from simfactory.rendering.color import display_values
from simfactory.spec import read_specs
from simfactory.testing.ground_truth import mock_trajectory

FOLDER = Path(__file__).parent
SCENES = ("indoor", "outdoor", "mirrors_glass", "cloth", "night", "relief")
PRESETS = ("draft", "standard", "high")
FRAME = 1  # the instant that is shown
FLICKER_FRAMES = 4

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]


class Still:
    """One scene at one instant, rendered with a preset as often as wanted."""

    def __init__(self, name: str, preset: str) -> None:
        """Open the scene of a name."""
        spec = read_specs(FOLDER / "scenes" / f"{name}.json")[0]
        self._renderer = Renderer([(spec, scene_surfaces(spec))], preset=preset)
        self._pose = camera_to_world(spec.cameras[0], [FRAME / spec.fps])
        self._placed = self._renderer.place([mock_trajectory(spec).state(FRAME)], 0)
        self._buffers = self._renderer.surface(self._placed, self._pose, 0)

    def rgb(self, key: int) -> UInt8:
        """Return the image `(height, width, 3)` with one set of random numbers."""
        image = self._renderer.shade(self._buffers, self._placed, self._pose, key)
        return np.copy(image.tile(0))

    def light(self, key: int) -> Float32:
        """Return the linear light `(height, width, 3)` with one set of random numbers."""
        image = self._renderer.shade(self._buffers, self._placed, self._pose, key)
        return np.array(image.light.numpy()[0], np.float32)


def reference_file(name: str) -> Path:
    """Return where a scene's reference is kept."""
    return FOLDER / "scenes" / f"{name}.npz"


def reference(name: str) -> tuple[npt.NDArray[np.float64], int]:
    """Return a scene's reference as display values 0–255 `(height, width, 3)`, and its samples per pixel."""
    with np.load(reference_file(name)) as kept:
        preset = find_preset("high")
        values = display_values(kept["light"], exposure=preset.exposure, contrast=preset.contrast)
        return values, int(kept["samples"])


def add_samples(names: list[str], *, wanted: int) -> None:
    """Render references until each has as many samples per pixel as wanted; every step is kept."""
    per_frame = find_preset("reference").samples
    stills = {name: Still(name, "reference") for name in names}
    totals = {name: np.zeros(1) for name in names}
    counts = dict.fromkeys(names, 0)
    while min(counts.values()) < wanted:
        for name, still in stills.items():
            totals[name] = totals[name] + still.light(1000 + counts[name] // per_frame).astype(np.float64)
            counts[name] += per_frame
            mean = totals[name] * per_frame / counts[name]
            np.savez_compressed(reference_file(name), light=mean.astype(np.float16), samples=counts[name])
        print(counts, flush=True)


def decibels(error: npt.NDArray[np.float64]) -> float:
    """Return the peak signal-to-noise ratio of differences of display values 0–255 [dB]."""
    return float(10.0 * np.log10(255.0**2 / max(np.mean(error**2), 1e-12)))


def judge(name: str, preset: str) -> dict[str, float]:
    """Measure one preset on one scene: error, flicker of a still view, and cost of shading."""
    truth, _ = reference(name)
    still = Still(name, preset)
    still.rgb(0)
    begin = time.process_time()
    frames = np.stack([still.rgb(key) for key in range(FLICKER_FRAMES)]).astype(np.float64)
    cost = (time.process_time() - begin) / FLICKER_FRAMES
    return {
        "psnr_db": round(float(np.mean([decibels(frame - truth) for frame in frames])), 2),
        "bias": round(float((frames.mean(axis=0) - truth).mean()), 3),
        "flicker": round(float(np.sqrt(np.mean(np.diff(frames, axis=0) ** 2))), 3),
        "shade_cpu_s": round(cost, 4),
    }


def main() -> None:
    """Judge presets, or render references."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--references", type=int, help="render references with so many samples per pixel")
    parser.add_argument("--scenes", nargs="+", default=list(SCENES))
    parser.add_argument("--presets", nargs="+", default=list(PRESETS))
    parser.add_argument("--out", type=Path, default=FOLDER / "results" / "presets.json")
    options = parser.parse_args()
    if options.references:
        add_samples(options.scenes, wanted=options.references)
        return
    report = {
        "units": {
            "psnr_db": "of sRGB against the reference, mean of frames",
            "bias": "mean difference, display values 0-255",
            "flicker": "rms difference of successive frames of a still view, display values 0-255",
            "shade_cpu_s": "CPU-seconds of shading and denoising one 256x256 frame, one thread",
        },
        "reference_samples": {name: reference(name)[1] for name in options.scenes},
        "presets": {preset: {name: judge(name, preset) for name in options.scenes} for preset in options.presets},
    }
    for preset, rows in report["presets"].items():
        for name, row in rows.items():
            print(preset, name, row)
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
