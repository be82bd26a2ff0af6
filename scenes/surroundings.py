"""Surroundings: gravity, air, floor and walls."""

import math

import numpy as np

from layouts import Region, Streams, enclose
from layouts.stage import heading, snapped
from scenes.category import AirChoice, GravityChoice
from scenes.looks import surface_look
from scenes.materials import TERRAIN, materials, physical, surfaces
from simfactory.spec import Environment, Ground, Room

__all__ = ["environment", "floor", "is_indoors", "settings", "walls"]

NOMINAL = 9.81  # [m/s²]
VARIED_SHARE, VARIED = 0.35, (1.6, 15.0)  # [m/s²]
TILT = 10.0  # [deg]
AIR_SHARE, AIR_DENSITY, WIND = 0.15, (0.0, 1.5), (0.0, 12.0)  # [kg/m³], [m/s]
THICK_AIR = (1.0, 1.5)  # [kg/m³] in scenes in which air matters
ROOM_SHARE = 0.25
CEILING_SHARE = 0.3  # of rooms


def environment(gravity: GravityChoice, *, air: AirChoice, wind: tuple[float, float], streams: Streams) -> Environment:
    """Draw gravity and air; most episodes have the Earth's gravity and no air, unless a range is asked for.

    Args:
        gravity: Whether gravity may tilt.
        air: Whether there is air, and whether it blows.
        wind: How fast it then blows [m/s].
        streams: Randomness; draws from "environment".
    """
    draw = streams("environment", "gravity")
    varied = draw.chance(VARIED_SHARE)
    strength, bearing = draw.uniform(*VARIED), draw.uniform(0.0, 2.0 * math.pi)
    tilt = draw.within("gravity_tilt", draw.uniform(0.0, TILT))
    tilted = gravity == "any" and (varied or draw.asks("gravity_tilt"))
    down = _leaning(math.radians(tilt) if tilted else 0.0, bearing)
    nominal = not (varied or draw.asks("gravity")) and draw.allows("gravity", NOMINAL)
    draws = streams("environment", "air")
    airy = draws.chance(AIR_SHARE) or air != "any"
    blows = draws.asks("wind") or (airy and air != "still")
    speed = draws.within("wind", draws.uniform(*(wind if air == "wind" else WIND)))
    blowing = speed * heading(draws.uniform(0.0, 2.0 * math.pi))
    density = draws.within("air_density", draws.uniform(*(AIR_DENSITY if air == "any" else THICK_AIR)))
    return Environment.model_validate(
        {
            "gravity": snapped(down * (NOMINAL if nominal else draw.within("gravity", strength))),
            "air_density": density if airy or blows or draws.asks("air_density") else 0.0,
            "wind": {"velocity": snapped(blowing) if blows else (0.0, 0.0, 0.0)},
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
