"""Moving air: wind, gusts as a sum of waves, plumes above hot spots, flows, and the temperature of the air at rest."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simfactory.flows import jet_velocity, profile_share, vortex_velocity
from simfactory.rng import stream
from simfactory.spec import Environment, Jet, Plume, Wind

__all__ = [
    "AIR_HEAT_CAPACITY",
    "MODES",
    "Gusts",
    "PlumeFlow",
    "air_temperature",
    "air_velocity",
    "flow_speed",
    "gusts",
    "plume_flow",
    "top_speed",
]

MODES = 48  # waves that make up a gusty wind
WAVELENGTHS = (0.06, 24.0)  # of them, over the integral length [1]
ALOFT = 10.0  # [m] height up to which scenes reach
AIR_HEAT_CAPACITY = 1005.0  # [J/(kg·K)] at constant pressure

RISE = 4.7  # [1] w = RISE (B/z)^(1/3) on a plume's axis
NARROWNESS = 96.0  # [1] w falls as exp(-NARROWNESS r²/z²) off it

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Gusts:
    """Waves of a gusty wind: u(x, t) = Σ aₘ cos(kₘ·(x − U t) + ωₘ t + φₘ), with aₘ ⊥ kₘ, so that none is squeezed.

    Attributes:
        wave: `(mode, 3)` kₘ [rad/m].
        amplitude: `(mode, 3)` aₘ [m/s].
        rate: `(mode,)` ωₘ in the frame that moves with the mean wind U [rad/s].
        phase: `(mode,)` φₘ [rad].
    """

    wave: Array
    amplitude: Array
    rate: Array
    phase: Array


def gusts(wind: Wind) -> Gusts:
    """Return the waves of a wind; none if it is steady or still.

    Their energies follow von Kármán's spectrum at wavelengths of `WAVELENGTHS` integral lengths, scaled so that half
    of Σ |aₘ|² is 3 σ² with σ = turbulence × mean speed. The mean wind carries them along; in its frame a wave changes
    at the rate σ |k| times a normal draw, as eddies turn over.

    Source: R. H. Kraichnan, "Diffusion by a random velocity field", Physics of Fluids 13 (1970), for the sum of waves;
    T. von Kármán, "Progress in the statistical theory of turbulence" (1948), for the spectrum.
    """
    speed = math.hypot(*wind.velocity)
    sigma = wind.turbulence * speed
    if sigma == 0.0 or wind.gust_length is None or wind.gust_seed is None:
        none = np.zeros((0, 3))
        return Gusts(wave=none, amplitude=none, rate=np.zeros(0), phase=np.zeros(0))
    draw = stream(wind.gust_seed, "gusts")
    lowest, highest = (2.0 * math.pi / (ratio * wind.gust_length) for ratio in WAVELENGTHS[::-1])
    strata = np.array([(rank + draw.uniform()) / MODES for rank in range(MODES)])
    number = lowest * (highest / lowest) ** strata  # evenly spread in the logarithm
    scaled = (1.339 * wind.gust_length * number) ** 2
    energy = number * scaled**2 / (1.0 + scaled) ** (17.0 / 6.0)  # E(k) k, as modes stand for equal parts of ln k
    energy *= 3.0 * sigma**2 / energy.sum()  # Σ |a|²/2
    direction = np.array([draw.direction() for _ in range(MODES)])
    across = np.cross(direction, np.array([draw.direction() for _ in range(MODES)]))
    across /= np.linalg.norm(across, axis=-1, keepdims=True)
    return Gusts(
        wave=number[:, None] * direction,
        amplitude=np.sqrt(2.0 * energy)[:, None] * across,
        rate=sigma * number * np.array([draw.normal() for _ in range(MODES)]),
        phase=np.array([draw.uniform(0.0, 2.0 * math.pi) for _ in range(MODES)]),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class PlumeFlow:
    """A plume as numbers.

    Attributes:
        foot: `(3,)` centre of the hot spot, world frame [m].
        up: `(3,)` unit vector against gravity.
        strength: RISE B^(1/3) [m^(4/3)/s], B the flux of buoyancy [m⁴/s³].
        below: How far the virtual origin lies below the foot [m].
    """

    foot: Array
    up: Array
    strength: float
    below: float


def plume_flow(plume: Plume, environment: Environment) -> PlumeFlow:
    """Return the flow above a hot spot.

    w = 4.7 (B/z)^(1/3) exp(-96 r²/z²), z from a virtual origin so far below the hot spot that there the plume is as
    wide as it; B = g P/(ρ c_p T). Air flows in from the sides as continuity asks.

    Source: B. R. Morton, G. I. Taylor, J. S. Turner, "Turbulent gravitational convection from maintained and
    instantaneous sources", Proceedings of the Royal Society A 234 (1956), for the powers of z; the numbers were
    measured by H. Rouse, C. S. Yih, H. W. Humphreys, "Gravitational convection from a boundary source", Tellus 4
    (1952).
    """
    gravity = np.asarray(environment.gravity)
    pull = float(np.linalg.norm(gravity))
    foot = np.asarray(plume.position)
    flux = pull * plume.power / (environment.air_density * AIR_HEAT_CAPACITY * air_temperature(environment, foot))
    return PlumeFlow(
        foot=foot,
        up=-gravity / pull,
        strength=float(RISE * flux ** (1.0 / 3.0)),
        below=plume.radius * math.sqrt(NARROWNESS),
    )


def air_temperature(environment: Environment, point: Array) -> Array:
    """Return the temperature `(...)` [K] of the air at rest at points `(..., 3)` [m], at least 1 K."""
    return np.asarray(np.maximum(environment.temperature + point @ np.asarray(environment.temperature_gradient), 1.0))


def air_velocity(environment: Environment, point: Array, time: float) -> Array:
    """Return the velocity `(point, 3)` [m/s] of the air at points `(point, 3)` [m] and a time [s]."""
    mean = np.asarray(environment.wind.velocity)
    waves = gusts(environment.wind)
    angle = (point - mean * time) @ waves.wave.T + waves.rate * time + waves.phase
    velocity = profile_share(environment.wind, point[:, 2])[:, None] * mean + np.cos(angle) @ waves.amplitude
    for plume in environment.plumes:
        velocity = velocity + _rising(plume_flow(plume, environment), point)
    for flow in environment.flows:
        velocity = velocity + (jet_velocity(flow, point) if isinstance(flow, Jet) else vortex_velocity(flow, point))
    return np.asarray(velocity)


def _rising(flow: PlumeFlow, point: Array) -> Array:
    """Return a plume's velocity `(point, 3)` [m/s]; the air below its foot is still."""
    arm = point - flow.foot
    rise = arm @ flow.up
    height = np.maximum(rise, 0.0) + flow.below
    out = arm - rise[:, None] * flow.up
    squeezed = NARROWNESS * (out * out).sum(axis=-1) / height**2
    fall = np.exp(-squeezed)
    along = flow.strength / np.cbrt(height) * fall
    # -∂ψ/∂z / r², from the stream function ψ = ∫ w r dr
    safe = np.maximum(squeezed, 1e-6)
    share = (5.0 / 3.0 * (1.0 - np.exp(-safe)) - 2.0 * safe * np.exp(-safe)) / safe
    across = -0.5 * flow.strength * height ** (-4.0 / 3.0) * share
    return np.asarray(np.where(rise[:, None] < 0.0, 0.0, along[:, None] * flow.up + across[:, None] * out))


def flow_speed(environment: Environment) -> float:
    """Return a speed [m/s] that jets and vortices together never exceed."""
    return math.fsum(flow.speed for flow in environment.flows)


def top_speed(environment: Environment) -> float:
    """Return a speed [m/s] that the air hardly exceeds.

    That is the mean wind up to `ALOFT`, gusts of 4 σ on each axis, plumes at their feet, and flows.
    """
    mean = math.hypot(*environment.wind.velocity)
    aloft = max(1.0, float(profile_share(environment.wind, np.array(ALOFT))))
    rising = [plume_flow(plume, environment) for plume in environment.plumes]
    gusty = mean * environment.wind.turbulence * 4.0 * math.sqrt(3.0)
    lifting = math.fsum(1.2 * flow.strength / flow.below ** (1.0 / 3.0) for flow in rising)
    return aloft * mean + gusty + lifting + flow_speed(environment)
