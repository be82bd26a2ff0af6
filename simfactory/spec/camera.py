"""Cameras: intrinsics, resolution and the path they follow."""

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from simfactory.spec.base import Model, Name, Vec3

__all__ = [
    "CameraCrane",
    "CameraDolly",
    "CameraFirstPerson",
    "CameraFixed",
    "CameraOrbit",
    "CameraPath",
    "CameraSpec",
    "CameraTracking",
    "Keyframe",
]

Elevation = Annotated[float, Field(ge=-1.5, le=1.5)]
Travel = Annotated[float, Field(gt=0.0, le=3600.0)]


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


class CameraDolly(Model):
    """Drives along a straight line from one point to another, gathering speed and slowing down, then stands.

    Progress at time t is 3 u² - 2 u³ with u = min(t / duration, 1); position and target share it.
    """

    kind: Literal["dolly"] = "dolly"
    position: Vec3 = Field(description="Position at t = 0, world frame [m], ±10,000")
    position_end: Vec3 = Field(description="Position from t = duration on, world frame [m], ±10,000")
    target: Vec3 = Field(description="Point it looks at, at t = 0, world frame [m], ±10,000")
    target_end: Vec3 = Field(description="Point it looks at from t = duration on, world frame [m], ±10,000")
    duration: Travel = Field(description="How long the drive takes [s], 0 < d ≤ 3,600")


class CameraCrane(Model):
    """Swings up or down on a vertical arc about its target, gathering speed and slowing down, then stands.

    Progress at time t is 3 u² - 2 u³ with u = min(t / duration, 1).
    """

    kind: Literal["crane"] = "crane"
    target: Vec3 = Field(description="Point it looks at, world frame [m], ±10,000")
    distance: float = Field(gt=0.0, le=1000.0, description="Distance from the target [m], 0 < d ≤ 1,000")
    azimuth: float = Field(ge=-7.0, le=7.0, description="Bearing from the target, from the world's x axis [rad], ±7")
    elevation: Elevation = Field(description="Angle above the horizon at t = 0, seen from the target [rad], ±1.5")
    elevation_end: Elevation = Field(description="Angle above the horizon from t = duration on [rad], ±1.5")
    duration: Travel = Field(description="How long the swing takes [s], 0 < d ≤ 3,600")


class Keyframe(Model):
    """Where a tracking camera is and looks at one instant."""

    time: float = Field(ge=0.0, le=3600.0, description="Instant [s], 0–3,600")
    position: Vec3 = Field(description="Position, world frame [m], ±10,000")
    target: Vec3 = Field(description="Point it looks at, world frame [m], ±10,000")


class CameraTracking(Model):
    """Passes through keyframes on a smooth curve, with position and target alike.

    Before the first keyframe and after the last it stands. Between two keyframes it is the cubic Hermite curve whose
    velocity at a keyframe is the mean one of its two neighbours, and zero at the first and the last.
    """

    kind: Literal["tracking"] = "tracking"
    keyframes: tuple[Keyframe, ...] = Field(min_length=2, max_length=1000, description="In the order of their times")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        times = [keyframe.time for keyframe in self.keyframes]
        if any(later <= earlier for earlier, later in pairwise(times)):
            raise ValueError(f"keyframes are at {times} s: give each a later time than the one before")
        return self


class CameraFirstPerson(Model):
    """Walks along a straight line at eye height and looks at a point; the head bobs with every step.

    Progress at time t is 3 u² - 2 u³ with u = min(t / duration, 1). After a distance s the head is higher by
    bob · sin²(π s / stride) and aside, to the right of the way, by ½ bob · sin(π s / stride).
    """

    kind: Literal["first_person"] = "first_person"
    position: Vec3 = Field(description="Position of the eye at t = 0, world frame [m], ±10,000")
    position_end: Vec3 = Field(
        description="Position of the eye from t = duration on, without bob, world frame [m], ±10,000"
    )
    target: Vec3 = Field(description="Point it looks at, world frame [m], ±10,000")
    duration: Travel = Field(description="How long the walk takes [s], 0 < d ≤ 3,600")
    bob: float = Field(default=0.025, ge=0.0, le=0.2, description="How far the head rises with a step [m], 0–0.2")
    stride: float = Field(default=0.7, ge=0.1, le=2.0, description="Length of a step [m], 0.1–2")


CameraPath = Annotated[
    CameraFixed | CameraOrbit | CameraDolly | CameraCrane | CameraTracking | CameraFirstPerson,
    Field(discriminator="kind"),
]


class CameraSpec(Model):
    """A camera with square pixels: a pinhole to ground truth, for rgb also a lens.

    Depth of field and motion blur need a preset that follows paths (`standard`, `high`); truth stays that of the
    pinhole at the frame's instant, which is when the shutter opens.
    """

    name: Name = Field(description="Unique name within the scene: a-z, 0-9, _")
    rig: Name = Field(description="Name of the camera rig that placed it")
    width: int = Field(ge=16, le=8192, description="Image width [px], 16–8,192")
    height: int = Field(ge=16, le=8192, description="Image height [px], 16–8,192")
    field_of_view: float = Field(ge=5.0, le=150.0, description="Angle over the longer image side [deg], 5–150")
    path: CameraPath = Field(description="Where it is and looks at each time")
    exposure: float = Field(default=0.0, ge=-16.0, le=16.0, description="Brightness of rgb [EV], doubles per EV, ±16")
    aperture_radius: float = Field(
        default=0.0, ge=0.0, le=1.0, description="Radius of the lens opening, 0 = all is sharp [m], 0–1"
    )
    focus_distance: float = Field(
        default=5.0, ge=0.01, le=10000.0, description="Depth that is sharp if the aperture is open [m], 0.01–10,000"
    )
    shutter: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="Share of the time to the next frame for which the shutter is open, 0 = an instant [1], 0–1",
    )

    @model_serializer(mode="wrap")
    def _without_a_closed_shutter(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:  # Any: JSON
        """Leave out what older specs did not have: digests of scenes, and so the ids of their clips, stay."""
        record: dict[str, Any] = handler(self)  # Any: JSON
        if not self.shutter:
            record.pop("shutter", None)
        return record
