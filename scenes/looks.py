"""Looks: bare materials, paint in agreeable colours, floors and walls."""

import colorsys
from dataclasses import dataclass

from layouts import Streams
from scenes.materials import Appearance, Pattern, Surface, materials
from simfactory.rng import Stream
from simfactory.spec import Checker, Marble, Noise, Stripes, Texture, VisualMaterial, Wood

__all__ = ["Look", "body_look", "surface_look"]

Rgb = tuple[float, float, float]

GOLDEN = 0.618034  # of the hue circle: neighbours in this order are far apart in hue
SATURATION, VALUE = (0.45, 0.78), (0.58, 0.92)  # of paint: neither grey nor glaring
METALLIC_SHARE = 0.25
PATTERN_SHARE = 0.4
HUES = (  # upper end of each name's part of the hue circle
    (0.04, "red"), (0.11, "orange"), (0.18, "yellow"), (0.42, "green"), (0.53, "teal"), (0.70, "blue"),
    (0.82, "violet"), (0.95, "pink"), (1.0, "red"),
)  # fmt: skip
TEXTURES: dict[str, type[Checker | Stripes | Noise | Marble | Wood]] = {
    "checker": Checker, "stripes": Stripes, "noise": Noise, "marble": Marble, "wood": Wood,
}  # fmt: skip
PERIODS = {  # of a pattern, in sizes of the body [1]
    "checker": (0.25, 0.6), "stripes": (0.2, 0.5), "noise": (0.3, 0.8), "marble": (0.4, 0.9), "wood": (0.12, 0.25),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """How one body looks.

    Attributes:
        visual: Its visual material.
        colour: Word for its paint; empty = bare.
    """

    visual: VisualMaterial
    colour: str


def body_look(material: str, body: str, *, rank: int, size: float, streams: Streams) -> Look:
    """Draw the look of one body: bare, or painted in a hue far from those of its neighbours.

    Args:
        material: Name of its material.
        body: Its name.
        rank: Its number in the scene; sets the hue relative to the scene's first one.
        size: Its largest extent [m]; sets the period of patterns.
        streams: Randomness; draws from "palette" and "body", body, "look".
    """
    draw = streams("body", body, "look")
    look = materials()[material].look
    if draw.chance(look.painted):
        hue = (streams("palette").uniform() + GOLDEN * rank + draw.uniform(-0.03, 0.03)) % 1.0
        return Look(visual=_paint(draw, hue, size), colour=next(word for end, word in HUES if hue <= end))
    return Look(visual=_bare(draw, look, size), colour="")


def surface_look(surface: Surface, *, draw: Stream) -> VisualMaterial:
    """Draw the look of a floor or wall."""
    choice = draw.integer(0, len(surface.colors) - 1)
    texture = _texture(surface.pattern, _rgb(surface.seconds[choice]), draw.log_uniform(*surface.scale))
    return VisualMaterial(
        base_color=_rgb(surface.colors[choice]), texture=texture, roughness=round(draw.uniform(*surface.roughness), 4)
    )


def _bare(draw: Stream, look: Appearance, size: float) -> VisualMaterial:
    color, period = draw.choice(look.colors), draw.uniform(*PERIODS.get(look.pattern, (1.0, 1.0))) * size
    return VisualMaterial(
        base_color=_rgb(color),
        texture=_texture(look.pattern, _rgb(look.second), period) if look.second else None,
        roughness=round(draw.uniform(*look.roughness), 4),
        metallic=look.metallic,
        transmission=look.transmission,
        refractive_index=look.refractive_index,
    )


def _paint(draw: Stream, hue: float, size: float) -> VisualMaterial:
    saturation, value = draw.uniform(*SATURATION), draw.uniform(*VALUE)
    metallic = 1.0 if draw.chance(METALLIC_SHARE) else 0.0
    pattern: Pattern = draw.choice(("checker", "stripes", "noise", "marble")) if draw.chance(PATTERN_SHARE) else ""
    light, period = draw.chance(0.5), draw.uniform(*PERIODS.get(pattern, (1.0, 1.0))) * size
    # The second colour is the same hue, pale or deep: patterns show without shouting.
    second = _hsv(hue, 0.18, 0.95) if light else _hsv(hue, min(saturation + 0.1, 0.85), 0.45 * value)
    return VisualMaterial(
        base_color=_hsv(hue, saturation, value),
        texture=_texture(pattern, second, period),
        roughness=round(draw.uniform(0.12, 0.9), 4),
        metallic=metallic,
    )


def _texture(pattern: Pattern, color: Rgb, period: float) -> Texture | None:
    return TEXTURES[pattern](color=color, scale=round(period, 4)) if pattern else None


def _hsv(hue: float, saturation: float, value: float) -> Rgb:
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(red, 4), round(green, 4), round(blue, 4)


def _rgb(color: str) -> Rgb:
    red, green, blue = (round(int(color[k : k + 2], 16) / 255.0, 4) for k in (1, 3, 5))
    return red, green, blue
