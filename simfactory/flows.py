"""Flows of air with a shape: round free jets, vortices, and the profile of a wind over the ground."""

import math

import numpy as np
import numpy.typing as npt

from simfactory.spec import Jet, ProfileLog, ProfilePower, Vortex, Wind

__all__ = [
    "CORE_GROWTH",
    "JET_GROWTH",
    "TURN",
    "TURN_PEAK",
    "core_length",
    "jet_velocity",
    "profile_share",
    "vortex_velocity",
]

SPREAD = 0.1  # [1] half-width of a jet over the distance from its nozzle
JET_GROWTH = SPREAD / math.sqrt(math.log(2.0))  # [1] width at which the velocity falls to 1/e, over that distance
CORE_GROWTH = math.sqrt(math.pi / 8.0)  # [1] what the rim of a jet's core loses over the width of its edge
TURN = 1.2564312086261697  # [1] root of exp(x) = 1 + 2 x: where a vortex is fastest
TURN_PEAK = 1.0 + 0.5 / TURN  # [1] speed of a line vortex of the same circulation over that of a vortex at its fastest

Array = npt.NDArray[np.float64]

_erf = np.vectorize(math.erf, otypes=[np.float64])


def core_length(radius: float) -> float:
    """Return how far the air of a jet's middle keeps its speed [m], from the radius of the nozzle [m]."""
    return math.sqrt(2.0) * radius / JET_GROWTH


def jet_velocity(jet: Jet, point: Array) -> Array:
    """Return the velocity `(point, 3)` [m/s] that a jet gives to the air at points `(point, 3)` [m].

    Behind the nozzle the air is still. In front of it the velocity along the axis is U within a core of radius a and
    falls off it as exp(-(r - a)²/b²), with b = 0.12 x at the distance x; a is such that the flux of momentum stays
    that of the nozzle. Where no core is left, 5.9 diameters away, the middle slows as 1/x. Air flows in from the sides
    as continuity asks.

    Source: S. B. Pope, "Turbulent Flows" (2000), §5.1, for the measured spreading of 0.1 and the decay of
    U (diameters)/x by 5.8 to 6.06, which a Gaussian of that width that keeps its momentum has: 5.9.
    """
    way = np.asarray(jet.direction) / np.linalg.norm(jet.direction)
    arm = point - np.asarray(jet.position)
    ahead = arm @ way
    out = arm - ahead[:, None] * way
    off = np.linalg.norm(out, axis=-1)
    x = np.maximum(ahead, 1e-3 * jet.radius)
    core = core_length(jet.radius)
    near, width = x < core, JET_GROWTH * x
    # of the core's radius a: from a²/2 + a b √(π/8) + b²/4 = R²/2
    root = np.sqrt(np.maximum(jet.radius**2 - (0.5 - CORE_GROWTH**2) * width**2, 0.0))
    rim = np.where(near, root - CORE_GROWTH * width, 0.0)
    shrink = np.where(
        near, -JET_GROWTH * (CORE_GROWTH + (0.5 - CORE_GROWTH**2) * width / np.maximum(root, 1e-9 * jet.radius)), 0.0
    )
    middle = jet.speed * np.minimum(core / x, 1.0)
    beyond = np.maximum(off - rim, 0.0) / width
    fall = np.exp(-(beyond**2))
    # -∂ψ/∂x / r, from the stream function ψ = ∫ u r dr
    edge = (shrink * width + rim * JET_GROWTH) * 0.5 * math.sqrt(math.pi) * _erf(beyond)
    squeezed = rim * shrink + edge + width * JET_GROWTH * (1.0 - fall)
    squeezed = squeezed - (rim + width * beyond) * fall * (shrink + beyond * JET_GROWTH)
    # beyond the core the middle slows too: ψ ∝ x there
    slowed = 0.5 * JET_GROWTH * width * (1.0 - fall)
    squeezed = np.where(near, np.where(off <= rim, 0.0, squeezed), squeezed - slowed)
    across = -middle * squeezed / np.maximum(off, 1e-9) ** 2
    velocity = (middle * fall)[:, None] * way + across[:, None] * out
    return np.asarray(np.where(ahead[:, None] < 0.0, 0.0, velocity))


def vortex_velocity(vortex: Vortex, point: Array) -> Array:
    """Return the velocity `(point, 3)` [m/s] that a vortex gives to the air at points `(point, 3)` [m].

    u = U (1 + 1/2α) R/r (1 - exp(-α r²/R²)) about the axis, with α = 1.256, for the highest speed U at the distance R.

    Source: the vortex of Lamb and Oseen in the form of W. J. Devenport, M. C. Rife, S. I. Liapis, G. J. Follin, "The
    structure and development of a wing-tip vortex", Journal of Fluid Mechanics 312 (1996).
    """
    axis = np.asarray(vortex.axis) / np.linalg.norm(vortex.axis)
    arm = point - np.asarray(vortex.position)
    arm = arm - (arm @ axis)[:, None] * axis
    share = np.maximum((arm * arm).sum(axis=-1) / vortex.radius**2, 1e-12)
    rate = TURN_PEAK * vortex.speed / vortex.radius * -np.expm1(-TURN * share) / share
    return np.asarray(rate[:, None] * np.cross(axis, arm))


def profile_share(wind: Wind, height: Array) -> Array:
    """Return the mean wind at heights `(...)` [m] over its velocity [1]; nothing blows below the ground.

    Source: S. P. Arya, "Introduction to Micrometeorology" (2001), §10.2: power law and logarithmic law.
    """
    z = np.maximum(np.asarray(height, np.float64), 0.0)
    match wind.profile:
        case None:
            return np.ones_like(z)
        case ProfilePower(height=reference, exponent=exponent):
            return np.asarray((z / reference) ** exponent)
        case ProfileLog(height=reference, roughness=rough):
            return np.asarray(np.log(np.maximum(z / rough, 1.0)) / math.log(reference / rough))
