"""Rooms large enough for the action and every camera."""

import math

from layouts.region import Region
from layouts.streams import Streams
from simfactory.spec import PhysicalMaterial, Room, VisualMaterial

__all__ = ["enclose"]

SIDE_MARGIN = 0.4  # [m] between the farthest camera and a wall
SHADOW_SLOPE = 0.6  # wall height over distance to the action: below tan(sun elevation), so the action stays sunlit


def enclose(
    region: Region, *, farthest: float, physical: PhysicalMaterial, visual: VisualMaterial, streams: Streams
) -> Room:
    """Return four walls, without a ceiling, around the action and everywhere a camera may stand.

    Args:
        region: Where the action is.
        farthest: Largest distance of a camera from the region's target [m].
        physical: What the walls are made of.
        visual: How they look.
        streams: Randomness; draws from "room".
    """
    draw = streams("room")
    half = [math.hypot(*region.target[:2]) + farthest + SIDE_MARGIN + draw.uniform(0.0, 1.5) for _ in range(2)]
    height = min(draw.uniform(2.4, 4.5), SHADOW_SLOPE * (min(half) - region.radius))
    size = (round(2.0 * half[0], 3), round(2.0 * half[1], 3), round(max(height, 1.0), 3))
    return Room(size=size, ceiling=False, physical=physical, visual=visual)
