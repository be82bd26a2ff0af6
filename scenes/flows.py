"""Air with a shape in sampled scenes: the jets of fans, vortices, and winds that grow with height."""

import math

import numpy as np

from layouts import Stage, Streams
from layouts.solids import solid
from layouts.stage import snapped
from scenes.category import BaseScene
from simfactory.spec import Cylinder, Environment, Jet, ProfilePower, Vortex
from simfactory.transforms import quat_rotate

__all__ = ["stirred"]

GAP = 1e-3  # [m] between a fan and where its air begins
HUB = 0.9  # [1] radius of the air over that of the fan


def stirred(row: BaseScene, surroundings: Environment, stage: Stage, *, streams: Streams) -> Environment:
    """Return the air with the jets, vortices and profile that a base scene asks for.

    Args:
        row: The base scene.
        surroundings: Gravity and air so far.
        stage: The layout.
        streams: Randomness; draws from "environment" and "flow".
    """
    changes: dict[str, object] = {}
    if row.jet is not None:
        changes["flows"] = (_jet(row.jet, stage, streams=streams),)
    if row.vortex is not None:
        changes["flows"] = (_vortex(row.vortex, stage, streams=streams),)
    if row.profile is not None:
        draw = streams("environment", "flow", "profile")
        exponent = draw.within("wind_exponent", draw.uniform(*row.profile), row.profile)
        profile = ProfilePower(height=round(draw.uniform(0.8, 1.2), 3), exponent=exponent)
        changes["wind"] = {**dict(surroundings.wind), "profile": profile}
    return Environment.model_validate({**dict(surroundings), **changes}) if changes else surroundings


def _jet(wanted: tuple[str, tuple[float, float]], stage: Stage, *, streams: Streams) -> Jet:
    """Return the jet of a role's fan, which blows along its local z."""
    role, speed = wanted
    (fan,) = stage.groups[role]
    assert isinstance(fan.geometry, Cylinder)
    way = quat_rotate(np.asarray(fan.orientation), np.array([0.0, 0.0, 1.0]))
    draw = streams("environment", "flow", "jet")
    front = np.asarray(fan.position) + (0.5 * fan.geometry.height * fan.factors[2] + GAP) * way
    return Jet.model_validate(
        {
            "position": snapped(front),
            "direction": snapped(way),
            "radius": HUB * fan.geometry.radius * fan.factors[0],
            "speed": draw.within("jet_speed", draw.uniform(*speed), speed),
        }
    )


def _vortex(wanted: tuple[str, tuple[float, float], tuple[float, float]], stage: Stage, *, streams: Streams) -> Vortex:
    """Return an upright vortex about the middle of a role's bodies, turning either way."""
    role, speed, radius = wanted
    middle = np.mean([solid(body).center for body in stage.groups[role]], axis=0)
    draw = streams("environment", "flow", "vortex")
    aside, bearing = draw.uniform(*radius), draw.uniform(0.0, 2.0 * math.pi)
    place = middle[:2] + 0.5 * aside * np.array([math.cos(bearing), math.sin(bearing)])
    return Vortex.model_validate(
        {
            "position": snapped((*place, 0.0)),
            "axis": (0.0, 0.0, draw.choice((-1.0, 1.0))),
            "radius": aside,
            "speed": draw.within("vortex_speed", draw.uniform(*speed), speed),
        }
    )
