"""Surroundings: gravity, air, floor and walls."""

import math

import numpy as np

from layouts import Region, Stage, Streams, enclose
from layouts.solids import solid
from layouts.stage import heading, snapped
from scenes.category import AirChoice, BaseScene, GravityChoice
from scenes.looks import surface_look
from scenes.materials import TERRAIN, materials, physical, surfaces
from scenes.thermal import hover_power, warmed
from simfactory.spec import BodySolid, Environment, Ground, Plume, Room

__all__ = ["environment", "floor", "heated", "is_indoors", "settings", "walls"]

NOMINAL = 9.81  # [m/s²]
VARIED_SHARE, VARIED = 0.35, (1.6, 15.0)  # [m/s²]
TILT = 10.0  # [deg]
AIR_SHARE, AIR_DENSITY, WIND = 0.15, (0.0, 1.5), (0.0, 12.0)  # [kg/m³], [m/s]
THICK_AIR = (1.0, 1.5)  # [kg/m³] in scenes in which air matters
ROOM_SHARE = 0.25
CEILING_SHARE = 0.3  # of rooms
TURBULENCE, GUST_LENGTH = (0.0, 0.35), (0.3, 1.5)  # [1], [m]


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
    blows = draws.asks("wind") or draws.asks("turbulence") or (airy and air != "still")
    speed = draws.within("wind", draws.uniform(*(wind if air == "wind" else WIND)))
    blowing = speed * heading(draws.uniform(0.0, 2.0 * math.pi))
    density = draws.within("air_density", draws.uniform(*(AIR_DENSITY if air == "any" else THICK_AIR)))
    return Environment.model_validate(
        {
            "gravity": snapped(down * (NOMINAL if nominal else draw.within("gravity", strength))),
            "air_density": density if airy or blows or draws.asks("air_density") else 0.0,
            "wind": _wind(snapped(blowing), gusty=air == "wind", streams=streams) if blows else {},
        }
    )


def _wind(velocity: tuple[float, ...], *, gusty: bool, streams: Streams) -> dict[str, object]:
    """Return a wind; scenes about wind have gusts, others if a range asks for them."""
    draw = streams("environment", "gusts")
    turbulence = draw.within("turbulence", draw.uniform(*TURBULENCE))
    length, seed = draw.log_uniform(*GUST_LENGTH), draw.integer(0, 2**31 - 1)
    if not (gusty or draw.asks("turbulence")) or turbulence == 0.0:
        return {"velocity": velocity}
    return {"velocity": velocity, "turbulence": turbulence, "gust_length": length, "gust_seed": seed}


def heated(
    row: BaseScene, ground: Ground, surroundings: Environment, stage: Stage, *, streams: Streams
) -> tuple[Ground, Environment, Stage]:
    """Return ground and air with the temperatures and plumes that a base scene asks for, and where bodies then fly."""
    if row.floor is not None:
        kept = warmed(streams("ground", "heat"), row.floor)
        ground = Ground.model_validate({**dict(ground), "temperature": kept})
    changes: dict[str, object] = {}
    if row.oven is not None:
        changes["temperature"] = warmed(streams("environment", "heat"), row.oven)
    if row.plume is not None:
        below, carried, height = row.plume
        spot = _hot_spot(stage.groups[below][0])
        wanted = streams("environment", "plume").uniform(*height)
        power = hover_power(stage.groups[carried][0], surroundings, spot, height=wanted)
        changes["plumes"] = (spot.model_copy(update={"power": power}),)
        stage = stage.extended(groups={}, waypoints=[(np.asarray(spot.position) + np.array([0.0, 0.0, wanted]), 0.2)])
    if changes:
        surroundings = Environment.model_validate({**dict(surroundings), **changes})
    return ground, surroundings, stage


def _hot_spot(body: BodySolid) -> Plume:
    """Return a plume of 1 W above the level upper side of a body."""
    hull = solid(body)
    top = hull.reach(np.array([0.0, 0.0, 1.0]))
    radius = min(hull.extent(np.array(axis)) for axis in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)))
    return Plume(position=(float(hull.center[0]), float(hull.center[1]), top), radius=radius, power=1.0)


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
