"""What bodies are made of: physical parameters and looks."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from simfactory.spec.base import Digest, Model, Unit3

__all__ = [
    "Brushed",
    "Checker",
    "Fabric",
    "ImageTexture",
    "Marble",
    "Noise",
    "NormalMap",
    "PhysicalMaterial",
    "Stone",
    "Stripes",
    "Texture",
    "UvTexture",
    "VisualMaterial",
    "Wood",
]

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
    """Fractal value noise: clouds, ridges, or swirls where it is displaced by itself."""

    pattern: Literal["noise"] = "noise"
    octaves: int = Field(default=5, ge=1, le=8, description="Layers, each twice as fine as the one before, 1–8")
    gain: float = Field(
        default=0.55, ge=0.2, le=0.8, description="Strength of a layer over the one before [1], 0.2–0.8"
    )
    warp: float = Field(default=0.0, ge=0.0, le=2.0, description="Displacement by another noise [period], 0–2")
    ridged: bool = Field(default=False, description="Whether layers are folded into sharp ridges")


class Marble(_Pattern):
    """Sine veins displaced by fractal noise."""

    pattern: Literal["marble"] = "marble"


class Wood(_Pattern):
    """Rings about local z displaced by fractal noise."""

    pattern: Literal["wood"] = "wood"


class Stone(_Pattern):
    """Cells of different tone, with joints (pebbles, cobbles) or without (granite), and a fine grain."""

    pattern: Literal["stone"] = "stone"
    joint: float = Field(default=0.06, ge=0.0, le=0.3, description="Width of the joints [period], 0–0.3")
    grain: float = Field(default=0.4, ge=0.0, le=1.0, description="Strength of the fine grain [1], 0–1")


class Fabric(_Pattern):
    """Woven threads: those along one way have the base colour, those across it the second."""

    pattern: Literal["fabric"] = "fabric"
    float_length: int = Field(default=1, ge=1, le=4, description="Threads passed over at a time: 1 plain, 2–4 twill")
    thickness: float = Field(default=0.8, ge=0.3, le=1.0, description="Width of a thread [period], 0.3–1")


class Brushed(_Pattern):
    """Fine streaks along local x, as on brushed metal."""

    pattern: Literal["brushed"] = "brushed"
    stretch: float = Field(default=30.0, ge=2.0, le=200.0, description="Length of a streak over its width [1], 2–200")


class ImageTexture(Model):
    """An image, repeated and projected along the local axes; it multiplies the base colour."""

    pattern: Literal["image"] = "image"
    digest: Digest
    scale: float = Field(gt=0.0, le=100.0, description="Width of one repeat [m], 0 < s ≤ 100")


class UvTexture(Model):
    """An image laid on a user mesh by the texture coordinates of its file; it multiplies the base colour.

    It repeats beyond 0–1. Which image came with a mesh, `simfactory assets show` says; any other may be named as well.
    """

    pattern: Literal["uv"] = "uv"
    digest: Digest


class NormalMap(Model):
    """A relief that bends the shading normal, repeated and projected along the local axes.

    A record beside the file says where its green leans. The geometry, and so every annotation but rgb,
    stays as it is.
    """

    digest: Digest
    scale: float = Field(gt=0.0, le=100.0, description="Width of one repeat [m], 0 < s ≤ 100")
    strength: float = Field(default=1.0, ge=0.0, le=4.0, description="Factor on the slopes [1], 0–4")


Texture = Annotated[
    Checker | Stripes | Noise | Marble | Wood | Stone | Fabric | Brushed | ImageTexture | UvTexture,
    Field(discriminator="pattern"),
]


class VisualMaterial(Model):
    """Metallic-roughness appearance."""

    base_color: Unit3 = Field(default=(0.7, 0.7, 0.7), description="Base colour, sRGB, 0–1")
    texture: Texture | None = Field(default=None, description="Texture mixed with the base colour")
    normal_map: NormalMap | None = Field(default=None, description="Relief that bends the shading normal")
    roughness: Share = Field(default=0.5, description="Microfacet roughness [1], 0 (mirror) – 1")
    metallic: Share = Field(default=0.0, description="0 dielectric – 1 metal")
    transmission: Share = Field(default=0.0, description="Share of light that passes through (glass) [1], 0–1")
    refractive_index: float = Field(default=1.5, ge=1.0, le=3.0, description="Index of refraction [1], 1–3")
