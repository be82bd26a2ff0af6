"""Surroundings: the light of a photographed place, indoors or outdoors."""

import math
from collections.abc import Sequence

from layouts.lights.base import FILL, Illumination, Lighting
from layouts.region import Region
from layouts.streams import Streams
from simfactory.maps import shipped_maps
from simfactory.spec import EnvironmentMap, Sky

__all__ = ["LIGHTING", "LightingSurroundings"]


class LightingSurroundings(Lighting):
    """One of the environment maps that come with the package, turned at random; a sun in it casts shadows."""

    name = "surroundings"
    weight = 0.35

    def light(self, region: Region, *, settings: Sequence[str], streams: Streams) -> Illumination:
        """Return a sky that shows a map, and no further light."""
        draw = streams("light", self.name)
        places = [record for record in shipped_maps().values() if record.kind == "environment"]
        chosen = draw.choice([record for record in places if record.setting in settings])
        turned = EnvironmentMap(digest=chosen.sha256, rotation=draw.uniform(0.0, 2.0 * math.pi))
        level = draw.within("environment_factor", draw.log_uniform(1.6, FILL[1]))
        return Illumination(lights=(), sky=Sky(intensity=level, environment_map=turned))


LIGHTING = LightingSurroundings()
