"""What all bodies share, and what those with a shape share."""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from simfactory.spec.base import Model, Name, Quat, Vec3
from simfactory.spec.geometry import Cord, Geometry, RobotPart
from simfactory.spec.material import PhysicalMaterial, VisualMaterial
from simfactory.spec.pattern import Cape, Disc, Rectangle, Skirt, Tunic

__all__ = ["BodyPlaced", "BodySolid", "Speed"]

Speed = Annotated[float, Field(ge=-100.0, le=100.0)]
Factor = Annotated[float, Field(ge=0.05, le=20.0)]


class BodyPlaced(Model):
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


class BodySolid(BodyPlaced):
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

    @model_validator(mode="after")
    def _cord_is_a_rope(self) -> Self:
        if isinstance(self.geometry, Cord) and getattr(self, "kind", "") != "rope":
            raise ValueError(f"body {self.name!r} is a cord: only ropes have that shape, so give it the kind 'rope'")
        return self

    @model_validator(mode="after")
    def _robot_part_is_rigid(self) -> Self:
        if isinstance(self.geometry, RobotPart):
            if getattr(self, "kind", "") != "rigid":
                raise ValueError(
                    f"body {self.name!r} is a part of a robot: those are rigid, so give it the kind 'rigid'"
                )
            if self.factors != (1.0, 1.0, 1.0):
                raise ValueError(f"body {self.name!r} is a part of a robot: leave its scale and aspect at 1")
        return self

    @model_validator(mode="after")
    def _pattern_is_cloth(self) -> Self:
        if isinstance(self.geometry, Rectangle | Disc | Skirt | Cape | Tunic) and getattr(self, "kind", "") != "cloth":
            raise ValueError(
                f"body {self.name!r} is a {self.geometry.shape}, a pattern of cloth: only cloth has that shape, so "
                "give it the kind 'cloth'"
            )
        return self
