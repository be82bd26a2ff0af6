"""Cameras: intrinsics, resolution and the path they follow."""

from typing import Annotated, Literal

from pydantic import Field

from simfactory.spec.base import Model, Name, Vec3

__all__ = ["CameraFixed", "CameraOrbit", "CameraPath", "CameraSpec"]


class CameraFixed(Model):
    """Stands still."""

    kind: Literal["fixed"] = "fixed"
    position: Vec3 = Field(description="Position, world frame [m]")
    target: Vec3 = Field(description="Point it looks at, world frame [m]")


class CameraOrbit(Model):
    """Circles about the vertical through its target, at a constant rate."""

    kind: Literal["orbit"] = "orbit"
    target: Vec3 = Field(description="Point it looks at, world frame [m]")
    radius: float = Field(gt=0.0, le=1000.0, description="Horizontal distance from the target [m], 0 < r ≤ 1,000")
    height: float = Field(ge=-1000.0, le=1000.0, description="Height above the target [m], ±1,000")
    azimuth: float = Field(ge=-7.0, le=7.0, description="Angle from the world's x axis at t = 0 [rad], ±7")
    azimuth_rate: float = Field(
        ge=-20.0, le=20.0, description="Angular speed, counter-clockwise from above [rad/s], ±20"
    )


CameraPath = Annotated[CameraFixed | CameraOrbit, Field(discriminator="kind")]


class CameraSpec(Model):
    """A camera with square pixels: a pinhole to ground truth, for rgb also a lens.

    Depth of field needs a preset that follows paths (`standard`, `high`); truth stays that of the pinhole.
    """

    name: Name = Field(description="Unique name within the scene: a-z, 0-9, _")
    rig: Name = Field(description="Name of the camera rig that placed it")
    width: int = Field(ge=16, le=8192, description="Image width [px], 16–8,192")
    height: int = Field(ge=16, le=8192, description="Image height [px], 16–8,192")
    field_of_view: float = Field(ge=5.0, le=150.0, description="Angle over the longer image side [deg], 5–150")
    path: CameraPath
    exposure: float = Field(default=0.0, ge=-16.0, le=16.0, description="Brightness of rgb [EV], doubles per EV, ±16")
    aperture_radius: float = Field(
        default=0.0, ge=0.0, le=1.0, description="Radius of the lens opening, 0 = all is sharp [m], 0–1"
    )
    focus_distance: float = Field(
        default=5.0, ge=0.01, le=10000.0, description="Depth that is sharp if the aperture is open [m], 0.01–10,000"
    )
