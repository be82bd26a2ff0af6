"""Paints the signals of a clip as 8-bit colour images, the same way in every format."""

import colorsys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from simfactory.dataset import Clip
from simfactory.errors import StoreError
from simfactory.store.disk import disk_errors
from simfactory.store.precision import Array

__all__ = ["Image", "Painter", "painters", "save_bytes"]

# (height, width, 3) uint8, red first.
Image: TypeAlias = NDArray[np.uint8]
Painter: TypeAlias = Callable[[Array], Image]

_GOLDEN = 0.618033988749895
_SHOWN = ("rgb", "depth", "flow_forward", "normal", "instance")
_FLOW_QUANTILE = 0.99


def painters(clip: Clip, frames: list[int]) -> dict[str, Painter]:
    """Return how each image-like signal of `clip` is painted, ranges chosen from the given frames.

    Raises:
        StoreError: The clip has none.
    """
    present = [name for name in _SHOWN if name in clip.signals]
    if not present:
        raise StoreError(f"clip {clip.id} has nothing to show: none of {', '.join(_SHOWN)}; render it with rgb")
    made: dict[str, Painter] = {}
    for name in present:
        sample = [clip.window(frame, 1, modalities=[name])[name] for frame in frames]
        if name == "depth":
            made[name] = _depth_painter(sample)
        elif name == "flow_forward":
            made[name] = _flow_painter(sample)
        else:
            made[name] = {"rgb": _paint_rgb, "normal": _paint_normal, "instance": _paint_instance}[name]
    return made


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
    palette = np.asarray([_id_colour(int(identity)) for identity in ids], dtype=np.uint8)
    return np.asarray(palette[inverse.reshape(values.shape)], dtype=np.uint8)


def _id_colour(identity: int) -> tuple[int, int, int]:
    if identity == 0:
        return 0, 0, 0
    red, green, blue = colorsys.hsv_to_rgb(identity * _GOLDEN % 1.0, 0.65, 0.95)
    return round(red * 255), round(green * 255), round(blue * 255)


def _depth_painter(sample: list[Array]) -> Painter:
    """Near is bright, in steps of equal disparity; black where nothing is hit."""
    finite = [values[np.isfinite(values)].astype(np.float32) for values in sample]
    near = min((values.min() for values in finite if values.size), default=np.float32(1.0))
    far = max((values.max() for values in finite if values.size), default=np.float32(2.0))
    low, high = 1.0 / max(float(far), 1e-6), 1.0 / max(float(near), 1e-6)

    def paint(values: Array) -> Image:
        import cv2

        disparity = 1.0 / np.maximum(values.astype(np.float32), np.float32(1e-6))
        level = np.clip((disparity - low) / max(high - low, 1e-12), 0.0, 1.0)
        painted = cv2.applyColorMap((level * 235 + 20).astype(np.uint8), cv2.COLORMAP_TURBO)
        painted[~np.isfinite(values)] = 0
        return np.asarray(painted[..., ::-1], dtype=np.uint8)

    return paint


def _flow_painter(sample: list[Array]) -> Painter:
    """Direction is hue, speed is saturation; black where undefined."""
    lengths = np.concatenate([np.hypot(*values[0]).ravel() for values in sample])
    lengths = lengths[np.isfinite(lengths)]
    longest = max(float(np.quantile(lengths, _FLOW_QUANTILE)) if lengths.size else 0.0, 1e-3)

    def paint(values: Array) -> Image:
        import cv2

        u, v = values.astype(np.float32)
        hue = np.degrees(np.arctan2(v, u)) % 360.0
        speed = np.clip(np.hypot(u, v) / np.float32(longest), 0.0, 1.0)
        hsv = np.stack([hue, speed, np.ones_like(speed)], axis=-1)
        undefined = ~np.isfinite(hsv).all(axis=-1)
        hsv[undefined] = 0.0
        painted = cv2.cvtColor(hsv.astype(np.float32), cv2.COLOR_HSV2RGB)
        return np.asarray(np.rint(painted * 255), dtype=np.uint8)

    return paint
