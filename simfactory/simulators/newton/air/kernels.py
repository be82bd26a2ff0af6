"""The velocity of the air at a point, on the device: wind, gusts, plumes, jets and vortices of every world."""

import math

import warp as wp

from simfactory.air import NARROWNESS
from simfactory.flows import CORE_GROWTH, JET_GROWTH, TURN, TURN_PEAK

__all__ = ["Air", "air_at"]

PINCH = wp.constant(float(NARROWNESS))
GROWTH = wp.constant(float(JET_GROWTH))
SHOULDER = wp.constant(float(CORE_GROWTH))
NARROWING = wp.constant(float(0.5 - CORE_GROWTH**2))
HALF_ROOT_PI = wp.constant(0.5 * math.pi**0.5)
ALPHA = wp.constant(float(TURN))
PEAK = wp.constant(float(TURN_PEAK))
LEVEL, POWER, LOG = wp.constant(0.0), wp.constant(1.0), wp.constant(2.0)  # kinds of profiles


@wp.struct
class Air:
    """The air of all worlds; rows of waves, plumes, jets and vortices of world w are start[w] to start[w + 1]."""

    clock: wp.array(dtype=wp.int32)  # solver steps taken, by world
    dt: float  # [s]
    wind: wp.array(dtype=wp.vec3)  # [m/s]
    wave_start: wp.array(dtype=wp.int32)
    wave: wp.array(dtype=wp.vec3)  # [rad/m]
    amplitude: wp.array(dtype=wp.vec3)  # [m/s]
    rate: wp.array(dtype=wp.vec2)  # (ω − k·U [rad/s], φ [rad])
    plume_start: wp.array(dtype=wp.int32)
    foot: wp.array(dtype=wp.vec3)  # [m]
    up: wp.array(dtype=wp.vec3)
    strength: wp.array(dtype=wp.vec2)  # (strength [m^(4/3)/s], depth of the virtual origin [m])
    profile: wp.array(dtype=wp.vec3)  # by world: kind, reference height [m], exponent [1] or roughness [m]
    jet_start: wp.array(dtype=wp.int32)
    nozzle: wp.array(dtype=wp.vec3)  # [m]
    way: wp.array(dtype=wp.vec3)
    jet: wp.array(dtype=wp.vec2)  # (radius [m], speed [m/s])
    vortex_start: wp.array(dtype=wp.int32)
    heart: wp.array(dtype=wp.vec3)  # a point of the axis [m]
    axis: wp.array(dtype=wp.vec3)
    vortex: wp.array(dtype=wp.vec2)  # (radius [m], speed [m/s])


@wp.func
def rising(point: wp.vec3, foot: wp.vec3, up: wp.vec3, strength: float, below: float):
    """Return a plume's velocity; see `simfactory.air.plume_flow`."""
    arm = point - foot
    rise = wp.dot(arm, up)
    if rise < 0.0:
        return wp.vec3()
    height = rise + below
    out = arm - rise * up
    squeezed = PINCH * wp.dot(out, out) / (height * height)
    fall = wp.exp(-squeezed)
    root = wp.pow(height, -1.0 / 3.0)
    share = float(-1.0 / 3.0)
    if squeezed > 1e-3:
        share = (5.0 / 3.0 * (1.0 - fall) - 2.0 * squeezed * fall) / squeezed
    return strength * root * (fall * up - (0.5 * share / height) * out)


@wp.func
def blown(point: wp.vec3, nozzle: wp.vec3, way: wp.vec3, radius: float, speed: float):
    """Return a jet's velocity; see `simfactory.flows.jet_velocity`."""
    arm = point - nozzle
    ahead = wp.dot(arm, way)
    if ahead < 0.0:
        return wp.vec3()
    out = arm - ahead * way
    off = wp.length(out)
    x = wp.max(ahead, 1.0e-3 * radius)
    core = wp.sqrt(2.0) * radius / GROWTH
    width = GROWTH * x
    rim = float(0.0)
    shrink = float(0.0)
    middle = speed * wp.min(core / x, 1.0)
    if x < core:
        root = wp.sqrt(wp.max(radius * radius - NARROWING * width * width, 1.0e-12))
        rim = root - SHOULDER * width
        shrink = -GROWTH * (SHOULDER + NARROWING * width / root)
        if off <= rim:
            return middle * way
    beyond = (off - rim) / width
    fall = wp.exp(-beyond * beyond)
    edge = (shrink * width + rim * GROWTH) * HALF_ROOT_PI * wp.erf(beyond)
    squeezed = rim * shrink + edge + width * GROWTH * (1.0 - fall)
    squeezed -= (rim + width * beyond) * fall * (shrink + beyond * GROWTH)
    if x >= core:
        squeezed -= 0.5 * GROWTH * width * (1.0 - fall)
    return middle * (fall * way - squeezed / wp.max(off * off, 1.0e-12) * out)


@wp.func
def turning(point: wp.vec3, heart: wp.vec3, axis: wp.vec3, radius: float, speed: float):
    """Return a vortex's velocity; see `simfactory.flows.vortex_velocity`."""
    arm = point - heart
    arm = arm - wp.dot(arm, axis) * axis
    share = wp.dot(arm, arm) / (radius * radius)
    slowing = ALPHA * (1.0 - 0.5 * ALPHA * share)
    if share > 1.0e-3:
        slowing = (1.0 - wp.exp(-ALPHA * share)) / share
    return PEAK * speed / radius * slowing * wp.cross(axis, arm)


@wp.func
def over_ground(profile: wp.vec3, height: float):
    """Return the mean wind at a height over its velocity; see `simfactory.flows.profile_share`."""
    z = wp.max(height, 0.0)
    if profile[0] == POWER:
        return wp.pow(z / profile[1], profile[2])
    if profile[0] == LOG:
        return wp.log(wp.max(z / profile[2], 1.0)) / wp.log(profile[1] / profile[2])
    return float(1.0)


@wp.func
def air_at(air: Air, world: int, point: wp.vec3):
    """Return the velocity of the air [m/s] at a point and the time of the coming solver step."""
    time = float(air.clock[world]) * air.dt
    velocity = air.wind[world] * over_ground(air.profile[world], point[2])
    for mode in range(air.wave_start[world], air.wave_start[world + 1]):
        angle = wp.dot(air.wave[mode], point) + air.rate[mode][0] * time + air.rate[mode][1]
        velocity += wp.cos(angle) * air.amplitude[mode]
    for plume in range(air.plume_start[world], air.plume_start[world + 1]):
        velocity += rising(point, air.foot[plume], air.up[plume], air.strength[plume][0], air.strength[plume][1])
    for jet in range(air.jet_start[world], air.jet_start[world + 1]):
        velocity += blown(point, air.nozzle[jet], air.way[jet], air.jet[jet][0], air.jet[jet][1])
    for vortex in range(air.vortex_start[world], air.vortex_start[world + 1]):
        velocity += turning(point, air.heart[vortex], air.axis[vortex], air.vortex[vortex][0], air.vortex[vortex][1])
    return velocity
