"""Bodies, their prescribed motions, and triggers."""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from simfactory.spec.base import Model, Name, Quat, Vec3
from simfactory.spec.geometry import Geometry
from simfactory.spec.material import PhysicalMaterial, VisualMaterial

__all__ = [
    "Body",
    "BodyRigid",
    "BodySheet",
    "BodySoft",
    "BodySolid",
    "Motion",
    "MotionLinear",
    "MotionOscillation",
    "MotionRotation",
    "Push",
]

Speed = Annotated[float, Field(ge=-100.0, le=100.0)]
Factor = Annotated[float, Field(ge=0.05, le=20.0)]
Side = Literal["-x", "+x", "-y", "+y", "-z", "+z"]


class _Body(Model):
    """What all bodies share."""

    name: Name = Field(description="Unique name within the scene: a-z, 0-9, _")
    position: Vec3 = Field(description="Position of the body's origin at t = 0, world frame [m], ±10,000")
    orientation: Quat = Field(default=(0.0, 0.0, 0.0, 1.0), description="Body-to-world rotation at t = 0, xyzw, unit")
    physical: PhysicalMaterial = Field(description="What it is made of")
    visual: VisualMaterial = Field(description="What it looks like")

    @field_validator("orientation")
    @classmethod
    def _unit(cls, value: Any) -> Any:  # Any: pydantic passes the parsed tuple
        norm = math.hypot(*value)
        if not 0.99 < norm < 1.01:
            raise ValueError(f"a rotation quaternion has length 1, this one has {norm:.4g}: normalise it")
        return value


class BodySolid(_Body):
    """A body with a shape: what rigid and soft bodies share."""

    geometry: Geometry = Field(description="Shape in the body's local frame, before scale and aspect")
    scale: float = Field(default=1.0, ge=0.05, le=20.0, description="Uniform factor on the geometry [1], 0.05–20")
    aspect: tuple[Factor, Factor, Factor] = Field(
        default=(1.0, 1.0, 1.0), description="Factors along local x, y, z on top of scale [1], 0.05–20"
    )
    mobility: Literal["dynamic", "static", "kinematic"] = Field(
        default="dynamic", description="dynamic: obeys physics; static: never moves; kinematic: follows its motion"
    )
    linear_velocity: tuple[Speed, Speed, Speed] = Field(
        default=(0.0, 0.0, 0.0), description="Velocity of the centre of mass at t = 0, world frame [m/s], ±100"
    )
    angular_velocity: tuple[Speed, Speed, Speed] = Field(
        default=(0.0, 0.0, 0.0), description="Angular velocity at t = 0, world frame [rad/s], ±100"
    )

    @property
    def factors(self) -> tuple[float, float, float]:
        """Total factors along local x, y, z [1]: scale × aspect."""
        return self.scale * self.aspect[0], self.scale * self.aspect[1], self.scale * self.aspect[2]

    @model_validator(mode="after")
    def _velocity_needs_dynamic(self) -> Self:
        if self.mobility != "dynamic" and any((*self.linear_velocity, *self.angular_velocity)):
            raise ValueError(f"body {self.name!r} is {self.mobility}: give it a motion instead of initial velocities")
        return self


class BodyRigid(BodySolid):
    """A body that does not deform."""

    kind: Literal["rigid"] = "rigid"


class BodySoft(BodySolid):
    """An elastic solid: Young's modulus, Poisson's ratio and density of its physical material make it soft.

    Its origin is the centroid, its orientation the rotation that fits the deformed body best.
    """

    kind: Literal["soft_body"] = "soft_body"
    mobility: Literal["dynamic"] = Field(default="dynamic", description="A soft body always obeys physics")
    resolution: int = Field(
        default=6, ge=1, le=32, description="Cells of the simulation mesh along the longest extent, 1–32"
    )
    viscosity: float = Field(default=0.0, ge=0.0, le=1e5, description="Viscosity of the material [Pa·s], 0–1e5")
    held: tuple[Side, ...] = Field(
        default=(), description="Sides of the local bounding box whose material does not move, e.g. -x"
    )


class BodySheet(_Body):
    """A rectangular sheet in its local xy plane that carries a prescribed standing wave along local z.

    Height of the material point (x, y) at t: amplitude · sin(2π f t) · sin(π m x / width) · sin(π n y / depth)
    with x, y measured from a corner. Closed-form: the reference for ground truth on deforming surfaces.
    """

    kind: Literal["sheet"] = "sheet"
    size: tuple[Annotated[float, Field(gt=0.0, le=100.0)], Annotated[float, Field(gt=0.0, le=100.0)]] = Field(
        description="Width (x) and depth (y) [m], 0 < s ≤ 100"
    )
    cells: int = Field(default=24, ge=2, le=256, description="Mesh cells along each edge, 2–256")
    amplitude: float = Field(ge=0.0, le=10.0, description="Largest height [m], 0–10")
    frequency: float = Field(ge=0.0, le=50.0, description="Frequency of the wave [Hz], 0–50")
    modes: tuple[Annotated[int, Field(ge=1, le=8)], Annotated[int, Field(ge=1, le=8)]] = Field(
        default=(1, 1), description="Half waves along x and y (m, n), 1–8"
    )


Body = Annotated[BodyRigid | BodySheet | BodySoft, Field(discriminator="kind")]


class _Motion(Model):
    """A prescribed motion of one kinematic body, active from start to stop; before and after it rests."""

    body: Name = Field(description="Name of a body with mobility 'kinematic'")
    start: float = Field(default=0.0, ge=0.0, le=3600.0, description="Begin [s], 0–3,600")
    stop: float = Field(default=3600.0, ge=0.0, le=3600.0, description="End [s], 0–3,600")


class MotionLinear(_Motion):
    """Moves at a constant velocity."""

    kind: Literal["linear"] = "linear"
    velocity: tuple[Speed, Speed, Speed] = Field(description="Velocity, world frame [m/s], ±100")


class MotionOscillation(_Motion):
    """Swings by amplitude · sin(2π f (t − start)) about the initial position."""

    kind: Literal["oscillation"] = "oscillation"
    amplitude: Vec3 = Field(description="Largest displacement, world frame [m], ±10,000")
    frequency: float = Field(gt=0.0, le=50.0, description="Frequency [Hz], 0 < f ≤ 50")


class MotionRotation(_Motion):
    """Turns about the body's origin at a constant rate."""

    kind: Literal["rotation"] = "rotation"
    angular_velocity: tuple[Speed, Speed, Speed] = Field(description="Angular velocity, world frame [rad/s], ±100")


Motion = Annotated[MotionLinear | MotionOscillation | MotionRotation, Field(discriminator="kind")]


class Push(Model):
    """A trigger: an impulse on one dynamic body at one instant."""

    kind: Literal["push"] = "push"
    body: Name = Field(description="Name of a body with mobility 'dynamic'")
    time: float = Field(
        ge=0.0, le=3600.0, description="When [s], 0–3,600; takes effect at the first substep not before"
    )
    impulse: Vec3 = Field(description="Impulse through the centre of mass, world frame [N·s], ±10,000")
