"""Lamp: a low, warm sun and a lamp above the action."""

import math
from collections.abc import Sequence

import numpy as np

from layouts.lights.base import Illumination, Lighting, key_and_fill, sun
from layouts.region import Region
from layouts.stage import heading, snapped
from layouts.streams import Streams
from simfactory.spec import LightPoint, Sky

__all__ = ["LIGHTING", "LightingLamp"]


class LightingLamp(Lighting):
    """Sun and one point light."""

    name = "lamp"
    weight = 0.3

    def light(self, region: Region, *, settings: Sequence[str], streams: Streams) -> Illumination:
        """Return a sun, a lamp outside the region and a sky."""
        draw = streams("light", self.name)
        key, fill = key_and_fill(draw, level=(2.2, 4.0), ratio=(1.5, 6.0))
        bearing, share = draw.uniform(0.0, 2.0 * math.pi), draw.uniform(0.3, 0.6)
        away, height = region.radius * draw.uniform(0.5, 0.9), draw.uniform(0.8, 1.6)
        top = float((region.centers[:, 2] + region.radii).max())
        position = np.array([*region.target[:2], top + height]) + away * heading(bearing)
        # So that the lamp's irradiance in the middle of the action is its share of the key light.
        intensity = share * key * float(((position - region.target) ** 2).sum())
        warmth = draw.within("color_temperature", draw.uniform(3000.0, 4500.0))
        lamp = LightPoint.model_validate({"position": snapped(position), "intensity": intensity, "temperature": warmth})
        tone = draw.uniform(0.65, 0.85)
        sky = Sky(turbidity=draw.uniform(3.0, 7.0), intensity=fill, horizon_color=(tone + 0.05, tone + 0.02, tone))
        return Illumination(lights=(sun(draw, (1.0 - share) * key, (4200.0, 5800.0)), lamp), sky=sky)


LIGHTING = LightingLamp()
