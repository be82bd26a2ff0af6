"""Lightings: each file lights a scene in one way."""

import sys
from collections.abc import Sequence
from functools import cache

from layouts.discovery import discover
from layouts.lights.base import Illumination, Lighting
from layouts.region import Region
from layouts.streams import Streams

__all__ = ["Illumination", "Lighting", "illuminate", "lightings"]


@cache
def lightings() -> dict[str, Lighting]:
    """Return the lightings by name."""
    return discover(sys.modules[__name__], "LIGHTING", Lighting)  # type: ignore[type-abstract]  # for isinstance only


def illuminate(region: Region, *, settings: Sequence[str] = ("indoor", "outdoor"), streams: Streams) -> Illumination:
    """Draw one of the lightings, by weight, and light a region with it.

    Args:
        region: Where the action is.
        settings: Where it may seem to be: a photographed room is no surroundings of a meadow.
        streams: Randomness; draws from "light".
    """
    options = list(lightings().values())
    lighting = streams("light", "kind").choice(options, [option.weight for option in options])
    return lighting.light(region, settings=settings, streams=streams)
