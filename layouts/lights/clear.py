"""Clear: a strong sun under a blue sky."""

from collections.abc import Sequence

from layouts.lights.base import Illumination, Lighting, key_and_fill, sun
from layouts.region import Region
from layouts.streams import Streams
from simfactory.spec import Sky

__all__ = ["LIGHTING", "LightingClear"]


class LightingClear(Lighting):
    """Sun and clear sky."""

    name = "clear"
    weight = 0.5

    def light(self, region: Region, *, settings: Sequence[str], streams: Streams) -> Illumination:
        """Return a strong sun and a clear sky."""
        draw = streams("light", self.name)
        key, fill = key_and_fill(draw, level=(2.6, 5.0), ratio=(2.0, 8.0))
        tone = draw.uniform(0.7, 0.9)
        sky = Sky(turbidity=draw.uniform(2.0, 4.0), intensity=fill, horizon_color=(tone, tone + 0.02, tone + 0.05))
        return Illumination(lights=(sun(draw, key, (4800.0, 6500.0)),), sky=sky)


LIGHTING = LightingClear()
