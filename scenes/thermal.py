"""Roles of scenes with heat: bodies that soften and melt, bodies that stay hot, and bodies light enough to fly.

Heat crosses a block of wax as large as a hand within hours, a clip lasts seconds. So heat is hastened: conductivity and
the flows into touching bodies and into the air are those of the table times one factor. What is warm where then is what
it would be after so many times the clip's time; the motion is that of the clip's own time.
"""

import math
from dataclasses import dataclass

from layouts import Streams
from layouts.solids import volume
from scenes.category import Member, Role
from scenes.looks import body_look
from scenes.materials import Melting, materials, physical, pool
from scenes.roles import RoleRigid, viscosity
from scenes.shapes import SHAPES, shaped
from simfactory.air import plume_flow
from simfactory.errors import SpecError
from simfactory.rng import Stream
from simfactory.spec import BodyRigid, BodySoft, BodySolid, Environment, Heat, Plume
from simfactory.temperatures import ROOM

__all__ = ["RoleHot", "RoleLight", "RoleMelting", "hover_power", "warmed"]

BALL_DRAG = 0.47  # drag coefficient of a ball


@dataclass(frozen=True, kw_only=True)
class RoleMelting(Role):
    """A soft body that warmth softens and melts.

    Attributes:
        shapes: Names of the shapes to choose from.
        materials: Names of melting materials or families to choose from.
        size: Largest extent [m].
        resolution: Cells of the simulation mesh along it.
        crossing: Time in which heat crosses the body [s]: its volume to the power 2/3 over the thermal diffusivity.
    """

    shapes: tuple[str, ...]
    materials: tuple[str, ...] = ("melting",)
    size: tuple[float, float] = (0.2, 0.34)
    resolution: int = 6
    crossing: tuple[float, float] = (1.0, 3.0)

    def cast(self, name: str, *, rank: int, streams: Streams) -> Member:
        """Draw one melting body.

        Raises:
            SpecError: A material does not melt.
        """
        draw = streams("body", name, "shape")
        shape = SHAPES[draw.choice(self.shapes)]
        size = draw.uniform(*self.size)
        form = shaped(shape, size, draw)
        material = streams("body", name, "material").choice(pool(*self.materials))
        row = materials()[material].melting
        if row is None:
            allowed = sorted(key for key, other in materials().items() if other.melting is not None)
            raise SpecError(f"material {material!r} of {self.name!r} does not melt; allowed are {allowed}: name those")
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
        )
        heat = _heat(row, body, streams("body", name, "heat"), crossing=self.crossing)
        hot = BodySoft.model_validate({**dict(body), "heat": heat})
        return Member(body=hot, noun=shape.noun, material=material.replace("_", " "), colour=look.colour)


@dataclass(frozen=True, kw_only=True)
class RoleHot(RoleRigid):
    """A rigid body that keeps a temperature.

    Attributes:
        excess: How much warmer it is than the room [K].
    """

    excess: tuple[float, float] = (45.0, 80.0)

    def cast(self, name: str, *, rank: int, streams: Streams) -> Member:
        """Draw one hot body."""
        member = RoleRigid.cast(self, name, rank=rank, streams=streams)
        hot = warmed(streams("role", self.name, "heat"), self.excess)
        body = BodyRigid.model_validate({**dict(member.body), "temperature": hot})
        return Member(body=body, noun=member.noun, material=f"hot {member.material}", colour=member.colour)


@dataclass(frozen=True, kw_only=True)
class RoleLight(RoleRigid):
    """A hollow body that rising air can carry.

    Attributes:
        bulk: Its mass over its volume [kg/m³].
    """

    bulk: tuple[float, float] = (1.2, 2.0)

    def cast(self, name: str, *, rank: int, streams: Streams) -> Member:
        """Draw one light body."""
        member = RoleRigid.cast(self, name, rank=rank, streams=streams)
        bulk = streams("body", name, "bulk").uniform(*self.bulk)
        made = type(member.body.physical).model_validate({**dict(member.body.physical), "density": bulk})
        body = BodyRigid.model_validate({**dict(member.body), "physical": made})
        return Member(body=body, noun=member.noun, material=member.material, colour=member.colour)


def warmed(draw: Stream, excess: tuple[float, float]) -> float:
    """Draw a temperature [K] above that of the room.

    Args:
        draw: Randomness.
        excess: Smallest and largest difference [K].
    """
    return round(ROOM + draw.within("temperature_difference", draw.uniform(*excess), excess), 2)


def hover_power(body: BodySolid, air: Environment, spot: Plume, *, height: float) -> float:
    """Return the heat [W] of a hot spot above which a body hovers at a height [m].

    There the air rises as fast as a ball of the body's volume and mass falls: w² = 2 m g/ρ C_d A.

    Args:
        body: The body.
        air: Air and gravity.
        spot: The hot spot, with any power.
        height: Of the body above it [m].
    """
    radius = (3.0 * volume(body) / (4.0 * math.pi)) ** (1.0 / 3.0)
    pull = math.hypot(*air.gravity)
    fall = math.sqrt(8.0 * radius * body.physical.density * pull / (3.0 * air.air_density * BALL_DRAG))
    flow = plume_flow(spot, air)
    return spot.power * (fall / flow.strength) ** 3 * (height + flow.below)


def _heat(row: Melting, body: BodySoft, draw: Stream, *, crossing: tuple[float, float]) -> Heat:
    """Draw a body's heat, hastened so that heat crosses it within a time [s]."""
    conductivity, capacity = draw.uniform(*row.conductivity), draw.uniform(*row.heat_capacity)
    diffusivity = conductivity / (body.physical.density * capacity)
    haste = volume(body) ** (2.0 / 3.0) / (diffusivity * draw.uniform(*crossing))
    return Heat(
        temperature=round(draw.uniform(*row.start), 2),
        conductivity=haste * conductivity,
        heat_capacity=capacity,
        contact_conductance=haste * draw.log_uniform(*row.contact),
        convection=haste * draw.uniform(*row.convection),
        softening=(round(draw.uniform(*row.softens), 2), round(draw.uniform(*row.molten), 2)),
        molten_shear=draw.log_uniform(*row.molten_shear),
        flow_time=draw.log_uniform(*row.flow_time),
    )
