"""Cloth: thin sheets and garments that stretch, shear and bend."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from simfactory.spec.pattern import Cape, Disc, Pattern, Rectangle, Tunic
from simfactory.spec.solid import BodySolid

__all__ = ["BodyCloth", "Hold"]

One = Annotated[float, Field(ge=1.0, le=1.0)]
Hold = Literal["-x", "+x", "-y", "+y", "-x-y", "+x-y", "-x+y", "+x+y", "rim"]


class BodyCloth(BodySolid):
    """A thin elastic sheet: membrane in its plane, plate out of it; its shape at t = 0 is the one it is cut to.

    Of the physical material, friction, damping and Poisson's ratio are used; mass and stiffness are given here, per
    area and width, as cloth is measured. Its origin is that of the pattern, its orientation the rotation that fits
    the deformed body best.
    """

    kind: Literal["cloth"] = "cloth"
    geometry: Pattern = Field(description="What it is cut to, at rest, in the local frame")
    scale: float = Field(default=1.0, ge=1.0, le=1.0, description="1: a pattern has its own sizes")
    aspect: tuple[One, One, One] = Field(default=(1.0, 1.0, 1.0), description="1: a pattern has its own sizes")
    mobility: Literal["dynamic"] = Field(default="dynamic", description="Cloth always obeys physics")
    resolution: int = Field(
        default=24, ge=2, le=80, description="Edges of the mesh along the longest extent of the pattern, 2–80"
    )
    thickness: float = Field(
        default=1e-3, ge=1e-4, le=0.02, description="How far apart two layers lie that touch [m], 1e-4–0.02; see the "
        "solver's effective parameters for the least that it keeps"
    )  # fmt: skip
    area_density: float = Field(default=0.2, ge=0.02, le=10.0, description="Mass over area [kg/m²], 0.02–10")
    membrane_stiffness: float = Field(
        default=200.0, ge=1.0, le=1e5, description="Tension over strain of a strip, Young's modulus × thickness [N/m], "
        "1–1e5"
    )  # fmt: skip
    bending_stiffness: float = Field(
        default=1e-5, ge=0.0, le=1.0, description="Moment over curvature, both per width [N·m], 0–1"
    )
    viscosity: float = Field(
        default=0.0, ge=0.0, le=1.0, description="Viscous over elastic stiffness of membrane and bending [s], 0–1"
    )
    held: tuple[Hold, ...] = Field(
        default=(), max_length=9, description="What does not move: sides and corners of a flat piece by their place, "
        "or the rim: the waist, neck or hole"
    )  # fmt: skip

    clamped: bool = Field(
        default=False, description="Whether held sides keep their slope, too: the material next to them does not move"
    )

    @model_validator(mode="after")
    def _can_be_held(self) -> Self:
        flat, rimmed = isinstance(self.geometry, Rectangle), not isinstance(self.geometry, Rectangle | Disc)
        rimmed |= isinstance(self.geometry, Disc) and self.geometry.hole > 0.0
        allowed = ["-x", "+x", "-y", "+y", "-x-y", "+x-y", "-x+y", "+x+y"] if flat else ["rim"] if rimmed else []
        wrong = [hold for hold in self.held if hold not in allowed]
        if wrong:
            raise ValueError(
                f"cloth {self.name!r} is a {self.geometry.shape} and cannot be held at {wrong}; allowed are "
                f"{allowed or 'none'}: change held or the pattern"
            )
        if self.held and any((*self.linear_velocity, *self.angular_velocity)):
            raise ValueError(f"cloth {self.name!r} is held at {list(self.held)}: its initial velocities must be 0")
        return self

    @model_validator(mode="after")
    def _is_resolved(self) -> Self:
        narrow = _narrowest(self.geometry)
        cell = _longest(self.geometry) / self.resolution
        if cell < 1.5e-3:
            raise ValueError(f"cloth {self.name!r} has edges of {cell:.2g} m; allowed is 1.5 mm and more: lower "
                             "resolution or make it larger")  # fmt: skip
        if narrow < 2.0 * cell and not isinstance(self.geometry, Rectangle | Disc):
            least = int(2.0 * _longest(self.geometry) / narrow) + 1
            raise ValueError(
                f"cloth {self.name!r} has edges of {cell:.2g} m, too coarse for a {self.geometry.shape} that is "
                f"{narrow:.3g} m in its narrowest part: raise resolution to {least} or more"
            )
        return self


def _longest(pattern: Pattern) -> float:
    """Return the longest extent [m] that `resolution` divides."""
    match pattern:
        case Rectangle(size=size):
            return max(size)
        case Disc(radius=radius):
            return 2.0 * radius
        case Tunic(width=width, length=length, sleeve=sleeve):
            return max(width + 2.0 * sleeve, length)
        case _:
            return max(2.0 * pattern.hem, pattern.length)


def _narrowest(pattern: Pattern) -> float:
    """Return the extent [m] of the narrowest part of a pattern."""
    match pattern:
        case Rectangle(size=size):
            return min(size)
        case Disc(radius=radius, hole=hole):
            return radius - hole
        case Tunic(width=width, length=length, sleeve=sleeve):
            return min(0.5 * width, 0.5 * length, 2.0 * sleeve)
        case Cape(neck=neck):
            return 2.0 * neck
        case _:
            return 2.0 * min(pattern.waist, pattern.hem)
