"""Materials on the device: colours, textures, reliefs."""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from simfactory.episode import Surface
from simfactory.rendering.arrays import Records, records
from simfactory.rendering.color import linear
from simfactory.rendering.kernels.look import Material
from simfactory.rendering.kernels.textures import (
    BRUSHED,
    CHECKER,
    FABRIC,
    IMAGE,
    MARBLE,
    NOISE,
    PLAIN,
    PLANKS,
    STONE,
    STRIPES,
    WOOD,
)
from simfactory.rendering.pictures import Gallery
from simfactory.spec import Brushed, Fabric, ImageTexture, Noise, SceneSpec, Stone, Texture, UvTexture, VisualMaterial

__all__ = ["material", "mean_color"]

Float64 = npt.NDArray[np.float64]

TEXTURES: Mapping[str, int] = MappingProxyType(
    {
        "checker": CHECKER,
        "stripes": STRIPES,
        "noise": NOISE,
        "marble": MARBLE,
        "wood": WOOD,
        "stone": STONE,
        "fabric": FABRIC,
        "brushed": BRUSHED,
        "image": IMAGE,
        "uv": IMAGE,
    }
)
REGULAR = ("checker", "stripes", "fabric")
SHIFT = (0.2137, 0.3371, 0.2891)  # [period] of regular patterns: their borders miss faces at round coordinates


def material(spec: SceneSpec, surface: Surface, gallery: Gallery, *, first_corner: int = -1) -> Records:
    """Return the record of a surface's material; its texture coordinates begin at `first_corner`, -1 = it has none."""
    visual, texture = surface.visual, surface.visual.texture
    record = records(Material, 1)
    record["base"] = record["second"] = record["mean"] = linear(visual.base_color)
    record["texture"], record["period"], record["first_corner"] = PLAIN, 1.0, -1
    record["image"], record["relief"] = gallery.texture(visual), gallery.relief(visual)
    if texture is not None:
        record["texture"] = TEXTURES[texture.pattern]
        record["mean"] = mean_color(visual, gallery)
        record["shape"] = _shape(texture)
        if surface.body is None and texture.pattern == "wood":
            record["texture"] = PLANKS
        if isinstance(texture, UvTexture):
            record["first_corner"] = first_corner
        else:
            record["period"] = texture.scale
        if not isinstance(texture, ImageTexture | UvTexture):
            record["second"] = linear(texture.color)
            record["offset"] = SHIFT if texture.pattern in REGULAR else _scattered(spec, surface)
    if visual.normal_map is not None:
        record["relief_period"], record["relief_strength"] = visual.normal_map.scale, visual.normal_map.strength
    record["roughness"], record["metallic"] = visual.roughness, visual.metallic
    record["transmission"], record["refractive_index"] = visual.transmission, visual.refractive_index
    return record


def mean_color(visual: VisualMaterial, gallery: Gallery) -> Float64:
    """Return the linear colour of a material seen from afar `(3,)`."""
    color = linear(visual.base_color)
    match visual.texture:
        case None:
            return color
        case ImageTexture() | UvTexture():
            return np.asarray(color * gallery.mean(gallery.texture(visual)))
        case Stone():
            share = _stone_mean(visual.texture)
            return np.asarray((1.0 - share) * color + share * linear(visual.texture.color))
        case _:
            return np.asarray(0.5 * (color + linear(visual.texture.color)))


def _stone_mean(texture: Stone) -> float:
    """Return the mean share of the second colour: that of the cells, and of the joints between them (measured)."""
    joints = min(2.9 * texture.joint, 1.0)
    return (1.0 - joints) * 0.375 + joints


def _shape(texture: Texture) -> tuple[float, float, float, float]:
    """Return a texture's further parameters as its kernel expects them."""
    match texture:
        case Noise():
            return texture.octaves, texture.gain, texture.warp, texture.ridged
        case Stone():
            return texture.joint, texture.grain, _stone_mean(texture), 0.0
        case Fabric():
            return texture.float_length, texture.thickness, 0.0, 0.0
        case Brushed():
            return texture.stretch, 0.0, 0.0, 0.0
        case _:
            return 0.0, 0.0, 0.0, 0.0


def _scattered(spec: SceneSpec, surface: Surface) -> Float64:
    """Return a shift of a random pattern `(3,)` that differs from body to body but never from frame to frame."""
    digest = hashlib.sha256(f"{spec.seed}/{spec.index}/{surface.instance}".encode()).digest()
    return np.frombuffer(digest[:6], np.uint16) / 1024.0
