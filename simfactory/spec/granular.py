"""Granular bodies: grains that fill a region of space at t = 0."""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from simfactory.spec.geometry import Box, Cone, Cylinder, Sphere
from simfactory.spec.solid import BodySolid

__all__ = ["GRAINS_MAX", "GRAINS_MIN", "PACKING", "BodyGranular", "GrainRegion", "region_volume"]

PACKING = 0.62  # share of a region that poured grains fill; 0.64 is the densest random packing of balls
GRAINS_MIN, GRAINS_MAX = 20, 8000

GrainRegion = Annotated[Box | Sphere | Cylinder | Cone, Field(discriminator="shape")]


class BodyGranular(BodySolid):
    """A heap of grains: sand, gravel, beads. The geometry is the region that they fill at t = 0.

    Its density is that of the heap, gaps included; its dynamic friction is that between grains, the tangent of the
    angle of repose of a dry heap; restitution, Young's modulus and Poisson's ratio are not used: grains are stiff and
    do not rebound. Its origin moves with the centre of mass and its orientation stays: grains have no common turn.
    """

    kind: Literal["granular"] = "granular"
    geometry: GrainRegion = Field(
        description="Region that the grains fill at t = 0, in the body's local frame, before scale and aspect"
    )
    mobility: Literal["dynamic"] = Field(default="dynamic", description="Grains always obey physics")
    grain_radius: float = Field(ge=1e-3, le=0.1, description="Radius of a grain [m], 0.001–0.1")
    cohesion: float = Field(
        default=0.0, ge=0.0, le=5e3, description="Shear stress that unloaded grains bear [Pa], 0 (dry) – 5,000"
    )
    irregularity: float = Field(
        default=0.2, ge=0.0, le=0.5, description="How far grains are drawn from balls [radius], 0–0.5; looks only"
    )
    facets: Literal[20, 80] = Field(default=20, description="Triangles that draw a grain: 20 or 80")

    @property
    def spacing(self) -> float:
        """Edge of the cube that a grain and its share of the gaps take [m]."""
        return float(self.grain_radius * (4.0 * math.pi / (3.0 * PACKING)) ** (1.0 / 3.0))

    @property
    def grain_estimate(self) -> float:
        """About how many grains the region holds [1]."""
        return region_volume(self.geometry, self.factors, inset=self.grain_radius) / self.spacing**3

    @model_validator(mode="after")
    def _holds_grains(self) -> Self:
        count, radius = self.grain_estimate, self.grain_radius
        if count > GRAINS_MAX:
            fitting = radius * (count / GRAINS_MAX) ** (1.0 / 3.0)
            raise ValueError(
                f"granular body {self.name!r} would hold about {count:.0f} grains of radius {radius:g} m; allowed are "
                f"at most {GRAINS_MAX}: use grains of {fitting:.2g} m or a smaller region"
            )
        if count < GRAINS_MIN:
            raise ValueError(
                f"granular body {self.name!r} would hold about {count:.0f} grains of radius {radius:g} m; allowed are "
                f"{GRAINS_MIN} or more: use smaller grains or a larger region"
            )
        return self


def region_volume(
    region: Box | Sphere | Cylinder | Cone, factors: tuple[float, float, float], *, inset: float = 0.0
) -> float:
    """Return the volume [m³] of a region without a rim: with one of their radius, where the centres of grains may be.

    Args:
        region: The region.
        factors: Scale × aspect along local x, y, z [1].
        inset: Width of the rim [m].
    """

    def left(length: float) -> float:
        return max(length - 2.0 * inset, 0.0)

    fx, fy, fz = factors
    match region:
        case Box(size=(x, y, z)):
            return left(x * fx) * left(y * fy) * left(z * fz)
        case Sphere(radius=r):
            return math.pi / 6.0 * left(2.0 * r * fx) * left(2.0 * r * fy) * left(2.0 * r * fz)
        case Cylinder(radius=r, height=h):
            return math.pi / 4.0 * left(2.0 * r * fx) * left(2.0 * r * fy) * left(h * fz)
        case Cone(radius=r, height=h):
            return math.pi / 12.0 * left(2.0 * r * fx) * left(2.0 * r * fy) * left(h * fz)
