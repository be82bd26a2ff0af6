"""Moving air: a mean wind with gusts and a profile over the ground, jets, vortices, and plumes of warm air."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from simfactory.spec.base import Model, Vec3, is_none

__all__ = ["Flow", "Jet", "Plume", "Profile", "ProfileLog", "ProfilePower", "Vortex", "Wind"]

Speed = Annotated[float, Field(ge=-100.0, le=100.0)]


class ProfilePower(Model):
    """A wind that grows with a power of the height z above the ground: U (z / height)^exponent."""

    kind: Literal["power"] = "power"
    height: float = Field(gt=0.0, le=1000.0, description="Height at which the wind has its velocity [m], 0 < h ≤ 1,000")
    exponent: float = Field(gt=0.0, le=1.0, description="Power of the height [1], 0 < n ≤ 1; 0.14 over flat land")


class ProfileLog(Model):
    """A wind that grows with the logarithm of the height z: U ln(z / roughness) / ln(height / roughness)."""

    kind: Literal["log"] = "log"
    height: float = Field(gt=0.0, le=1000.0, description="Height at which the wind has its velocity [m], 0 < h ≤ 1,000")
    roughness: float = Field(
        gt=0.0, le=10.0, description="Height below which the air is still [m], 0 < z ≤ 10; 0.01 over short grass"
    )

    @model_validator(mode="after")
    def _is_low(self) -> Self:
        if self.roughness >= self.height:
            raise ValueError(
                f"roughness {self.roughness:g} m reaches up to the reference height {self.height:g} m: allowed is one "
                "below it; lower the roughness or raise the height"
            )
        return self


Profile = Annotated[ProfilePower | ProfileLog, Field(discriminator="kind")]


class Wind(Model):
    """A mean wind and, if it is turbulent, gusts that it carries along."""

    velocity: tuple[Speed, Speed, Speed] = Field(default=(0.0, 0.0, 0.0), description="Mean velocity [m/s], ±100")
    turbulence: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="Root mean square of gusts along each axis over the mean speed [1], 0–1",
    )
    gust_length: float | None = Field(
        default=None,
        exclude_if=is_none,
        ge=0.05,
        le=100.0,
        description="Integral length of the gusts [m], 0.05–100; needed with turbulence",
    )
    gust_seed: int | None = Field(
        default=None, exclude_if=is_none, ge=0, lt=2**31, description="Which gusts, 0 – 2^31−1; needed with turbulence"
    )
    profile: Profile | None = Field(
        default=None,
        exclude_if=is_none,
        description="How the mean wind grows with height above z = 0; null: it is the same everywhere. Gusts are not "
        "changed by it",
    )

    @model_validator(mode="after")
    def _gusts_are_told(self) -> Self:
        if self.turbulence > 0.0 and (self.gust_length is None or self.gust_seed is None):
            raise ValueError(
                f"turbulence {self.turbulence:g} without gust_length or gust_seed: give the gusts' length [m] and an "
                "integer that picks them"
            )
        return self

    @model_validator(mode="after")
    def _blows_along_the_ground(self) -> Self:
        if self.profile is not None and (self.velocity[2] != 0.0 or not any(self.velocity)):
            raise ValueError(
                f"a wind of velocity {self.velocity} has no profile over the ground: allowed is a level one that is "
                "not 0; set its z to 0 or leave the profile out"
            )
        return self


class Plume(Model):
    """Warm air that rises from a hot spot: a turbulent plume with a round foot."""

    position: Vec3 = Field(description="Centre of the hot spot, world frame [m], ±10,000")
    radius: float = Field(gt=0.0, le=10.0, description="Radius of the hot spot [m], 0 < r ≤ 10")
    power: float = Field(gt=0.0, le=1e7, description="Heat that it gives to the air [W], 0 < P ≤ 1e7")


def _checked(value: Vec3, name: str) -> Vec3:
    if not any(value):
        raise ValueError(f"{name} is (0, 0, 0): give a vector of any other length")
    return value


class Jet(Model):
    """Air blown from a round nozzle or fan into air at rest: it draws more air in and widens."""

    kind: Literal["jet"] = "jet"
    position: Vec3 = Field(description="Centre of the nozzle, world frame [m], ±10,000")
    direction: Vec3 = Field(description="Direction in which it blows, world frame, ±10,000; any length but 0")
    radius: float = Field(gt=0.0, le=10.0, description="Radius of the nozzle [m], 0 < r ≤ 10")
    speed: float = Field(gt=0.0, le=100.0, description="Speed of the air at the nozzle [m/s], 0 < v ≤ 100")

    @field_validator("direction")
    @classmethod
    def _points_somewhere(cls, value: Vec3) -> Vec3:
        return _checked(value, "direction")


class Vortex(Model):
    """Air that turns about a straight axis, right-handed: as a whole within its core, ever slower outside."""

    kind: Literal["vortex"] = "vortex"
    position: Vec3 = Field(description="A point of its axis, world frame [m], ±10,000")
    axis: Vec3 = Field(
        default=(0.0, 0.0, 1.0), description="Axis, world frame, ±10,000; any length but 0; air turns by the right hand"
    )
    radius: float = Field(
        gt=0.0, le=100.0, description="Distance from the axis at which it is fastest [m], 0 < r ≤ 100"
    )
    speed: float = Field(gt=0.0, le=100.0, description="Speed there [m/s], 0 < v ≤ 100")

    @field_validator("axis")
    @classmethod
    def _points_somewhere(cls, value: Vec3) -> Vec3:
        return _checked(value, "axis")


Flow = Annotated[Jet | Vortex, Field(discriminator="kind")]
