"""The role that inflatables play."""

from dataclasses import dataclass

from layouts import Streams
from scenes.category import Member, Role
from scenes.looks import body_look
from scenes.materials import materials, physical, pool
from scenes.shapes import SHAPES, shaped
from simfactory.spec import BodyInflatable

__all__ = ["RoleInflatable"]

LEAST, MOST = 6, 20  # edges along the longest extent
NAMES = {"balloon_rubber": "rubber"}  # of materials, in captions


@dataclass(frozen=True, kw_only=True)
class RoleInflatable(Role):
    """An inflatable.

    Attributes:
        shapes: Names of the shapes to choose from: closed ones.
        materials: Names of materials that are skins, or of families, to choose from.
        size: Largest extent [m].
        edge: Length of an edge of its mesh, about [m].
        gauge: Pressure of the gas above the atmosphere's at first [Pa]. 0 for what is no ball: it finds another shape,
            and what pressure had stored would set it in motion.
        noun: Word for it in captions; empty = that of the shape.
    """

    shapes: tuple[str, ...]
    materials: tuple[str, ...] = ("skin",)
    size: tuple[float, float] = (0.26, 0.4)
    edge: float = 0.04
    gauge: tuple[float, float] = (150.0, 600.0)
    noun: str = ""

    def cast(self, name: str, *, rank: int, streams: Streams) -> Member:
        """Draw one inflatable."""
        draw = streams("body", name, "shape")
        shape = SHAPES[draw.choice(self.shapes)]
        size = draw.uniform(*self.size)
        form = shaped(shape, size, draw)
        material = streams("body", name, "material").choice(pool(*self.materials))
        look = body_look(material, name, rank=rank, size=size, streams=streams)
        skin, base = materials()[material].textile, streams("body", name, "skin")
        assert skin is not None
        body = BodyInflatable.model_validate(
            {
                "name": name,
                "position": (0.0, 0.0, 0.0),
                "physical": physical(material, name, streams=streams),
                "visual": look.visual,
                "geometry": form.geometry,
                "scale": form.scale,
                "aspect": form.aspect,
                "resolution": min(max(round(size / self.edge), LEAST), MOST),
                "gauge_pressure": base.uniform(*self.gauge),
                "thickness": base.log_uniform(*skin.thickness),
                "area_density": base.log_uniform(*skin.area_density),
                "membrane_stiffness": base.log_uniform(*skin.membrane),
                "bending_stiffness": base.log_uniform(*skin.bend),
            }
        )
        word = NAMES.get(material, material.replace("_", " "))
        return Member(body=body, noun=self.noun or shape.noun, material=word, colour=look.colour)
