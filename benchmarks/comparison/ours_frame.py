"""One frame of this project's renderer: python ours_frame.py SPEC PRESET FRAME (see side_by_side.py)."""

import sys
from pathlib import Path

import numpy as np
from exchange import cpu_seconds, keep_frame

from simfactory.cameras import camera_to_world
from simfactory.episode import scene_surfaces
from simfactory.rendering import Renderer, find_preset
from simfactory.spec import read_specs
from simfactory.testing.ground_truth import mock_trajectory

FRAME = 1  # the instant that benchmarks/presets.py has references of


def main() -> None:
    """Time the image and all that it needs: placing, the surface buffer (which is depth and ids as well), shading."""
    spec = read_specs(Path(sys.argv[1]))[0]
    preset = find_preset(sys.argv[2])
    renderer = Renderer([(spec, scene_surfaces(spec))], preset=preset.name)
    state, pose = mock_trajectory(spec).state(FRAME), camera_to_world(spec.cameras[0], [FRAME / spec.fps])
    keys = iter(range(1000))

    def color() -> np.ndarray:
        placed = renderer.place([state], 0)
        buffers = renderer.surface(placed, pose, 0)
        return renderer.shade(buffers, placed, pose, next(keys)).tile(0)

    cost, rgb = cpu_seconds(color)
    instance = renderer.surface(renderer.place([state], 0), pose, 0).instance.numpy()[0]
    keep_frame(rgb, instance.astype(np.int64), rgb_cpu_s=cost, samples=preset.samples, denoiser=preset.denoiser)


if __name__ == "__main__":
    main()
