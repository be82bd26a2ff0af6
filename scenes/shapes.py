"""Shapes of bodies: words for proportions, and the draw of a geometry with scale and aspect."""

from collections.abc import Callable
from dataclasses import dataclass

from simfactory.rng import Stream
from simfactory.spec import Box, Capsule, Cone, Cylinder, Geometry, Prism, Sphere, Superellipsoid, Torus

__all__ = ["SHAPES", "Shape", "Shaped", "shaped"]

Vec = tuple[float, float, float]

SCALE = (0.5, 2.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """A family of similar bodies.

    Attributes:
        noun: Word for it in captions.
        geometry: Draws a geometry of given extents along local x, y, z [m].
        extents: Proportions before aspect [1].
        aspect: Range of the factors along each axis, log-uniform, within 0.5–2.
        round: Whether x and y share a factor, so that circles stay circles.
    """

    noun: str
    geometry: Callable[[Vec, Stream], Geometry]
    extents: Vec = (1.0, 1.0, 1.0)
    aspect: tuple[float, float] = (1.0, 1.0)
    round: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Shaped:
    """A drawn shape: geometry × scale × aspect has the wanted size."""

    geometry: Geometry
    scale: float
    aspect: Vec


def _box(size: Vec, _: Stream) -> Geometry:
    return Box(size=size)


def _sphere(size: Vec, _: Stream) -> Geometry:
    return Sphere(radius=size[0] / 2)


def _cylinder(size: Vec, _: Stream) -> Geometry:
    return Cylinder(radius=size[0] / 2, height=size[2])


def _capsule(size: Vec, _: Stream) -> Geometry:
    return Capsule(radius=size[0] / 2, height=size[2] - size[0])


def _cone(size: Vec, _: Stream) -> Geometry:
    return Cone(radius=size[0] / 2, height=size[2])


def _prism(size: Vec, draw: Stream) -> Geometry:
    return Prism(sides=draw.integer(3, 8), radius=size[0] / 2, height=size[2], taper=draw.uniform(0.45, 1.0))


def _column(size: Vec, draw: Stream) -> Geometry:
    return Prism(sides=draw.integer(4, 8), radius=size[0] / 2, height=size[2], taper=draw.uniform(0.85, 1.0))


def _superellipsoid(size: Vec, draw: Stream) -> Geometry:
    radii = (size[0] / 2, size[1] / 2, size[2] / 2)
    return Superellipsoid(radii=radii, exponents=(draw.uniform(0.3, 1.0), draw.uniform(0.3, 1.0)))


def _torus(size: Vec, _: Stream) -> Geometry:
    return Torus(radius=(size[0] - size[2]) / 2, tube=size[2] / 2)


SHAPES: dict[str, Shape] = {
    "ball": Shape(noun="ball", geometry=_sphere),
    "box": Shape(noun="box", geometry=_box, aspect=(0.5, 2.0)),
    "block": Shape(noun="block", geometry=_box, extents=(1.0, 1.0, 0.8), aspect=(0.8, 1.25)),
    "slab": Shape(noun="slab", geometry=_box, extents=(1.0, 0.8, 0.35), aspect=(0.85, 1.15)),
    "tile": Shape(noun="domino", geometry=_box, extents=(0.2, 0.55, 1.0), aspect=(0.95, 1.05)),
    "cylinder": Shape(noun="cylinder", geometry=_cylinder, aspect=(0.7, 1.4), round=True),
    "disc": Shape(noun="disc", geometry=_cylinder, extents=(1.0, 1.0, 0.35), aspect=(0.85, 1.15), round=True),
    "capsule": Shape(noun="capsule", geometry=_capsule, extents=(0.45, 0.45, 1.0)),
    "cone": Shape(noun="cone", geometry=_cone, extents=(0.9, 0.9, 1.0), aspect=(0.8, 1.25), round=True),
    "prism": Shape(noun="prism", geometry=_prism, aspect=(0.7, 1.4)),
    "column": Shape(noun="prism", geometry=_column, extents=(1.0, 1.0, 0.7), aspect=(0.85, 1.15), round=True),
    "pebble": Shape(noun="rounded block", geometry=_superellipsoid, aspect=(0.5, 2.0)),
    "nugget": Shape(noun="rounded block", geometry=_superellipsoid, aspect=(0.65, 1.55)),  # soft ones have few cells
    "stick": Shape(noun="stick", geometry=_box, extents=(1.0, 0.3, 0.2), aspect=(0.9, 1.1)),
    "taper": Shape(noun="candle", geometry=_cylinder, extents=(0.3, 0.3, 1.0), aspect=(0.9, 1.1), round=True),
    "slice": Shape(noun="slice", geometry=_box, extents=(1.0, 0.7, 0.18), aspect=(0.9, 1.1)),
    "hob": Shape(noun="plate", geometry=_box, extents=(1.0, 1.0, 0.12), aspect=(0.9, 1.1)),
    "burner": Shape(noun="burner", geometry=_cylinder, extents=(1.0, 1.0, 0.4)),
    "fan": Shape(noun="fan", geometry=_cylinder, extents=(1.0, 1.0, 0.2)),
    "plank": Shape(noun="ramp", geometry=_box, extents=(1.0, 0.38, 0.025), aspect=(0.9, 1.1)),
    "post": Shape(noun="post", geometry=_box, extents=(0.3, 0.9, 1.0)),
    "panel": Shape(noun="side", geometry=_box, extents=(0.06, 1.0, 0.3)),
    "shelf": Shape(noun="shelf", geometry=_box, extents=(0.8, 1.0, 0.8)),
    "board": Shape(noun="board", geometry=_box, extents=(1.0, 0.3, 0.14), aspect=(0.9, 1.1)),
    "plate": Shape(noun="plate", geometry=_box, extents=(0.08, 1.0, 0.6), aspect=(0.9, 1.1)),
    "ring": Shape(noun="ring", geometry=_torus, extents=(1.0, 1.0, 0.2)),
    "pole": Shape(noun="bar", geometry=_box, extents=(1.0, 0.08, 0.08)),
    "peg": Shape(noun="peg", geometry=_capsule, extents=(0.1, 0.1, 1.0)),
    "heap": Shape(noun="heap", geometry=_cone, extents=(1.0, 1.0, 0.6)),
    "pillar": Shape(noun="column", geometry=_cylinder, extents=(0.75, 0.75, 1.0)),
    "clump": Shape(noun="clump", geometry=_sphere),
    "bed": Shape(noun="bed", geometry=_cylinder, extents=(1.0, 1.0, 0.3)),
    "tyre": Shape(noun="thick ring", geometry=_torus, extents=(1.0, 1.0, 0.34)),
    "stem": Shape(noun="post", geometry=_box, extents=(0.28, 0.28, 1.0), aspect=(0.95, 1.05)),
    "air_ring": Shape(noun="air ring", geometry=_torus, extents=(1.0, 1.0, 0.32)),
    "bolster": Shape(noun="bolster", geometry=_capsule, extents=(0.42, 0.42, 1.0)),
    "cushion": Shape(noun="air cushion", geometry=_box, extents=(1.0, 0.8, 0.25), aspect=(0.9, 1.1)),
    "bar": Shape(noun="bar", geometry=_box, extents=(0.08, 1.0, 0.14), aspect=(0.9, 1.1)),
    "bench": Shape(noun="bench", geometry=_box),
    "cup": Shape(noun="cup", geometry=_cylinder),
    "bowl": Shape(noun="bowl", geometry=_cylinder),
    "can": Shape(noun="can", geometry=_cylinder),
    "bottle": Shape(noun="bottle", geometry=_cylinder),
    "bucket": Shape(noun="bucket", geometry=_cylinder),
    "pan": Shape(noun="pan", geometry=_cylinder),
    "gate": Shape(noun="gate", geometry=_box),
    "load": Shape(noun="load", geometry=_cylinder, extents=(0.75, 0.75, 1.0)),
    "tabletop": Shape(noun="table", geometry=_box, extents=(1.0, 1.0, 0.12), aspect=(0.9, 1.1)),
    "turntable": Shape(noun="disc", geometry=_cylinder, extents=(1.0, 1.0, 0.1), round=True),
    "roller": Shape(noun="roller", geometry=_cylinder),
    "brick": Shape(noun="block", geometry=_box),
    "plug": Shape(noun="peg", geometry=_box),
    "button": Shape(noun="button", geometry=_box),
    "lever": Shape(noun="lever", geometry=_box),
    "stapler": Shape(noun="stapler", geometry=_box),
    "drawer": Shape(noun="drawer", geometry=_box),
    "leaf": Shape(noun="door", geometry=_box),
    "handle": Shape(noun="handle", geometry=_box),
    "tray": Shape(noun="tray", geometry=_box),
    "bead": Shape(noun="bead", geometry=_sphere),
}


def _factor(shape: Shape, draw: Stream) -> float:
    factor = draw.log_uniform(*shape.aspect)
    return draw.within("aspect", factor) if shape.aspect[0] < shape.aspect[1] else 1.0


def shaped(shape: Shape, size: float, draw: Stream) -> Shaped:
    """Draw a geometry of a shape whose largest extent is a size.

    Args:
        shape: The family.
        size: Largest extent with scale and aspect applied [m] (of the circumscribed circle for prisms).
        draw: Randomness.
    """
    scale = draw.within("scale", draw.log_uniform(*SCALE))
    across, along, up = (_factor(shape, draw) for _ in range(3))
    aspect = (across, across if shape.round else along, up)
    unit = size / (scale * max(extent * factor for extent, factor in zip(shape.extents, aspect, strict=True)))
    x, y, z = (extent * unit for extent in shape.extents)
    return Shaped(geometry=shape.geometry((x, y, z), draw), scale=scale, aspect=aspect)
