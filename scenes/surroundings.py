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
AIR_SHARE, AIR_DENSITY, WIND = 0.15, 1.2, (0.0, 3.0)  # [kg/m³], [m/s]
BLOWING = (2.0, 6.0)  # [m/s] in scenes that need wind
ROOM_SHARE = 0.25
CEILING_SHARE = 0.3  # of rooms


def environment(gravity: GravityChoice, *, air: AirChoice = "any", streams: Streams) -> Environment:
    """Draw gravity and air; most episodes have the Earth's gravity and no air.

    Args:
        gravity: Whether gravity may tilt.
        air: Whether there is air, and whether it blows.
        streams: Randomness; draws from "environment".
    """
    draw = streams("environment", "gravity")
    varied = draw.chance(VARIED_SHARE)
    strength, bearing = draw.uniform(*VARIED), draw.uniform(0.0, 2.0 * math.pi)
    tilt = math.radians(draw.uniform(0.0, TILT)) if varied and gravity == "any" else 0.0
    down = np.array([0.0, 0.0, -math.cos(tilt)]) + math.sin(tilt) * heading(bearing)
    draws = streams("environment", "air")
    windy = draws.chance(AIR_SHARE) or air != "any"
    blows = BLOWING if air == "wind" else WIND if air == "any" else (0.0, 0.0)
    wind = draws.uniform(*blows) * heading(draws.uniform(0.0, 2.0 * math.pi))
    return Environment.model_validate(
        {
            "gravity": snapped(down * (strength if varied else NOMINAL)),
            "air_density": AIR_DENSITY if windy else 0.0,
            "wind": {"velocity": snapped(wind) if windy else (0.0, 0.0, 0.0)},
        }
    )


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
