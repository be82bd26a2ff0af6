"""Rooms large enough for the action and every camera, and the lamps of closed ones."""

import math

import numpy as np

from layouts.region import Region
from layouts.stage import snapped
from layouts.streams import Streams
from simfactory.spec import LightPoint, PhysicalMaterial, Room, VisualMaterial

__all__ = ["enclose", "lamps"]

SIDE_MARGIN = 0.4  # [m] between the farthest camera and a wall
SHADOW_SLOPE = 0.6  # wall height over distance to the action: below tan(sun elevation), so the action stays sunlit
STEEPEST = 62.0  # [deg] elevation above the action of any camera of a rig
HEADROOM = 0.5  # [m] between the highest camera and a ceiling
HANGING = 0.25  # [m] of lamps below a ceiling
LEVEL = (2.2, 3.6)  # irradiance in the middle of the action, exposure-relative


def enclose(
    region: Region,
    *,
    farthest: float,
    physical: PhysicalMaterial,
    visual: VisualMaterial,
    streams: Streams,
    ceiling: bool = False,
) -> Room:
    """Return four walls around the action and everywhere a camera may stand.

    Args:
        region: Where the action is.
        farthest: Largest distance of a camera from the region's target [m].
        physical: What the walls are made of.
        visual: How they look.
        streams: Randomness; draws from "room".
        ceiling: Whether the room is closed at the top, above every camera; it then needs `lamps`.
    """
    draw = streams("room")
    half = [math.hypot(*region.target[:2]) + farthest + SIDE_MARGIN + draw.uniform(0.0, 1.5) for _ in range(2)]
    height = min(draw.uniform(2.4, 4.5), SHADOW_SLOPE * (min(half) - region.radius))
    if ceiling:
        top = float((region.centers[:, 2] + region.radii).max())
        highest = max(region.target[2] + farthest * math.sin(math.radians(STEEPEST)), top)
        height = highest + HEADROOM + draw.uniform(0.0, 0.6)
    size = (round(2.0 * half[0], 3), round(2.0 * half[1], 3), round(max(height, 1.0), 3))
    return Room(size=size, ceiling=ceiling, physical=physical, visual=visual)


def lamps(room: Room, region: Region, *, streams: Streams) -> tuple[LightPoint, ...]:
    """Return lamps under a ceiling, three or four about the action, one of them brighter.

    Args:
        room: A closed room.
        region: Where the action is.
        streams: Randomness; draws from "lamps".
    """
    draw = streams("lamps")
    count, first, level = draw.integer(3, 4), draw.uniform(0.0, 2.0 * math.pi), draw.log_uniform(*LEVEL)
    shares = np.array([2.0, *(draw.uniform(0.5, 1.0) for _ in range(count - 1))])
    warmth = draw.within("color_temperature", draw.uniform(3000.0, 5200.0))
    found = []
    for number, share in enumerate(shares / shares.sum()):
        angle = first + 2.0 * math.pi * number / count
        reach = draw.uniform(0.25, 0.45) * min(room.size[:2])
        level_place = np.clip(reach, 0.0, 2.5) * np.array([math.cos(angle), math.sin(angle)])
        position = np.array([*level_place, room.size[2] - HANGING])
        intensity = float(share * level * ((position - region.target) ** 2).sum())
        found.append(
            LightPoint.model_validate({"position": snapped(position), "intensity": intensity, "temperature": warmth})
        )
    return tuple(found)
