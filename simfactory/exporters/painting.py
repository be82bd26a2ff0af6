"""Paints the signals of a clip as 8-bit colour images, the same way in every format."""

import colorsys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from simfactory.dataset import Clip
from simfactory.errors import StoreError
from simfactory.store.disk import disk_errors
from simfactory.store.precision import Array

__all__ = [
    "PAINTED",
    "Image",
    "Painter",
    "Ranges",
    "instance_colour",
    "paint_frame",
    "painters",
    "painting_ranges",
    "save_bytes",
]

# (height, width, 3) uint8, red first.
Image: TypeAlias = NDArray[np.uint8]
Painter: TypeAlias = Callable[[Array], Image]

_GOLDEN = 0.618033988749895
_SHOWN = ("rgb", "depth", "flow_forward", "normal", "instance")
PAINTED = (*_SHOWN, "flow_backward", "scene_flow")  # all that can be painted
_FLOWS = ("flow_forward", "flow_backward", "scene_flow")
_FLOW_QUANTILE = 0.99
_SAMPLES = 4_000_000  # values of which that is taken, at most


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranges:
    """What the ends of the colour scales stand for.

    Attributes:
        near: Least depth [m], shown brightest; None without depth.
        far: Greatest depth [m].
        longest: Length at which a flow's colour is full, by signal: the 0.99 quantile [px; of scene_flow m].
    """

    near: float | None
    far: float | None
    longest: dict[str, float]


def painting_ranges(clip: Clip, frames: Sequence[int], *, names: Sequence[str] = PAINTED) -> Ranges:
    """Return the ranges of values in the given frames."""
    near, far = np.inf, -np.inf
    lengths: dict[str, list[Array]] = {name: [] for name in _FLOWS if name in names and name in clip.signals}
    has_depth = "depth" in names and "depth" in clip.signals
    step = max(1, len(frames) * clip.height * clip.width // _SAMPLES)
    for frame in frames:
        if has_depth:
            depth = clip.window(frame, 1, modalities=["depth"])["depth"]
            finite = depth[np.isfinite(depth)]
            near, far = min(near, finite.min(initial=np.inf)), max(far, finite.max(initial=-np.inf))
        for name, found in lengths.items():
            length = np.linalg.norm(clip.window(frame, 1, modalities=[name])[name][0], axis=0).ravel()[::step]
            found.append(length[np.isfinite(length)])
    near, far = (near, far) if near <= far else (1.0, 2.0)
    longest = {name: _longest(np.concatenate(found)) for name, found in lengths.items()}
    return Ranges(near=float(near) if has_depth else None, far=float(far) if has_depth else None, longest=longest)


def painters(
    clip: Clip, frames: Sequence[int], *, names: Sequence[str] = _SHOWN, ranges: Ranges | None = None
) -> dict[str, Painter]:
    """Return how each image-like signal of `clip` is painted.

    Args:
        clip: The clip.
        frames: Frames from which the ranges are chosen.
        names: Signals that are painted, of `PAINTED`.
        ranges: Ranges that are known already.

    Raises:
        StoreError: The clip has none.
    """
    present = [name for name in names if name in clip.signals]
    if not present:
        raise StoreError(f"clip {clip.id} has nothing to show: none of {', '.join(names)}; render it with rgb")
    found = painting_ranges(clip, frames, names=present) if ranges is None else ranges
    return {name: _painter(name, found) for name in present}


def paint_frame(signals: Mapping[str, Array]) -> dict[str, Image]:
    """Return how the signals of one frame look, ranges chosen from this frame alone; they have no time axis."""
    near, far, longest = 1.0, 2.0, {}
    for name, values in signals.items():
        if name == "depth" and np.isfinite(values).any():
            finite = values[np.isfinite(values)]
            near, far = float(finite.min()), float(finite.max())
        elif name in _FLOWS:
            longest[name] = _longest(np.linalg.norm(values, axis=0).ravel())
    found = Ranges(near=near, far=far, longest=longest)
    return {name: _painter(name, found)(values) for name, values in signals.items() if name in PAINTED}


def _painter(name: str, ranges: Ranges) -> Painter:
    if name == "depth":
        assert ranges.near is not None
        assert ranges.far is not None
        return _depth_painter(ranges.near, ranges.far)
    if name in _FLOWS:
        return _flow_painter(ranges.longest[name])
    return {"rgb": _paint_rgb, "normal": _paint_normal, "instance": _paint_instance}[name]


def _longest(lengths: Array) -> float:
    finite = lengths[np.isfinite(lengths)].astype(np.float32)
    return max(float(np.quantile(finite, _FLOW_QUANTILE)) if finite.size else 0.0, 1e-3)


def save_bytes(path: Path, data: bytes) -> None:
    """Write a finished file, replacing what was there.

    Raises:
        StoreError: It cannot be written.
        ResourceError: The disk is full.
    """
    temporary = path.with_name(f".{path.name}.part")
    with disk_errors(path, needed=len(data)):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(data)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _paint_rgb(values: Array) -> Image:
    return values.astype(np.uint8, copy=False)


def _paint_normal(values: Array) -> Image:
    normal = np.nan_to_num(values.astype(np.float32), nan=-1.0)
    return np.asarray(np.clip(normal * 127.5 + 127.5, 0, 255), dtype=np.uint8)


def _paint_instance(values: Array) -> Image:
    ids, inverse = np.unique(values, return_inverse=True)
    palette = np.asarray([instance_colour(int(identity)) for identity in ids], dtype=np.uint8)
    return np.asarray(palette[inverse.reshape(values.shape)], dtype=np.uint8)


def instance_colour(identity: int) -> tuple[int, int, int]:
    """Return the colour (red, green, blue) in which an instance is painted; the sky is black."""
    if identity == 0:
        return 0, 0, 0
    red, green, blue = colorsys.hsv_to_rgb(identity * _GOLDEN % 1.0, 0.65, 0.95)
    return round(red * 255), round(green * 255), round(blue * 255)


def _depth_painter(near: float, far: float) -> Painter:
    """Near is bright, in steps of equal disparity; black where nothing is hit."""
    low, high = 1.0 / max(far, 1e-6), 1.0 / max(near, 1e-6)

    def paint(values: Array) -> Image:
        import cv2

        disparity = 1.0 / np.maximum(values.astype(np.float32), np.float32(1e-6))
        level = np.clip((disparity - low) / max(high - low, 1e-12), 0.0, 1.0)
        painted = cv2.applyColorMap((level * 235 + 20).astype(np.uint8), cv2.COLORMAP_TURBO)
        painted[~np.isfinite(values)] = 0
        return np.asarray(painted[..., ::-1], dtype=np.uint8)

    return paint


def _flow_painter(longest: float) -> Painter:
    """Direction is hue, length is saturation; black where undefined. Of a flow in the world, that seen from above."""

    def paint(values: Array) -> Image:
        import cv2

        u, v = values[:2].astype(np.float32)
        hue = np.degrees(np.arctan2(v, u)) % 360.0
        speed = np.clip(np.hypot(u, v) / np.float32(longest), 0.0, 1.0)
        hsv = np.stack([hue, speed, np.ones_like(speed)], axis=-1)
        undefined = ~np.isfinite(hsv).all(axis=-1)
        hsv[undefined] = 0.0
        painted = cv2.cvtColor(hsv.astype(np.float32), cv2.COLOR_HSV2RGB)
        return np.asarray(np.rint(painted * 255), dtype=np.uint8)

    return paint
