"""Patterns of cloth: words for them, and the draw of their proportions."""

from collections.abc import Callable
from dataclasses import dataclass

from simfactory.rng import Stream
from simfactory.spec import Cape, Disc, Pattern, Rectangle, Skirt, Tunic

__all__ = ["PATTERNS", "PatternDraw"]


@dataclass(frozen=True, kw_only=True, slots=True)
class PatternDraw:
    """A family of similar patterns.

    Attributes:
        noun: Word for it in captions.
        pattern: Draws a pattern whose largest extent is a size [m].
    """

    noun: str
    pattern: Callable[[float, Stream], Pattern]


def _sheet(size: float, draw: Stream) -> Pattern:
    return Rectangle(size=(size, size * draw.uniform(0.75, 1.0)))


def _banner(size: float, draw: Stream) -> Pattern:
    return Rectangle(size=(size, size * draw.uniform(0.5, 0.7)))


def _curtain(size: float, draw: Stream) -> Pattern:
    return Rectangle(size=(size * draw.uniform(0.8, 1.0), size))


def _disc(size: float, draw: Stream) -> Pattern:
    return Disc(radius=size / 2)


def _poncho(size: float, draw: Stream) -> Pattern:
    return Disc(radius=size / 2, hole=size * draw.uniform(0.13, 0.18))


def _skirt(size: float, draw: Stream) -> Pattern:
    return Skirt(waist=size * draw.uniform(0.17, 0.23), hem=size / 2, length=size * draw.uniform(0.5, 0.8))


def _cape(size: float, draw: Stream) -> Pattern:
    return Cape(neck=size * draw.uniform(0.13, 0.18), hem=size * draw.uniform(0.38, 0.5), length=size)


def _tunic(size: float, draw: Stream) -> Pattern:
    chest = size * draw.uniform(0.46, 0.54)
    return Tunic(width=chest, length=size * draw.uniform(0.75, 0.95), sleeve=(size - chest) / 2)


PATTERNS: dict[str, PatternDraw] = {
    "sheet": PatternDraw(noun="sheet", pattern=_sheet),
    "banner": PatternDraw(noun="flag", pattern=_banner),
    "curtain": PatternDraw(noun="curtain", pattern=_curtain),
    "round": PatternDraw(noun="round cloth", pattern=_disc),
    "poncho": PatternDraw(noun="poncho", pattern=_poncho),
    "skirt": PatternDraw(noun="skirt", pattern=_skirt),
    "cape": PatternDraw(noun="cape", pattern=_cape),
    "tunic": PatternDraw(noun="T-shirt", pattern=_tunic),
}
