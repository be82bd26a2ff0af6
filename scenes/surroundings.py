"""Surroundings: gravity, air, floor and walls."""

import math

import numpy as np

from layouts import Region, Streams, enclose
from layouts.stage import heading, snapped
from scenes.category import GravityChoice
from scenes.looks import surface_look
from scenes.materials import TERRAIN, materials, physical, surfaces
from simfactory.spec import Environment, Ground, Room

__all__ = ["environment", "floor", "is_indoors", "settings", "walls"]

NOMINAL = 9.81  # [m/s²]
VARIED_SHARE, VARIED = 0.35, (1.6, 15.0)  # [m/s²]
TILT = 10.0  # [deg]
AIR_SHARE, AIR_DENSITY, WIND = 0.15, (0.0, 1.5), (0.0, 12.0)  # [kg/m³], [m/s]
ROOM_SHARE = 0.25
CEILING_SHARE = 0.3  # of rooms


def environment(gravity: GravityChoice, *, wind: tuple[float, float] = (0.0, 0.0), streams: Streams) -> Environment:
    """Draw gravity and air; most episodes have the Earth's gravity and no air, unless a range is asked for.

    Args:
        gravity: Whether gravity may tilt.
        wind: Speed that is needed [m/s]; (0, 0) = none.
        streams: Randomness; draws from "environment".
    """
    draw = streams("environment", "gravity")
    varied = draw.chance(VARIED_SHARE)
    strength, bearing = draw.uniform(*VARIED), draw.uniform(0.0, 2.0 * math.pi)
    tilt = draw.within("gravity_tilt", draw.uniform(0.0, TILT))
    tilted = gravity == "any" and (varied or draw.asks("gravity_tilt"))
    down = _leaning(math.radians(tilt) if tilted else 0.0, bearing)
    nominal = not (varied or draw.asks("gravity")) and draw.allows("gravity", NOMINAL)
    air = streams("environment", "air")
    airy = air.chance(AIR_SHARE)
    windy = airy or wind[1] > 0.0 or air.asks("wind")
    speed = air.within("wind", air.uniform(*(wind if wind[1] > 0.0 else WIND)))
    blowing = speed * heading(air.uniform(0.0, 2.0 * math.pi))
    density = air.within("air_density", air.uniform(*AIR_DENSITY))
    return Environment.model_validate(
        {
            "gravity": snapped(down * (NOMINAL if nominal else draw.within("gravity", strength))),
            "air_density": density if windy or air.asks("air_density") else 0.0,
            "wind": {"velocity": snapped(blowing) if windy else (0.0, 0.0, 0.0)},
        }
    )


def _leaning(tilt: float, bearing: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The unit vector `(3,)` that points down, leaning by an angle towards a bearing [rad]."""
    return np.array([0.0, 0.0, -math.cos(tilt)]) + math.sin(tilt) * heading(bearing)


def is_indoors(*, streams: Streams) -> bool:
    """Draw whether there are walls."""
    return streams("walls", "indoors").chance(ROOM_SHARE)


def floor(*, indoors: bool, streams: Streams) -> Ground:
    """Draw the ground: floors anywhere, grass, soil and the like outdoors only."""
    draw, uses = streams("ground"), {"floor"} if indoors else {"floor", "outdoors"}
    surface = surfaces()[draw.choice([name for name, row in surfaces().items() if uses & set(row.use)])]
    return Ground(
        physical=physical(surface.material, "ground", streams=streams), visual=surface_look(surface, draw=draw)
    )


def walls(region: Region, *, farthest: float, streams: Streams) -> Room:
    """Draw walls, in some rooms with a ceiling.

    Args:
        region: Where the action is.
        farthest: Largest distance of a camera from the region's target [m].
        streams: Randomness; draws from "walls" and "room".
    """
    draw = streams("walls")
    surface = surfaces()[draw.choice([name for name, row in surfaces().items() if "wall" in row.use])]
    return enclose(
        region,
        farthest=farthest,
        physical=physical(surface.material, "room", streams=streams),
        visual=surface_look(surface, draw=draw),
        streams=streams,
        ceiling=streams("walls", "ceiling").chance(CEILING_SHARE),
    )


def settings(ground: Ground, room: Room | None) -> tuple[str, ...]:
    """Return in which kinds of places a scene may be: outdoors on terrain and between walls, which show the sky."""
    outside = room is not None or materials()[ground.physical.name].family == TERRAIN
    return ("outdoor",) if outside else ("indoor", "outdoor")
