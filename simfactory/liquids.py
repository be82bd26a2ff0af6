"""Liquids at t = 0: the particles that carry them."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from simfactory.rng import stream
from simfactory.spec import BodyFluid, Box, Cone, Cylinder, Sphere
from simfactory.spec.granular import region_volume

__all__ = ["LiquidParticles", "liquid_particles"]

JITTER = 0.15  # of the spacing: a lattice without it would flow along its planes

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class LiquidParticles:
    """The particles of a liquid at rest.

    Attributes:
        centers: `(particle, 3)` body frame [m].
        mass: Of one particle [kg]: together they have that of the region.
    """

    centers: Array
    mass: float


def liquid_particles(body: BodyFluid) -> LiquidParticles:
    """Return the particles of a liquid: the same for the same region, size and spacing."""
    return _particles(body.model_copy(update={"position": (0.0, 0.0, 0.0), "orientation": (0.0, 0.0, 0.0, 1.0)}))


@lru_cache(maxsize=64)
def _particles(body: BodyFluid) -> LiquidParticles:
    extents = _extents(body)
    counts = np.maximum(np.round(extents / body.spacing).astype(int), 1)
    step = extents / counts
    lines = [step[k] * (np.arange(counts[k]) - 0.5 * (counts[k] - 1)) for k in range(3)]
    lattice = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, 3)
    draw = stream(0, "liquid", len(lattice))
    noise = np.random.Generator(np.random.Philox(key=draw.integer(0, 2**62))).random(lattice.shape)
    unit = lattice / (0.5 * extents)
    places = lattice + JITTER * step * (2.0 * noise - 1.0)
    inside = np.ones(len(lattice), np.bool_)
    match body.geometry:
        case Box():
            pass
        case Sphere():
            inside = np.linalg.norm(unit, axis=1) <= 1.0
        case Cylinder():
            inside = np.hypot(unit[:, 0], unit[:, 1]) <= 1.0
        case Cone(height=height):
            inside = np.hypot(unit[:, 0], unit[:, 1]) <= 0.5 * (1.0 - unit[:, 2])
            # A cone's origin is a quarter of its height above the base, a quarter below its middle.
            places = places + np.array([0.0, 0.0, 0.25 * height * body.factors[2]])
    centers = places[inside]
    return LiquidParticles(
        centers=centers,
        mass=body.physical.density * region_volume(body.geometry, body.factors) / len(centers),
    )


def _extents(body: BodyFluid) -> Array:
    factors = np.asarray(body.factors)
    match body.geometry:
        case Box(size=size):
            return np.asarray(np.asarray(size) * factors)
        case Sphere(radius=r):
            return np.asarray(np.array([2.0 * r, 2.0 * r, 2.0 * r]) * factors)
        case Cylinder(radius=r, height=h) | Cone(radius=r, height=h):
            return np.asarray(np.array([2.0 * r, 2.0 * r, h]) * factors)
