"""Bodies, their prescribed motions, and triggers."""

from typing import Annotated, Literal

from pydantic import Field

from simfactory.spec.base import Model, Name, Vec3, is_none
from simfactory.spec.cloth import BodyCloth
from simfactory.spec.fluid import BodyFluid
from simfactory.spec.granular import BodyGranular
from simfactory.spec.heat import Heat, Kelvin
from simfactory.spec.inflatable import BodyInflatable
from simfactory.spec.rope import BodyRope
from simfactory.spec.solid import BodyPlaced, BodySolid, Speed

__all__ = [
    "Body",
    "BodyCloth",
    "BodyFluid",
    "BodyGranular",
    "BodyInflatable",
    "BodyRigid",
    "BodyRope",
    "BodySheet",
    "BodySoft",
    "BodySolid",
    "Motion",
    "MotionLinear",
    "MotionOscillation",
    "MotionRotation",
    "Push",
]

Side = Literal["-x", "+x", "-y", "+y", "-z", "+z"]


class BodyRigid(BodySolid):
    """A body that does not deform."""

    kind: Literal["rigid"] = "rigid"
    temperature: Kelvin | None = Field(
        default=None,
        exclude_if=is_none,
        description="Temperature that it keeps, whatever touches it [K], 1–5,000; null: it takes and gives no heat",
    )


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
    heat: Heat | None = Field(
        default=None, exclude_if=is_none, description="Heat in it; null: temperature plays no part in it"
    )


class BodySheet(BodyPlaced):
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


Body = Annotated[
    BodyRigid | BodyCloth | BodyFluid | BodyGranular | BodyInflatable | BodyRope | BodySheet | BodySoft,
    Field(discriminator="kind"),
]


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
