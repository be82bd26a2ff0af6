"""Named materials and floors, read from `materials.toml`, and the draw of one body's material."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from layouts import Streams
from scenes.perturbation import perturbed
from simfactory.errors import SpecError
from simfactory.rng import Stream
from simfactory.spec import PhysicalMaterial

__all__ = [
    "BOUNDS",
    "TERRAIN",
    "Appearance",
    "Grain",
    "Material",
    "Melting",
    "Surface",
    "Textile",
    "cord",
    "materials",
    "physical",
    "pool",
    "surfaces",
]

Span = tuple[float, float]
Hex = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]
TERRAIN = "terrain"  # family of what only the ground is made of
Pattern = Literal["", "checker", "stripes", "noise", "marble", "wood", "stone", "fabric", "brushed"]

# What may be drawn, after perturbation.
BOUNDS: dict[str, Span] = {
    "density": (100.0, 8000.0),
    "young": (1e4, 1e12),
    "poisson": (0.20, 0.45),
    "friction": (0.05, 1.0),
    "restitution": (0.0, 0.9),
    "damping": (0.0, 0.1),
}


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Appearance(_Row):
    """How a bare material looks."""

    colors: tuple[Hex, ...] = Field(min_length=1, description="Base colours to choose from, sRGB")
    second: Hex | None = Field(default=None, description="Second colour of the pattern, sRGB")
    pattern: Pattern = Field(default="", description="Texture; empty = plain")
    reliefs: tuple[str, ...] = Field(default=(), description="Normal maps of the package to choose from, by name")
    roughness: Span = Field(description="Microfacet roughness [1], 0–1")
    metallic: float = Field(default=0.0, ge=0.0, le=1.0, description="0 dielectric – 1 metal")
    transmission: float = Field(default=0.0, ge=0.0, le=1.0, description="Share of light that passes [1], 0–1")
    refractive_index: float = Field(default=1.5, ge=1.0, le=3.0, description="Index of refraction [1], 1–3")
    painted: float = Field(ge=0.0, le=1.0, description="How often it is painted instead [1], 0–1")


class Grain(_Row):
    """How the grains of a granular material are."""

    cohesion: Span = Field(default=(0.0, 0.0), description="Shear stress that unloaded grains bear [Pa]")
    irregularity: Span = Field(description="How far grains are from balls [radius]")
    facets: Literal[20, 80] = Field(default=20, description="Triangles that draw a grain")


class Textile(_Row):
    """What a material is as cloth."""

    thickness: Span = Field(description="[m]")
    area_density: Span = Field(description="[kg/m²]")
    membrane: Span = Field(description="Tension over strain [N/m]")
    bend: Span = Field(description="Bending stiffness [N·m]")


class Melting(_Row):
    """How a material conducts heat and melts, as it is in nature: scenes hasten it."""

    start: Span = Field(description="Temperature at which it is taken from where it was kept [K]")
    softens: Span = Field(description="Temperature at which it begins to soften [K]")
    molten: Span = Field(description="Temperature at which it is molten [K]")
    conductivity: Span = Field(description="[W/(m·K)]")
    heat_capacity: Span = Field(description="[J/(kg·K)]")
    contact: Span = Field(default=(200.0, 800.0), description="Heat flow into what it touches [W/(m²·K)]")
    convection: Span = Field(default=(5.0, 15.0), description="Heat flow into the air [W/(m²·K)]")
    molten_shear: Span = Field(description="Shear modulus when molten over that when cold [1]")
    flow_time: Span = Field(description="Time in which shear fades when molten [s]")


class Material(_Row):
    """Ranges of the physical parameters of one named material."""

    family: str = Field(description="Kind of material, e.g. metal")
    density: Span = Field(description="[kg/m³]")
    young: Span = Field(description="Young's modulus [Pa]")
    poisson: Span = Field(description="Poisson's ratio [1]")
    friction: Span = Field(description="Static coefficient [1]")
    slip: Span = Field(description="Dynamic over static coefficient [1]")
    restitution: Span = Field(description="Speed after over speed before an impact [1]")
    damping: Span = Field(description="Rate of velocity decay [1/s]")
    look: Appearance
    soft: bool = Field(
        default=False, description="Whether only bodies that yield are made of it, in scenes that name it"
    )
    grain: Grain | None = Field(default=None, description="Its grains, if it is granular")
    viscosity: Span | None = Field(default=None, description="[Pa·s], if it is a liquid")
    limpness: Span | None = Field(
        default=None, description="Bending stiffness over that of the solid section [1]; only ropes are made of it"
    )
    relaxation: Span = Field(default=(0.001, 0.001), description="Viscous over elastic stiffness of ropes [s]")
    textile: Textile | None = Field(default=None, description="As cloth; None = it is none")
    melting: Melting | None = Field(default=None, description="Its heat, if it softens and melts")


class Surface(_Row):
    """A floor or wall: what it is made of and a muted look."""

    material: str = Field(description="Name of the material it is made of")
    use: tuple[Literal["floor", "wall", "outdoors"], ...] = Field(description="Where it is found")
    colors: tuple[Hex, ...] = Field(min_length=1, description="Base colours, sRGB")
    seconds: tuple[Hex, ...] = Field(min_length=1, description="Second colours, one for each base colour, sRGB")
    pattern: Pattern = Field(description="Texture")
    scale: Span = Field(description="Period of the pattern [m]")
    reliefs: tuple[str, ...] = Field(default=(), description="Normal maps of the package to choose from, by name")
    relief_scale: Span = Field(default=(1.0, 2.0), description="Width of one repeat of the relief [m]")
    roughness: Span = Field(description="Microfacet roughness [1], 0–1")


@cache
def _table() -> dict[str, Any]:  # Any: TOML
    return tomllib.loads(files("scenes").joinpath("materials.toml").read_text(encoding="utf-8"))


@cache
def materials() -> dict[str, Material]:
    """Return the materials by name.

    Raises:
        SpecError: The table breaks its schema.
    """
    try:
        return {name: Material.model_validate(row) for name, row in _table()["material"].items()}
    except ValidationError as error:
        raise SpecError(f"scenes/materials.toml: {error}") from error


@cache
def surfaces() -> dict[str, Surface]:
    """Return the floors and walls by name.

    Raises:
        SpecError: The table breaks its schema.
    """
    try:
        return {name: Surface.model_validate(row) for name, row in _table()["surface"].items()}
    except ValidationError as error:
        raise SpecError(f"scenes/materials.toml: {error}") from error


def pool(*wanted: str) -> tuple[str, ...]:
    """Return the names of materials that are named or belong to a named family; all stiff ones if none is given.

    Raises:
        SpecError: A name is neither a material nor a family.
    """
    table = materials()
    known = {*table, *(material.family for material in table.values())}
    for name in wanted:
        if name not in known:
            raise SpecError(f"material {name!r} is unknown; allowed are {sorted(known)}: name materials or families")
    if not wanted:
        return tuple(name for name, row in table.items() if not row.soft and row.family != TERRAIN)
    return tuple(name for name, row in table.items() if name in wanted or row.family in wanted)


def physical(name: str, body: str, *, streams: Streams) -> PhysicalMaterial:
    """Draw the physical parameters of one body.

    The material has one base value an episode; bodies made of it differ from that by ±10 %.

    Args:
        name: Name of a material.
        body: Name of the body (or floor).
        streams: Randomness; draws from "material", name and "body", body, "physical".
    """
    row = materials()[name]
    base, draw = streams("material", name), streams("body", body, "physical")
    density = _around(base.log_uniform(*row.density), draw, "density")
    young = _around(base.log_uniform(*row.young), draw, "young")
    poisson = _around(base.uniform(*row.poisson), draw, "poisson")
    static = _around(base.uniform(*row.friction), draw, "friction")
    dynamic = min(max(static * base.uniform(*row.slip), BOUNDS["friction"][0]), static)
    restitution = _around(base.uniform(*row.restitution), draw, "restitution")
    damping = _around(base.log_uniform(*row.damping), draw, "damping")
    return PhysicalMaterial(
        name=name,
        density=draw.within("density", density),
        young_modulus=draw.within("young", young) if row.soft else young,
        poisson_ratio=draw.within("poisson", poisson),
        static_friction=draw.within("friction", static),
        dynamic_friction=draw.within("friction", dynamic),
        restitution=draw.within("restitution", restitution),
        damping=draw.within("damping", damping),
    )


def cord(name: str, *, streams: Streams) -> tuple[float, float]:
    """Draw bending stiffness over that of the solid section [1] and relaxation time [s] of a rope material.

    Args:
        name: Name of a material that ropes are made of.
        streams: Randomness; draws from "material", name, "cord".

    Raises:
        SpecError: No ropes are made of it.
    """
    row, draw = materials()[name], streams("material", name, "cord")
    if row.limpness is None:
        able = [other for other, material in materials().items() if material.limpness is not None]
        raise SpecError(f"no ropes are made of {name!r}; allowed are {able}: name one of them")
    return draw.log_uniform(*row.limpness), draw.log_uniform(*row.relaxation)


def _around(base: float, draw: Stream, parameter: str) -> float:
    return perturbed(base, draw, bounds=BOUNDS[parameter])
