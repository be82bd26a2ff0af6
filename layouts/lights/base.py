"""The contract of lightings, and the sun that they share."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from layouts.region import Region
from layouts.stage import snapped
from layouts.streams import Streams
from simfactory.rng import Stream
from simfactory.spec import Light, LightSun, Sky

__all__ = ["Illumination", "Lighting", "key_and_fill", "sun"]

RATIO = (1.0, 8.0)  # key to fill [1]
FILL = (0.3, 3.0)  # sky intensity, exposure-relative
SUN_ELEVATION = (36.0, 65.0)  # [deg]: shadows fall beside the bodies, and walls do not shade the action


@dataclass(frozen=True, kw_only=True, slots=True)
class Illumination:
    """What lights a scene."""

    lights: tuple[Light, ...]
    sky: Sky


class Lighting(ABC):
    """One way to light a scene."""

    name: ClassVar[str]
    weight: ClassVar[float]  # how often, relative to the others

    @abstractmethod
    def light(self, region: Region, *, settings: Sequence[str], streams: Streams) -> Illumination:
        """Return lights and sky for the action in a region.

        Args:
            region: Where the action is.
            settings: "indoor", "outdoor" or both: where it may seem to be, as far as the sky shows a place.
            streams: Randomness.
        """


def key_and_fill(
    draw: Stream, *, level: tuple[float, float], ratio: tuple[float, float] = RATIO
) -> tuple[float, float]:
    """Draw irradiance of the key light and intensity of the sky, exposure-relative.

    Args:
        draw: Randomness.
        level: Range of their sum, log-uniform: it bounds the exposure.
        ratio: Range of key to fill, log-uniform.
    """
    total, share = draw.log_uniform(*level), draw.log_uniform(*ratio)
    fill = draw.within("environment_factor", min(max(total / (1.0 + share), FILL[0]), FILL[1]))
    return draw.within("key_to_fill", share) * fill, fill


def sun(draw: Stream, irradiance: float, temperature: tuple[float, float]) -> LightSun:
    """Draw a sun of a given irradiance; its colour temperature [K] is drawn from a range."""
    azimuth, elevation = draw.uniform(0.0, 2.0 * math.pi), math.radians(draw.uniform(*SUN_ELEVATION))
    level = -math.cos(elevation)
    direction = snapped((level * math.cos(azimuth), level * math.sin(azimuth), -math.sin(elevation)))
    warmth = draw.within("color_temperature", draw.uniform(*temperature))
    return LightSun.model_validate({"direction": direction, "irradiance": irradiance, "temperature": warmth})
