"""Cameras: intrinsics, resolution and the path they follow."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from simfactory.spec.base import Model, Name, Vec3

__all__ = ["CameraFixed", "CameraOrbit", "CameraPath", "CameraSpec"]


class CameraFixed(Model):
    """Stands still."""

    kind: Literal["fixed"] = "fixed"
    position: Vec3 = Field(description="Position, world frame [m], ±10,000")
    target: Vec3 = Field(description="Point it looks at, world frame [m], ±10,000")

    @model_validator(mode="after")
    def _looks_somewhere(self) -> Self:
        if self.position == self.target:
            raise ValueError(f"position and target are both {self.target}: give a target elsewhere")
        return self


class CameraOrbit(Model):
    """Circles about the vertical through its target, at a constant rate."""

    kind: Literal["orbit"] = "orbit"
    target: Vec3 = Field(description="Point it looks at, world frame [m], ±10,000")
    radius: float = Field(gt=0.0, le=1000.0, description="Horizontal distance from the target [m], 0 < r ≤ 1,000")
    height: float = Field(ge=-1000.0, le=1000.0, description="Height above the target [m], ±1,000")
    azimuth: float = Field(ge=-7.0, le=7.0, description="Angle from the world's x axis at t = 0 [rad], ±7")
    azimuth_rate: float = Field(
        ge=-20.0, le=20.0, description="Angular speed, counter-clockwise from above [rad/s], ±20"
    )


CameraPath = Annotated[CameraFixed | CameraOrbit, Field(discriminator="kind")]


class CameraSpec(Model):
    """A pinhole camera with square pixels."""

    name: Name = Field(description="Unique name within the scene: a-z, 0-9, _")
    rig: Name = Field(description="Name of the camera rig that placed it")
    width: int = Field(ge=16, le=8192, description="Image width [px], 16–8,192")
    height: int = Field(ge=16, le=8192, description="Image height [px], 16–8,192")
    field_of_view: float = Field(ge=5.0, le=150.0, description="Angle over the longer image side [deg], 5–150")
    path: CameraPath = Field(description="Where it is and looks at each time")
