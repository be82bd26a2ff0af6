"""The velocity of the air at a point, on the device: mean wind, gusts and plumes of every world."""

import warp as wp

from simfactory.air import NARROWNESS

__all__ = ["Air", "air_at"]

PINCH = wp.constant(float(NARROWNESS))


@wp.struct
class Air:
    """The air of all worlds; rows of waves and plumes of world w are start[w] to start[w + 1]."""

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
def air_at(air: Air, world: int, point: wp.vec3):
    """Return the velocity of the air [m/s] at a point and the time of the coming solver step."""
    time = float(air.clock[world]) * air.dt
    velocity = air.wind[world]
    for mode in range(air.wave_start[world], air.wave_start[world + 1]):
        angle = wp.dot(air.wave[mode], point) + air.rate[mode][0] * time + air.rate[mode][1]
        velocity += wp.cos(angle) * air.amplitude[mode]
    for plume in range(air.plume_start[world], air.plume_start[world + 1]):
        velocity += rising(point, air.foot[plume], air.up[plume], air.strength[plume][0], air.strength[plume][1])
    return velocity
