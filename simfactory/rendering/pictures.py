"""Images on the device: mip levels of all textures and normal maps that the scenes name."""

import functools
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.maps import load_image
from simfactory.rendering.arrays import Records, records
from simfactory.rendering.color import linear
from simfactory.rendering.kernels.pictures import Picture, Pictures
from simfactory.spec import ImageTexture, UvTexture, VisualMaterial

__all__ = ["Gallery", "mip_levels", "slopes"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

STEEPEST = 4.0  # slope of a relief


class Gallery:
    """All images of a renderer, each once.

    Attributes:
        pictures: What kernels read.
    """

    def __init__(self, visuals: Iterable[VisualMaterial], device: wp.Device) -> None:
        """Upload the images of materials.

        Raises:
            AssetError: An image is missing or unreadable.
        """
        self._index: dict[tuple[str, str], int] = {}
        self._means: list[Float64] = []
        texels: list[Float32] = []
        rows: list[Records] = []
        for key in dict.fromkeys(key for visual in visuals for key in _keys(visual)):
            levels = _levels(*key)
            record = records(Picture, 1)
            record["first"] = sum(map(len, texels))
            record["rows"], record["columns"] = levels[0].shape[:2]
            record["levels"] = len(levels)
            self._index[key] = len(rows)
            self._means.append(levels[-1].reshape(3).astype(np.float64))
            rows.append(record)
            texels.extend(level.reshape(-1, 3) for level in levels)
        self.pictures = Pictures()
        # An empty array has no address.
        every = np.concatenate(rows or [records(Picture, 1)])
        self.pictures.images = wp.array(every, dtype=Picture, device=device)
        values = np.concatenate(texels or [np.zeros((1, 3), np.float32)])
        self.pictures.texels = wp.array(values, dtype=wp.vec3, device=device)
        self.pictures.coordinates = wp.zeros(1, dtype=wp.vec2, device=device)

    def texture(self, visual: VisualMaterial) -> int:
        """Return the index of a material's image texture; -1 without one."""
        texture = visual.texture
        return self._index[texture.digest, "texture"] if isinstance(texture, ImageTexture | UvTexture) else -1

    def relief(self, visual: VisualMaterial) -> int:
        """Return the index of a material's normal map; -1 without one."""
        return self._index[visual.normal_map.digest, "normal"] if visual.normal_map is not None else -1

    def mean(self, index: int) -> Float64:
        """Return the mean value of an image `(3,)`."""
        return self._means[index]


def _keys(visual: VisualMaterial) -> list[tuple[str, str]]:
    keys = [(visual.texture.digest, "texture")] if isinstance(visual.texture, ImageTexture | UvTexture) else []
    return keys if visual.normal_map is None else [*keys, (visual.normal_map.digest, "normal")]


@functools.lru_cache(maxsize=32)
def _levels(digest: str, kind: str) -> tuple[Float32, ...]:
    if kind == "texture":
        return mip_levels(linear(load_image(digest, "texture") / 255.0))
    return mip_levels(slopes(load_image(digest, "normal")))


def slopes(image: npt.NDArray[np.uint8]) -> Float64:
    """Return the slopes of a normal map, right and up, and the sum of their squares `(height, width, 3)`.

    The mean slope is taken out: a repeated relief does not tilt the surface it lies on. The squares averaged over a
    footprint, less the square of the averaged slopes, are the roughness that the relief leaves when seen from afar.

    Source: M. Olano, D. Baker, "LEAN mapping" (2010).
    """
    normal = image.astype(np.float64) / 127.5 - 1.0
    slope = np.clip(normal[..., :2] / np.maximum(normal[..., 2:], 0.1), -STEEPEST, STEEPEST)
    slope -= slope.mean(axis=(0, 1))
    return np.concatenate([slope, (slope**2).sum(axis=-1, keepdims=True)], axis=-1)


def mip_levels(image: Float64) -> tuple[Float32, ...]:
    """Return an image `(height, width, 3)` with edges of powers of two at every size down to one texel.

    Source: L. Williams, "Pyramidal parametrics" (1983).
    """
    levels = [image]
    while levels[-1].shape[:2] != (1, 1):
        height, width = levels[-1].shape[:2]
        rows, columns = min(height, 2), min(width, 2)
        levels.append(levels[-1].reshape(height // rows, rows, width // columns, columns, 3).mean(axis=(1, 3)))
    return tuple(level.astype(np.float32) for level in levels)
