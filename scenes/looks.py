"""Looks: bare materials, paint in agreeable colours, floors and walls."""

import colorsys
from dataclasses import dataclass

from layouts import Streams
from scenes.materials import Appearance, Pattern, Surface, materials
from simfactory.maps import shipped_maps
from simfactory.rng import Stream
from simfactory.spec import (
    Brushed,
    Checker,
    Fabric,
    Marble,
    Noise,
    NormalMap,
    Stone,
    Stripes,
    Texture,
    VisualMaterial,
    Wood,
)

__all__ = ["Look", "body_look", "surface_look"]

Rgb = tuple[float, float, float]

GOLDEN = 0.618034  # of the hue circle: neighbours in this order are far apart in hue
SATURATION, VALUE = (0.45, 0.78), (0.58, 0.92)  # of paint: neither grey nor glaring
METALLIC_SHARE = 0.25
PATTERN_SHARE = 0.4
RELIEF_SHARE = 0.5  # of the bare bodies and surfaces that have reliefs to choose from
RELIEF_STRENGTH = (0.3, 1.0)
RELIEF_PERIOD = (0.8, 1.6)  # of a body, in its sizes [1]
HUES = (  # upper end of each name's part of the hue circle
    (0.04, "red"), (0.11, "orange"), (0.18, "yellow"), (0.42, "green"), (0.53, "teal"), (0.70, "blue"),
    (0.82, "violet"), (0.95, "pink"), (1.0, "red"),
)  # fmt: skip
PLAIN_TEXTURES: dict[str, type[Checker | Stripes | Marble | Wood]] = {
    "checker": Checker, "stripes": Stripes, "marble": Marble, "wood": Wood,
}  # fmt: skip
PERIODS = {  # of a pattern, in sizes of the body [1]
    "checker": (0.25, 0.6), "stripes": (0.2, 0.5), "noise": (0.3, 0.8), "marble": (0.4, 0.9), "wood": (0.12, 0.25),
    "stone": (0.15, 0.4), "fabric": (0.06, 0.15), "brushed": (0.1, 0.3),
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
    texture = _texture(draw, surface.pattern, _rgb(surface.seconds[choice]), round(draw.log_uniform(*surface.scale), 4))
    return VisualMaterial(
        base_color=_rgb(surface.colors[choice]),
        texture=texture,
        roughness=round(draw.uniform(*surface.roughness), 4),
        normal_map=_relief(draw, surface.reliefs, draw.log_uniform(*surface.relief_scale)),
    )


def _bare(draw: Stream, look: Appearance, size: float) -> VisualMaterial:
    color, period = draw.choice(look.colors), draw.uniform(*PERIODS.get(look.pattern, (1.0, 1.0))) * size
    return VisualMaterial(
        base_color=_rgb(color),
        texture=_texture(draw, look.pattern, _rgb(look.second), _body_period(draw, period)) if look.second else None,
        roughness=draw.within("roughness", round(draw.uniform(*look.roughness), 4)),
        metallic=draw.within("metallic", look.metallic),
        transmission=look.transmission,
        refractive_index=look.refractive_index,
        normal_map=_relief(draw, look.reliefs, draw.uniform(*RELIEF_PERIOD) * size),
    )


def _paint(draw: Stream, hue: float, size: float) -> VisualMaterial:
    saturation, value = draw.uniform(*SATURATION), draw.uniform(*VALUE)
    metallic = 1.0 if draw.chance(METALLIC_SHARE) else 0.0
    pattern: Pattern = (
        draw.choice(("checker", "stripes", "noise", "marble", "fabric")) if draw.chance(PATTERN_SHARE) else ""
    )
    light, period = draw.chance(0.5), draw.uniform(*PERIODS.get(pattern, (1.0, 1.0))) * size
    # The second colour is the same hue, pale or deep: patterns show without shouting.
    second = _hsv(hue, 0.18, 0.95) if light else _hsv(hue, min(saturation + 0.1, 0.85), 0.45 * value)
    return VisualMaterial(
        base_color=_hsv(hue, saturation, value),
        texture=_texture(draw, pattern, second, _body_period(draw, period)),
        roughness=draw.within("roughness", round(draw.uniform(0.12, 0.9), 4)),
        metallic=draw.within("metallic", metallic),
    )


def _body_period(draw: Stream, period: float) -> float:
    return draw.within("texture", round(period, 4))


def _texture(draw: Stream, pattern: Pattern, color: Rgb, period: float) -> Texture | None:
    """Return a texture; families with further parameters draw them."""
    scale = round(period, 9)
    match pattern:
        case "":
            return None
        case "noise":
            warp = draw.uniform(0.3, 1.2) if draw.chance(0.3) else 0.0
            octaves, gain = draw.integer(3, 7), draw.uniform(0.4, 0.65)
            return Noise(color=color, scale=scale, octaves=octaves, gain=gain, warp=warp, ridged=draw.chance(0.25))
        case "stone":
            joint = draw.uniform(0.03, 0.12) if draw.chance(0.6) else 0.0
            return Stone(color=color, scale=scale, joint=joint, grain=draw.uniform(0.2, 0.8))
        case "fabric":
            step, thickness = draw.integer(1, 3), draw.uniform(0.6, 1.0)
            return Fabric(color=color, scale=scale, float_length=step, thickness=thickness)
        case "brushed":
            return Brushed(color=color, scale=scale, stretch=draw.log_uniform(10.0, 80.0))
        case _:
            return PLAIN_TEXTURES[pattern](color=color, scale=scale)


def _relief(draw: Stream, names: tuple[str, ...], period: float) -> NormalMap | None:
    """Draw whether a surface has a relief, and which."""
    if not names or not draw.chance(RELIEF_SHARE):
        return None
    chosen = shipped_maps()[draw.choice(names)]
    return NormalMap(digest=chosen.sha256, scale=round(period, 4), strength=round(draw.uniform(*RELIEF_STRENGTH), 4))


def _hsv(hue: float, saturation: float, value: float) -> Rgb:
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(red, 4), round(green, 4), round(blue, 4)


def _rgb(color: str) -> Rgb:
    red, green, blue = (round(int(color[k : k + 2], 16) / 255.0, 4) for k in (1, 3, 5))
    return red, green, blue
