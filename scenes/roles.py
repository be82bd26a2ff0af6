"""Roles that rigid bodies, soft bodies, cloth and ropes play."""

import math
from dataclasses import dataclass
from typing import Literal

from layouts import Streams
from scenes.category import Member, Role
from scenes.looks import body_look
from scenes.materials import cord, materials, physical, pool
from scenes.patterns import PATTERNS
from scenes.shapes import SHAPES, shaped
from simfactory.rng import Stream
from simfactory.spec import BodyCloth, BodyRigid, BodyRope, BodySoft, Cord, Hold
from simfactory.spec.body import Side

__all__ = ["RoleCloth", "RoleRigid", "RoleRope", "RoleSoft", "viscosity"]

CORD_WORDS = {  # of what is made of a material, in captions
    "hemp": ("hemp", "rope"),
    "nylon_rope": ("nylon", "rope"),
    "cotton_cord": ("cotton", "cord"),
    "bungee": ("elastic", "cord"),
    "rubber_hose": ("rubber", "hose"),
    "wire_rope": ("steel", "cable"),
    "chain": ("steel", "chain"),
}

VISCOSITY = (1.0, 60.0)  # [Pa·s]; at most 5 ms of relaxation in the softest material, where the solver's law is checked


@dataclass(frozen=True, kw_only=True)
class RoleRigid(Role):
    """A rigid body.

    Attributes:
        shapes: Names of the shapes to choose from.
        materials: Names of materials or families to choose from; empty = all.
        size: Largest extent [m].
        mobility: How the body moves.
        alike: Whether all bodies of the role share shape, size and material.
    """

    shapes: tuple[str, ...]
    materials: tuple[str, ...] = ()
    size: tuple[float, float] = (0.16, 0.4)
    mobility: Literal["dynamic", "static", "kinematic"] = "dynamic"
    alike: bool = False

    def cast(self, name: str, *, rank: int, streams: Streams) -> Member:
        """Draw one rigid body."""
        kind = ("role", self.name) if self.alike else ("body", name)
        draw = streams(*kind, "shape")
        shape = SHAPES[draw.choice(self.shapes)]
        size = draw.uniform(*self.size)
        form = shaped(shape, size, draw)
        material = streams(*kind, "material").choice(pool(*self.materials))
        look = body_look(material, name, rank=rank, size=size, streams=streams)
        body = BodyRigid(
            name=name,
            position=(0.0, 0.0, 0.0),
            physical=physical(material, name, streams=streams),
            visual=look.visual,
            geometry=form.geometry,
            scale=form.scale,
            aspect=form.aspect,
            mobility=self.mobility,
        )
        return Member(body=body, noun=shape.noun, material=material.replace("_", " "), colour=look.colour)


@dataclass(frozen=True, kw_only=True)
class RoleSoft(Role):
    """A soft body.

    Attributes:
        shapes: Names of the shapes to choose from.
        materials: Names of soft materials or families to choose from.
        size: Largest extent [m].
        resolution: Cells of the simulation mesh along it.
        held: Sides of its box whose material does not move.
    """

    shapes: tuple[str, ...]
    materials: tuple[str, ...] = ("soft",)
    size: tuple[float, float] = (0.22, 0.4)
    resolution: int = 6
    held: tuple[Side, ...] = ()

    def cast(self, name: str, *, rank: int, streams: Streams) -> Member:
        """Draw one soft body."""
        draw = streams("body", name, "shape")
        shape = SHAPES[draw.choice(self.shapes)]
        size = draw.uniform(*self.size)
        form = shaped(shape, size, draw)
        material = streams("body", name, "material").choice(pool(*self.materials))
        look = body_look(material, name, rank=rank, size=size, streams=streams)
        body = BodySoft(
            name=name,
            position=(0.0, 0.0, 0.0),
            physical=physical(material, name, streams=streams),
            visual=look.visual,
            geometry=form.geometry,
            scale=form.scale,
            aspect=form.aspect,
            resolution=self.resolution,
            viscosity=viscosity(streams("body", name, "viscosity")),
            held=self.held,
        )
        return Member(body=body, noun=shape.noun, material=material.replace("_", " "), colour=look.colour)


@dataclass(frozen=True, kw_only=True)
class RoleRope(Role):
    """A rope; placements lay it out. All ropes of a role are of one material.

    Attributes:
        materials: Names of rope materials or families to choose from.
        length: Length [m].
        radius: Radius [m].
    """

    materials: tuple[str, ...] = ("rope",)
    length: tuple[float, float] = (0.9, 1.4)
    radius: tuple[float, float] = (0.011, 0.02)

    def cast(self, name: str, *, rank: int, streams: Streams) -> Member:
        """Draw one rope, straight along x."""
        draw = streams("body", name, "shape")
        length, radius = draw.uniform(*self.length), draw.uniform(*self.radius)
        material = streams("role", self.name, "material").choice(pool(*self.materials))
        look = body_look(material, name, rank=rank, size=4.0 * radius, streams=streams)
        made = physical(material, name, streams=streams)
        limpness, relaxation = cord(material, streams=streams)
        body = BodyRope(
            name=name,
            position=(0.0, 0.0, 0.0),
            physical=made,
            visual=look.visual,
            geometry=Cord(radius=radius, points=((-0.5 * length, 0.0, 0.0), (0.5 * length, 0.0, 0.0))),
            bending_stiffness=limpness * made.young_modulus * math.pi * radius**4 / 4.0,
            relaxation=relaxation,
        )
        word, noun = CORD_WORDS[material]
        return Member(body=body, noun=noun, material=word, colour=look.colour)


def viscosity(draw: Stream) -> float:
    """Draw the viscosity of a soft material [Pa·s]."""
    return draw.within("viscosity", draw.log_uniform(*VISCOSITY))


@dataclass(frozen=True, kw_only=True)
class RoleCloth(Role):
    """A cloth.

    Attributes:
        patterns: Names of the patterns to choose from.
        materials: Names of materials that are cloth, or of families, to choose from.
        size: Largest extent [m].
        edge: Length of an edge of its mesh, about [m].
        held: Sides, corners or rim that do not move.
    """

    patterns: tuple[str, ...]
    materials: tuple[str, ...] = ("cloth",)
    size: tuple[float, float] = (0.7, 1.0)
    edge: float = 0.05
    held: tuple[Hold, ...] = ()

    def cast(self, name: str, *, rank: int, streams: Streams) -> Member:
        """Draw one cloth."""
        draw = streams("body", name, "shape")
        pattern = PATTERNS[draw.choice(self.patterns)]
        size = draw.uniform(*self.size)
        geometry = pattern.pattern(size, draw)
        material = streams("body", name, "material").choice(pool(*self.materials))
        look = body_look(material, name, rank=rank, size=size, streams=streams)
        textile, base = materials()[material].textile, streams("body", name, "textile")
        assert textile is not None
        body = BodyCloth(
            name=name,
            position=(0.0, 0.0, 0.0),
            physical=physical(material, name, streams=streams),
            visual=look.visual,
            geometry=geometry,
            resolution=round(size / self.edge),
            thickness=base.log_uniform(*textile.thickness),
            area_density=base.log_uniform(*textile.area_density),
            membrane_stiffness=base.log_uniform(*textile.membrane),
            bending_stiffness=base.log_uniform(*textile.bend),
            viscosity=0.002,
            held=self.held,
        )
        return Member(body=body, noun=pattern.noun, material=material.replace("_", " "), colour=look.colour)
