"""Shapes of bodies, each centred on its centre of volume, its axis along local z; and patterns of cloth."""

import math
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from simfactory.errors import SpecError
from simfactory.robots import robot_model
from simfactory.spec.base import Digest, Model, Name, Vec3
from simfactory.spec.pattern import Cape, Disc, Rectangle, Skirt, Tunic

__all__ = [
    "Box",
    "Capsule",
    "Cone",
    "Cord",
    "Cylinder",
    "Geometry",
    "MeshAsset",
    "Prism",
    "RobotPart",
    "Sphere",
    "Superellipsoid",
    "Torus",
    "Vessel",
]

Length = Annotated[float, Field(gt=0.0, le=100.0)]


class Box(Model):
    """A cuboid."""

    shape: Literal["box"] = "box"
    size: tuple[Length, Length, Length] = Field(description="Edge lengths along local x, y, z [m], 0 < s ≤ 100")


class Sphere(Model):
    """A ball."""

    shape: Literal["sphere"] = "sphere"
    radius: Length = Field(description="Radius [m], 0 < r ≤ 100")


class Cylinder(Model):
    """A circular cylinder along local z."""

    shape: Literal["cylinder"] = "cylinder"
    radius: Length = Field(description="Radius [m], 0 < r ≤ 100")
    height: Length = Field(description="Height along local z [m], 0 < h ≤ 100")


class Capsule(Model):
    """A cylinder along local z with half-sphere ends."""

    shape: Literal["capsule"] = "capsule"
    radius: Length = Field(description="Radius [m], 0 < r ≤ 100")
    height: Length = Field(description="Length of the cylindrical part along local z [m], 0 < h ≤ 100")


class Cone(Model):
    """A circular cone, apex towards local +z."""

    shape: Literal["cone"] = "cone"
    radius: Length = Field(description="Base radius [m], 0 < r ≤ 100")
    height: Length = Field(description="Height along local z [m], 0 < h ≤ 100")


class Prism(Model):
    """A generated convex solid: a regular polygon swept along local z, tapering towards +z."""

    shape: Literal["prism"] = "prism"
    sides: int = Field(ge=3, le=24, description="Corners of the base polygon, 3–24")
    radius: Length = Field(description="Circumscribed radius of the base [m], 0 < r ≤ 100")
    height: Length = Field(description="Height along local z [m], 0 < h ≤ 100")
    taper: float = Field(ge=0.05, le=1.0, description="Top radius over base radius, 0.05–1")


class Superellipsoid(Model):
    """A generated convex solid between a box, a ball and an octahedron.

    Source: A. Barr, "Superquadrics and angle-preserving transformations", IEEE CG&A (1981).
    """

    shape: Literal["superellipsoid"] = "superellipsoid"
    radii: tuple[Length, Length, Length] = Field(description="Half extents along local x, y, z [m], 0 < r ≤ 100")
    exponents: tuple[Annotated[float, Field(ge=0.1, le=2.0)], Annotated[float, Field(ge=0.1, le=2.0)]] = Field(
        description="Roundness north-south and east-west, 0.1 (box) – 1 (ball) – 2 (octahedron)"
    )


class Torus(Model):
    """A ring about local z with a round section; it encloses a hole where the tube is thinner than the ring."""

    shape: Literal["torus"] = "torus"
    radius: Length = Field(description="Distance of the tube's middle line from the axis [m], 0 < r ≤ 100")
    tube: Length = Field(description="Radius of the tube [m], 0 < t < radius")

    @model_validator(mode="after")
    def _has_a_hole(self) -> Self:
        if self.tube >= self.radius:
            raise ValueError(f"tube is {self.tube:g} m; allowed is less than the radius {self.radius:g} m: thin it")
        return self


class Vessel(Model):
    """A round cup or bowl, open towards local +z, with a flat floor and a wall of even thickness."""

    shape: Literal["vessel"] = "vessel"
    radius: Length = Field(description="Outer radius of the rim [m], 0 < r ≤ 100")
    base_radius: Length = Field(description="Outer radius of the base [m], 0 < r ≤ 100")
    height: Length = Field(description="Height along local z [m], 0 < h ≤ 100")
    wall: Length = Field(description="Thickness of wall and floor [m], 0 < w < half of each extent")

    @model_validator(mode="after")
    def _has_a_hollow(self) -> Self:
        least = min(self.radius, self.base_radius, self.height)
        if self.wall >= 0.5 * least:
            raise ValueError(
                f"wall is {self.wall:g} m; allowed is less than half of radius, base_radius and height, "
                f"{0.5 * least:g} m: thin it"
            )
        return self


class RobotPart(Model):
    """A part of a robot of the package, with the mass and the inertia measured there; its origin is the centre of mass.

    The density of its material is not used.
    """

    shape: Literal["robot_part"] = "robot_part"
    robot: Name = Field(description="Robot of the package, e.g. panda")
    part: Name = Field(description="Name of the part, e.g. hand")

    @model_validator(mode="after")
    def _known(self) -> Self:
        try:
            robot_model(self.robot).part(self.part)
        except SpecError as error:
            raise ValueError(str(error)) from error
        return self


class MeshAsset(Model):
    """A user's mesh, found by the digest of its file in the asset store."""

    shape: Literal["mesh"] = "mesh"
    digest: Digest
    scale: Length = Field(default=1.0, description="Metres per file unit, 0 < s ≤ 100")


class Cord(Model):
    """A round cord along a line in space; the shape of ropes, not centred.

    The line passes through all points, smoothly. With slack it joins two points and hangs from them towards local -z
    as a catenary.
    """

    shape: Literal["cord"] = "cord"
    radius: Annotated[float, Field(ge=1e-3, le=0.2)] = Field(description="Radius [m], 1e-3–0.2")
    points: tuple[Vec3, ...] = Field(
        min_length=2, max_length=512, description="2–512 points of the centre line, local frame [m], ±10,000"
    )
    slack: float = Field(
        default=0.0, ge=0.0, le=4.0, description="Length beyond the distance of two points, over that distance [1], 0–4"
    )

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        for number, (first, second) in enumerate(pairwise(self.points)):
            if math.dist(first, second) < 1e-6:
                raise ValueError(f"points {number} and {number + 1} of a cord are the same: leave one of them out")
        way = sum(math.dist(first, second) for first, second in pairwise(self.points))
        if way < 4.0 * self.radius:
            raise ValueError(
                f"a cord of radius {self.radius:g} m is {way:.4g} m long; allowed is a length of at least four radii, "
                f"{4.0 * self.radius:.4g} m: lengthen or thin it"
            )
        if self.slack > 0.0:
            if len(self.points) != 2:
                raise ValueError(f"slack needs 2 points, the cord has {len(self.points)}: give its two ends only")
            level = math.dist(self.points[0][:2], self.points[1][:2])
            if level < 0.02 * way:
                raise ValueError(
                    "slack hangs between points beside each other, these two are above each other: move one"
                )
        return self


Geometry = Annotated[
    Box
    | Sphere
    | Cylinder
    | Capsule
    | Cone
    | Cord
    | Prism
    | RobotPart
    | Superellipsoid
    | Torus
    | Vessel
    | MeshAsset
    | Rectangle
    | Disc
    | Skirt
    | Cape
    | Tunic,
    Field(discriminator="shape"),
]
