"""The role that granular bodies play."""

import math
from dataclasses import dataclass

from layouts import Streams
from layouts.solids import volume
from scenes.category import Member, Role
from scenes.looks import body_look
from scenes.materials import Grain, materials, physical, pool
from scenes.shapes import SHAPES, shaped
from simfactory.errors import SpecError
from simfactory.spec import BodyGranular, BodySolid
from simfactory.spec.granular import PACKING

__all__ = ["RoleGranular"]

LOOK = 12.0  # [grain radius] size from which the period of a pattern is drawn: spots of a few grains


@dataclass(frozen=True, kw_only=True)
class RoleGranular(Role):
    """A heap of grains.

    Attributes:
        shapes: Names of the shapes of the region that the grains fill at first: heap, pillar, clump or bed.
        materials: Names of granular materials or families to choose from.
        size: Largest extent of the region [m].
        grains: About how many grains fill it.
    """

    shapes: tuple[str, ...]
    materials: tuple[str, ...] = ("grains",)
    size: tuple[float, float] = (0.24, 0.36)
    grains: tuple[int, int] = (700, 1300)

    def cast(self, name: str, *, rank: int, streams: Streams) -> Member:
        """Draw one granular body.

        Raises:
            SpecError: A material is not granular.
        """
        draw = streams("body", name, "shape")
        shape = SHAPES[draw.choice(self.shapes)]
        size = draw.uniform(*self.size)
        form = shaped(shape, size, draw)
        material = streams("body", name, "material").choice(pool(*self.materials))
        grain = materials()[material].grain
        if grain is None:
            allowed = sorted(key for key, row in materials().items() if row.grain is not None)
            raise SpecError(f"material {material!r} of {self.name!r} has no grains; allowed are {allowed}: name those")
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
        radius = _radius(volume(solid), draw.integer(*self.grains))
        look = body_look(material, name, rank=rank, size=LOOK * radius, streams=streams)
        body = BodyGranular.model_validate(
            {
                **dict(solid),
                "kind": "granular",
                "visual": look.visual,
                "grain_radius": round(radius, 5),
                **_drawn(grain, name, streams=streams),
            }
        )
        words = material.replace("_", " ")
        if max(self.count) == 1:  # one lentil heap, but two heaps of lentils
            words = words.removesuffix("s")
        return Member(body=body, noun=shape.noun, material=words, colour=look.colour)


def _radius(region: float, count: int) -> float:
    """Return the radius [m] of so many grains that fill a region [m³]; a rim of the region holds no centres."""
    spacing = (region / count) ** (1.0 / 3.0)
    return float(spacing * (3.0 * PACKING / (4.0 * math.pi)) ** (1.0 / 3.0))


def _drawn(grain: Grain, name: str, *, streams: Streams) -> dict[str, object]:
    draw = streams("body", name, "grain")
    return {
        "cohesion": round(draw.uniform(*grain.cohesion), 2),
        "irregularity": round(draw.uniform(*grain.irregularity), 4),
        "facets": grain.facets,
    }
