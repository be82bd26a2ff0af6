"""Clips from arrays in memory and back: what storage adds to the error of ground truth."""

import os
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from simfactory.annotations import annotations
from simfactory.dataset import Clip, open_dataset
from simfactory.spec import SceneSpec
from simfactory.store import ClipWriter, Profile, clip_id, create_dataset
from simfactory.testing.ground_truth.comparison import EXACT, Limits

__all__ = ["store_clip", "stored_arrays", "stored_limits"]

Arrays = Mapping[str, npt.NDArray[np.generic]]


def store_clip(
    folder: str | os.PathLike[str],
    spec: SceneSpec,
    arrays: Arrays,
    *,
    profile: Profile = "portable",
    modalities: Sequence[str] = (),
) -> Clip:
    """Write arrays as the only clip of a new dataset, frame by frame, and open it.

    Args:
        folder: The dataset; must not exist yet.
        spec: The scene.
        arrays: Signal name → array of all frames.
        profile: Precision.
        modalities: What to store; empty = all.
    """
    signals = [signal for annotation in annotations(modalities, spec=spec) for signal in annotation.signals]
    ragged = [signal.name for signal in signals if signal.ragged]
    images = [signal.name for signal in signals if {"time", "y", "x"} <= set(signal.dims)]
    create_dataset(folder, profile=profile)
    height, width = arrays["instance"].shape[1:]
    writer = ClipWriter(
        folder,
        clip_id({"digest": spec.digest(), "profile": profile}),
        signals=signals,
        frame_count=spec.frame_count,
        height=height,
        width=width,
        attributes={"fps": spec.fps},
    )
    with writer:
        for frame in range(spec.frame_count):
            rows = {name: arrays[name][frame] for name in images}
            for name in ragged:
                edges = arrays[f"{name.rpartition('/')[0]}/offsets"].astype(np.int64)
                rows[name] = arrays[name][edges[frame] : edges[frame + 1]]
            writer.append(rows)
        rest = {signal.name: arrays[signal.name] for signal in signals if signal.name not in (*ragged, *images)}
        writer.commit(arrays=rest, attributes={}, row={})
    return open_dataset(folder)[0]


def stored_arrays(clip: Clip) -> dict[str, npt.NDArray[np.generic]]:
    """Return all arrays of a stored clip, in physical units."""
    return {name: clip.read(name) for name in clip.signals}


def stored_limits(clip: Clip, limits: Limits = EXACT) -> Limits:
    """Return the limits for a stored clip: exactness plus what its own storage steps may add."""

    def step(name: str) -> float:
        return clip.encodings[name].scale or 0.0

    depth = float(np.finfo(clip.encodings["depth"].stored.name).eps)
    return limits.stored(
        flow_step=step("flow_forward"),
        scene_flow_step=step("scene_flow"),
        normal_step=step("normal"),
        temperature_step=step("temperature") if "temperature" in clip.signals else 0.0,
        depth_step=depth if clip.encodings["depth"].stored.itemsize < 4 else 0.0,
    )
