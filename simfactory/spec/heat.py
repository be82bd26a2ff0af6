"""Heat in a soft body: how it is stored, conducted and exchanged, and how warmth softens."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from simfactory.spec.base import Model

__all__ = ["Heat", "Kelvin"]

Kelvin = Annotated[float, Field(ge=1.0, le=5000.0)]


class Heat(Model):
    """How a soft body stores, conducts and exchanges heat, and how warmth softens it.

    Below the softening range its shear modulus is that of its physical material, above the range `molten_shear` times
    that; in between it falls exponentially. Its resistance to changes of volume stays. What has melted flows if
    `flow_time` is given: the shear that it bears fades within that time, and it keeps its new shape when it sets.
    """

    temperature: Kelvin = Field(description="Temperature of the whole body at t = 0 [K], 1–5,000")
    conductivity: float = Field(ge=0.0, le=1e6, description="Thermal conductivity [W/(m·K)], 0–1e6")
    heat_capacity: float = Field(ge=10.0, le=1e5, description="Heat capacity [J/(kg·K)], 10–1e5")
    contact_conductance: float = Field(
        default=0.0,
        ge=0.0,
        le=1e9,
        description="Heat flow into rigid bodies and ground that have a temperature [W/(m²·K)], 0–1e9",
    )
    convection: float = Field(
        default=0.0, ge=0.0, le=1e8, description="Heat flow into air, where there is any [W/(m²·K)], 0–1e8"
    )
    softening: tuple[Kelvin, Kelvin] | None = Field(
        default=None, description="Temperatures at which it begins to soften and at which it is molten [K]"
    )
    molten_shear: float = Field(
        default=1.0, ge=1e-4, le=1.0, description="Shear modulus when molten over that when cold [1], 1e-4–1"
    )
    flow_time: float | None = Field(
        default=None,
        ge=1e-3,
        le=1e4,
        description="Time in which shear fades when molten [s], 1e-3–1e4; null: it springs back",
    )

    @model_validator(mode="after")
    def _range_is_told(self) -> Self:
        if self.softening is not None and self.softening[1] - self.softening[0] < 0.1:
            raise ValueError(
                f"softening {self.softening} has no width: give the temperature at which it begins and, at least 0.1 K "
                "higher, the one at which it is molten"
            )
        if self.softening is None and (self.molten_shear < 1.0 or self.flow_time is not None):
            raise ValueError("molten_shear and flow_time have no effect without softening: give its two temperatures")
        return self
