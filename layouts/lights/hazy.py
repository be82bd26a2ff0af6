"""Hazy: a weak sun through a bright, milky sky."""

from collections.abc import Sequence

from layouts.lights.base import Illumination, Lighting, key_and_fill, sun
from layouts.region import Region
from layouts.streams import Streams
from simfactory.spec import Sky

__all__ = ["LIGHTING", "LightingHazy"]


class LightingHazy(Lighting):
    """Soft light from all sides, with a faint shadow."""

    name = "hazy"
    weight = 0.2

    def light(self, region: Region, *, settings: Sequence[str], streams: Streams) -> Illumination:
        """Return a weak sun and a bright sky."""
        draw = streams("light", self.name)
        key, fill = key_and_fill(draw, level=(2.2, 4.0), ratio=(1.0, 2.5))
        tone = draw.uniform(0.75, 0.9)
        sky = Sky(turbidity=draw.uniform(6.0, 10.0), intensity=fill, horizon_color=(tone, tone, tone))
        return Illumination(lights=(sun(draw, key, (6000.0, 7500.0)),), sky=sky)


LIGHTING = LightingHazy()
