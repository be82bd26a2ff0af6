"""What bodies are made of: physical parameters and looks."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from simfactory.spec.base import Model, Unit3

__all__ = ["Checker", "Marble", "Noise", "PhysicalMaterial", "Stripes", "Texture", "VisualMaterial", "Wood"]

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class PhysicalMaterial(Model):
    """Physical parameters of a body; a backend records the ones it could use as effective parameters."""

    name: str = Field(default="custom", description="Name of the material the values came from")
    density: float = Field(ge=1.0, le=25000.0, description="Mass density [kg/m³], 1–25,000")
    young_modulus: float = Field(default=1e7, ge=1e3, le=1e12, description="Young's modulus [Pa], 1e3–1e12")
    poisson_ratio: float = Field(default=0.3, ge=0.0, le=0.49, description="Poisson's ratio [1], 0–0.49")
    static_friction: float = Field(ge=0.0, le=2.0, description="Coulomb coefficient at rest [1], 0–2")
    dynamic_friction: float = Field(ge=0.0, le=2.0, description="Coulomb coefficient while sliding [1], 0–2, ≤ static")
    restitution: float = Field(ge=0.0, le=1.0, description="Speed after over speed before an impact [1], 0–1")
    damping: float = Field(default=0.0, ge=0.0, le=100.0, description="Rate of velocity decay [1/s], 0–100")

    @model_validator(mode="after")
    def _friction_order(self) -> Self:
        if self.dynamic_friction > self.static_friction:
            raise ValueError(
                f"dynamic_friction {self.dynamic_friction} exceeds static_friction {self.static_friction}: "
                "sliding friction is never the larger one"
            )
        return self


class _Pattern(Model):
    """A solid (three-dimensional) procedural texture, evaluated at the local position of a surface point."""

    color: Unit3 = Field(description="Second colour, sRGB, 0–1; the first is the material's base colour")
    scale: float = Field(gt=0.0, le=100.0, description="Period of the pattern [m], 0 < s ≤ 100")


class Checker(_Pattern):
    """Cubes of alternating colour."""

    pattern: Literal["checker"] = "checker"


class Stripes(_Pattern):
    """Alternating bands along local x."""

    pattern: Literal["stripes"] = "stripes"


class Noise(_Pattern):
    """Fractal value noise."""

    pattern: Literal["noise"] = "noise"


class Marble(_Pattern):
    """Sine veins displaced by fractal noise."""

    pattern: Literal["marble"] = "marble"


class Wood(_Pattern):
    """Rings about local z displaced by fractal noise."""

    pattern: Literal["wood"] = "wood"


Texture = Annotated[Checker | Stripes | Noise | Marble | Wood, Field(discriminator="pattern")]


class VisualMaterial(Model):
    """Metallic-roughness appearance."""

    base_color: Unit3 = Field(default=(0.7, 0.7, 0.7), description="Base colour, sRGB, 0–1")
    texture: Texture | None = Field(default=None, description="Procedural texture mixed with the base colour")
    roughness: Share = Field(default=0.5, description="Microfacet roughness [1], 0 (mirror) – 1")
    metallic: Share = Field(default=0.0, description="0 dielectric – 1 metal")
    transmission: Share = Field(default=0.0, description="Share of light that passes through (glass) [1], 0–1")
    refractive_index: float = Field(default=1.5, ge=1.0, le=3.0, description="Index of refraction [1], 1–3")
