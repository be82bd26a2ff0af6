"""The role that liquids play."""

from dataclasses import dataclass

from layouts import Streams
from layouts.solids import volume
from scenes.category import Member, Role
from scenes.looks import body_look
from scenes.materials import materials, physical, pool
from scenes.shapes import SHAPES, shaped
from simfactory.errors import SpecError
from simfactory.spec import BodyFluid, BodySolid

__all__ = ["RoleFluid"]

NOUNS = {"clump": "blob", "pillar": "column", "heap": "cone", "bed": "pool"}  # of a liquid of the shape


@dataclass(frozen=True, kw_only=True)
class RoleFluid(Role):
    """A liquid.

    Attributes:
        shapes: Names of the shapes of the region that it fills at first: heap, pillar, clump or bed.
        materials: Names of liquids or families to choose from.
        size: Largest extent of the region [m].
        particles: About how many carry it.
    """

    shapes: tuple[str, ...]
    materials: tuple[str, ...] = ("thin liquid",)
    size: tuple[float, float] = (0.26, 0.36)
    particles: tuple[int, int] = (2400, 3600)

    def cast(self, name: str, *, rank: int, streams: Streams) -> Member:
        """Draw one liquid.

        Raises:
            SpecError: A material is no liquid.
        """
        draw = streams("body", name, "shape")
        key = draw.choice(self.shapes)
        size = draw.uniform(*self.size)
        form = shaped(SHAPES[key], size, draw)
        material = streams("body", self.name, "material").choice(pool(*self.materials))
        viscosity = materials()[material].viscosity
        if viscosity is None:
            allowed = sorted(key for key, row in materials().items() if row.viscosity is not None)
            raise SpecError(f"material {material!r} of {self.name!r} is no liquid; allowed are {allowed}: name those")
        solid = BodySolid.model_validate(
            {
                "name": name,
                "position": (0.0, 0.0, 0.0),
                "physical": physical(material, name, streams=streams),
                "visual": {},
                "geometry": form.geometry,
                "scale": form.scale,
                "aspect": form.aspect,
            }
        )
        look = body_look(material, name, rank=rank, size=size, streams=streams)
        body = BodyFluid.model_validate(
            {
                **dict(solid),
                "kind": "fluid",
                "visual": look.visual,
                "viscosity": float(f"{streams('material', material, 'viscosity').log_uniform(*viscosity):.4g}"),
                "spacing": round((volume(solid) / draw.integer(*self.particles)) ** (1.0 / 3.0), 5),
            }
        )
        return Member(body=body, noun=NOUNS[key], material=material.replace("_", " "), colour=look.colour)
