"""Fluid bodies: liquids that fill a region of space at t = 0."""

from typing import Literal, Self

from pydantic import Field, model_validator

from simfactory.spec.granular import GrainRegion, region_volume
from simfactory.spec.solid import BodySolid

__all__ = ["PARTICLES_MAX", "PARTICLES_MIN", "BodyFluid"]

PARTICLES_MIN, PARTICLES_MAX = 50, 12_000


class BodyFluid(BodySolid):
    """A liquid: water, milk, oil, honey. The geometry is the region that it fills at t = 0.

    Of its physical material only the density is used, besides viscosity: it is incompressible, has no surface tension,
    and sticks to walls as far as its viscosity makes it. Its origin moves with the centre of mass and its
    orientation stays. It is carried by particles; what is seen is the surface about them.
    """

    kind: Literal["fluid"] = "fluid"
    geometry: GrainRegion = Field(
        description="Region that the liquid fills at t = 0, in the body's local frame, before scale and aspect"
    )
    mobility: Literal["dynamic"] = Field(default="dynamic", description="A liquid always obeys physics")
    viscosity: float = Field(
        default=1e-3, ge=0.0, le=200.0, description="Dynamic viscosity [Pa·s], 0–200; water 0.001, honey 10"
    )
    spacing: float = Field(
        ge=2e-3,
        le=0.1,
        description="Edge of the cube that a particle stands for [m], 0.002–0.1; drawn detail is as fine",
    )

    @property
    def particle_estimate(self) -> float:
        """About how many particles carry it [1]."""
        return region_volume(self.geometry, self.factors) / self.spacing**3

    @model_validator(mode="after")
    def _holds_particles(self) -> Self:
        count = self.particle_estimate
        if not PARTICLES_MIN <= count <= PARTICLES_MAX:
            bound = PARTICLES_MAX if count > PARTICLES_MAX else PARTICLES_MIN
            fitting = self.spacing * (count / bound) ** (1.0 / 3.0)
            raise ValueError(
                f"fluid body {self.name!r} would have about {count:.0f} particles {self.spacing:g} m apart; allowed "
                f"are {PARTICLES_MIN} to {PARTICLES_MAX}: use a spacing of {fitting:.2g} m or another region"
            )
        return self

    @model_validator(mode="after")
    def _is_plain(self) -> Self:
        if self.visual.texture is not None or self.visual.normal_map is not None:
            raise ValueError(
                f"fluid body {self.name!r} has a texture or a relief, but a liquid has no fixed places to lay one on: "
                "give it a plain colour"
            )
        return self
