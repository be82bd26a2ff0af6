"""Inflatables: closed shells of thin sheet with gas inside."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from simfactory.spec.geometry import Box, Capsule, Sphere, Torus
from simfactory.spec.solid import BodySolid

__all__ = ["BodyInflatable", "Shell"]

Shell = Annotated[Box | Capsule | Sphere | Torus, Field(discriminator="shape")]
SHELLS = ("box", "capsule", "sphere", "torus")


class BodyInflatable(BodySolid):
    """A closed elastic shell around a gas that keeps its temperature: p V = n R T; outside is the atmosphere.

    Its shape at t = 0 is that of the geometry, blown up to `gauge_pressure`: the shell of a ball is stretched by as
    much as balances it, others as that of a ball of equal volume over surface; these find shape and pressure of
    their own: a box becomes a limp cushion. Of the physical material, friction, damping and Poisson's ratio are
    used; mass and stiffness are given here, per area and width. Its origin is the centroid, its orientation the
    rotation that fits the deformed body best.
    """

    kind: Literal["inflatable"] = "inflatable"
    geometry: Shell = Field(description="Closed shape in the local frame: box, capsule, sphere or torus")
    mobility: Literal["dynamic"] = Field(default="dynamic", description="An inflatable always obeys physics")
    resolution: int = Field(
        default=12, ge=4, le=64, description="Edges of the mesh along the longest extent of the shape, 4–64"
    )
    gauge_pressure: float = Field(
        default=300.0, ge=0.0, le=2e4, description="Of the gas above the atmosphere's, at t = 0 [Pa], 0–2e4"
    )
    thickness: float = Field(default=5e-4, ge=1e-5, le=0.02, description="Of the shell [m], 1e-5–0.02")
    area_density: float = Field(default=0.3, ge=0.02, le=10.0, description="Mass over area [kg/m²], 0.02–10")
    membrane_stiffness: float = Field(
        default=500.0, ge=1.0, le=1e5, description="Tension over strain of a strip, Young's modulus × thickness [N/m], "
        "1–1e5"
    )  # fmt: skip
    bending_stiffness: float = Field(
        default=1e-5, ge=0.0, le=1.0, description="Moment over curvature, both per width [N·m], 0–1"
    )
    viscosity: float = Field(
        default=0.002, ge=0.0, le=1.0, description="Viscous over elastic stiffness of membrane and bending [s], 0–1"
    )

    @field_validator("geometry", mode="before")
    @classmethod
    def _holds_gas(cls, value: Any) -> Any:  # Any: pydantic passes what was given
        shape = value.get("shape") if isinstance(value, dict) else getattr(value, "shape", None)
        if shape is not None and shape not in SHELLS:
            raise ValueError(
                f"an inflatable cannot be a {shape}: gas stays in shells that are closed and have a mesh of even "
                f"triangles; allowed are {', '.join(SHELLS)}: take one of these"
            )
        return value

    @model_validator(mode="after")
    def _is_resolved(self) -> Self:
        extents = _extents(self)
        cell = max(extents) / self.resolution
        if cell < 8e-3:
            raise ValueError(
                f"inflatable {self.name!r} has edges of {cell:.2g} m, but layers are kept 4 mm apart: allowed is 8 mm "
                "and more; lower resolution or make it larger"
            )
        if min(extents) < 2.0 * cell:
            raise ValueError(
                f"inflatable {self.name!r} has edges of {cell:.2g} m, too coarse for a part that is {min(extents):.3g} "
                f"m thick: raise resolution to {int(2.0 * max(extents) / min(extents)) + 1} or more"
            )
        return self


def _extents(body: BodyInflatable) -> tuple[float, ...]:
    """Return the extents of a shape along x, y, z [m]; along z that of a torus's tube."""
    fx, fy, fz = body.factors
    match body.geometry:
        case Box(size=(x, y, z)):
            return x * fx, y * fy, z * fz
        case Sphere(radius=r):
            return 2.0 * r * fx, 2.0 * r * fy, 2.0 * r * fz
        case Capsule(radius=r, height=h):
            return 2.0 * r * fx, 2.0 * r * fy, (2.0 * r + h) * fz
        case Torus(radius=r, tube=t):
            return 2.0 * (r + t) * fx, 2.0 * (r + t) * fy, 2.0 * t * fz
