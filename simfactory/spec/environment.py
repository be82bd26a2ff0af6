"""What surrounds the bodies: gravity, air, ground, room, lights and sky."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from simfactory.spec.base import Digest, Model, Unit3, Vec3, is_none
from simfactory.spec.heat import Kelvin
from simfactory.spec.material import PhysicalMaterial, VisualMaterial
from simfactory.spec.wind import Flow, Plume, Wind

__all__ = [
    "Environment",
    "EnvironmentMap",
    "Ground",
    "Light",
    "LightArea",
    "LightPoint",
    "LightSun",
    "Room",
    "Sky",
]

Acceleration = Annotated[float, Field(ge=-50.0, le=50.0)]


def _is_empty(value: tuple[object, ...]) -> bool:
    return not value


class Environment(Model):
    """Fields that act on every body."""

    gravity: tuple[Acceleration, Acceleration, Acceleration] = Field(
        default=(0.0, 0.0, -9.81), description="Gravitational acceleration, world frame [m/s²], ±50 per axis"
    )
    air_density: float = Field(default=0.0, ge=0.0, le=10.0, description="Density of the air [kg/m³], 0 (vacuum) – 10")
    air_viscosity: float = Field(default=1.8e-5, ge=0.0, le=1.0, description="Dynamic viscosity [Pa·s], 0–1")
    wind: Wind = Field(default=Wind(), description="Wind; acts only where air_density > 0")
    plumes: tuple[Plume, ...] = Field(
        default=(), max_length=8, exclude_if=_is_empty, description="Up to 8 plumes of warm air"
    )
    flows: tuple[Flow, ...] = Field(
        default=(),
        max_length=8,
        exclude_if=_is_empty,
        description="Up to 8 jets and vortices; their velocities add to the wind's. Bodies do not stop them",
    )
    temperature: Kelvin = Field(default=293.15, description="Temperature of the air at the origin [K], 1–5,000")
    temperature_gradient: Vec3 = Field(
        default=(0.0, 0.0, 0.0), description="Gradient of the temperature [K/m], ±10,000"
    )

    @model_validator(mode="after")
    def _plumes_rise(self) -> Self:
        if self.plumes and (self.air_density == 0.0 or not any(self.gravity)):
            raise ValueError(
                f"plumes need air and gravity, given are air_density {self.air_density:g} and gravity {self.gravity}: "
                "give both or leave plumes out"
            )
        return self

    @model_validator(mode="after")
    def _flows_have_air(self) -> Self:
        if self.flows and self.air_density == 0.0:
            raise ValueError(
                f"{len(self.flows)} jets or vortices in no air: allowed are they where air_density > 0; give one, "
                "1.2 kg/m³ for instance, or leave flows out"
            )
        return self


class Ground(Model):
    """A level square floor at z = 0, centred on the origin."""

    size: float = Field(default=60.0, ge=1.0, le=1000.0, description="Edge length [m], 1–1,000")
    physical: PhysicalMaterial = Field(description="What it is made of")
    visual: VisualMaterial = Field(description="What it looks like")
    temperature: Kelvin | None = Field(
        default=None,
        exclude_if=is_none,
        description="Temperature that it keeps [K], 1–5,000; null: it takes and gives no heat",
    )


class Room(Model):
    """Four walls around the origin, standing on the ground, with or without a ceiling."""

    size: tuple[
        Annotated[float, Field(ge=1.0, le=100.0)],
        Annotated[float, Field(ge=1.0, le=100.0)],
        Annotated[float, Field(ge=1.0, le=100.0)],
    ] = Field(description="Inner width (x), depth (y), height (z) [m], 1–100")
    ceiling: bool = Field(default=False, description="Whether the room is closed at the top")
    physical: PhysicalMaterial = Field(description="What it is made of")
    visual: VisualMaterial = Field(description="What it looks like")


class LightSun(Model):
    """A distant light; its shadows soften with its angular diameter (in preset `draft` they are sharp)."""

    kind: Literal["sun"] = "sun"
    direction: Vec3 = Field(description="Direction in which the light travels, world frame, ±10,000; any length but 0")
    irradiance: float = Field(ge=0.0, le=100.0, description="Irradiance on a facing surface, exposure-relative, 0–100")
    temperature: float = Field(default=5800.0, ge=1000.0, le=20000.0, description="Colour temperature [K], 1e3–2e4")
    angular_diameter: float = Field(
        default=0.53, ge=0.0, le=30.0, description="Angle that its disk fills, 0 = sharp shadows [deg], 0–30"
    )

    @field_validator("direction")
    @classmethod
    def _points_somewhere(cls, value: Any) -> Any:  # Any: pydantic passes the parsed tuple
        if not any(value):
            raise ValueError("direction is (0, 0, 0): give the direction in which the light travels")
        return value


class LightPoint(Model):
    """A light that shines evenly in all directions."""

    kind: Literal["point"] = "point"
    position: Vec3 = Field(description="Position, world frame [m], ±10,000")
    intensity: float = Field(ge=0.0, le=10000.0, description="Radiant intensity, exposure-relative, 0–10,000")
    temperature: float = Field(default=4000.0, ge=1000.0, le=20000.0, description="Colour temperature [K], 1e3–2e4")


class LightArea(Model):
    """A flat lamp that shines from one side, by cosine; seen in mirrors, but neither by cameras nor in ground truth.

    In preset `draft` it lights as a point at its centre would.
    """

    kind: Literal["area"] = "area"
    shape: Literal["rectangle", "disk"] = Field(
        default="rectangle", description="Outline; a disk is the ellipse inside the rectangle"
    )
    position: Vec3 = Field(description="Centre, world frame [m], ±10,000")
    direction: Vec3 = Field(description="Direction in which it shines, world frame, ±10,000; any length but 0")
    size: tuple[
        Annotated[float, Field(gt=0.0, le=100.0)],
        Annotated[float, Field(gt=0.0, le=100.0)],
    ] = Field(description="Length along its level axis, and across that [m], 0 < s ≤ 100")
    radiance: float = Field(ge=0.0, le=10000.0, description="Radiance of the lit side, exposure-relative, 0–10,000")
    temperature: float = Field(default=4000.0, ge=1000.0, le=20000.0, description="Colour temperature [K], 1e3–2e4")

    @field_validator("direction")
    @classmethod
    def _has_direction(cls, value: Vec3) -> Vec3:
        if not any(value):
            raise ValueError("direction is zero: give the vector along which the lamp shines")
        return value


Light = Annotated[LightSun | LightPoint | LightArea, Field(discriminator="kind")]


class EnvironmentMap(Model):
    """A picture of the surroundings in all directions, found by the digest of its file; see `simfactory.maps`."""

    digest: Digest
    rotation: float = Field(
        default=0.0, ge=-6.2831854, le=6.2831854, description="Turn about z, counter-clockwise from above [rad], ±2π"
    )


class Sky(Model):
    """A sky that lights the scene from all sides: procedural, or a map.

    Intensity 1 of the procedural sky puts irradiance 1 on a level surface. Intensity 1 of a map is that of an even sky
    which does so: π times the mean radiance of the map's upper half, a sun in it included.
    """

    turbidity: float = Field(default=3.0, ge=1.0, le=10.0, description="Haziness [1], 1 (clear) – 10")
    intensity: float = Field(default=1.0, ge=0.0, le=10.0, description="Brightness, exposure-relative, 0–10")
    horizon_color: Unit3 = Field(default=(0.75, 0.78, 0.82), description="Colour below the horizon, sRGB, 0–1")
    environment_map: EnvironmentMap | None = Field(
        default=None, description="A map instead of the procedural sky; turbidity and horizon_color are then unused"
    )
