"""Ramps of the benchmark scenes, and what begins on them."""

import math

from scenes.benchmark.scenario import AWAY, RELEASE, block, paint, rigid, tilt
from simfactory.spec import BodyRigid, Box, MotionLinear, Sphere, VisualMaterial

__all__ = ["gate", "on_ramp", "ramp"]

THICKNESS = 0.025  # of planks [m]


def ramp(
    name: str,
    foot: tuple[float, float],
    *,
    length: float = 0.6,
    slope: float = 18.0,
    yaw: float = 0.0,
    height: float = 0.0,
    material: str = "pine",
) -> tuple[BodyRigid, BodyRigid]:
    """Return a plank that leads down towards a yaw [deg] from +x and ends at a foot, and the post below it."""
    pitch, turn = math.radians(slope), math.radians(yaw)
    back = -math.cos(pitch) * math.cos(turn), -math.cos(pitch) * math.sin(turn)
    middle = (
        foot[0] + 0.5 * length * back[0],
        foot[1] + 0.5 * length * back[1],
        height + 0.5 * length * math.sin(pitch) + 0.5 * THICKNESS * math.cos(pitch) + 1e-3,
    )
    plank = rigid(
        name,
        Box(size=(length, 0.2, THICKNESS)),
        middle,
        material=material,
        turn=tilt(pitch=slope, yaw=yaw),
        mobility="static",
    )
    share, width = 0.85, 0.05
    under = height + (share * length - 0.5 * width) * math.sin(pitch) - 2e-3
    post = block(
        f"{name}_post",
        (width, 0.16, under),
        (foot[0] + share * length * back[0], foot[1] + share * length * back[1]),
        yaw=yaw,
        mobility="static",
    )
    return plank, post


def on_ramp(
    name: str,
    plank: BodyRigid,
    *,
    slope: float = 18.0,
    yaw: float = 0.0,
    radius: float = 0.045,
    share: float = 0.36,
    material: str = "rubber",
    look: VisualMaterial | None = None,
) -> BodyRigid:
    """Return a ball that rests on a plank, a share of the plank's length above its middle."""
    assert isinstance(plank.geometry, Box)
    pitch, turn = math.radians(slope), math.radians(yaw)
    along = -share * plank.geometry.size[0]
    off = 0.5 * THICKNESS + radius + 5e-4
    level = along * math.cos(pitch) + off * math.sin(pitch)
    place = (
        plank.position[0] + level * math.cos(turn),
        plank.position[1] + level * math.sin(turn),
        plank.position[2] - along * math.sin(pitch) + off * math.cos(pitch),
    )
    return rigid(
        name, Sphere(radius=radius), place, material=material, look=look or paint((0.78, 0.16, 0.13), roughness=0.35)
    )


def gate(
    rider: BodyRigid, plank: BodyRigid, *, slope: float = 18.0, yaw: float = 0.0
) -> tuple[BodyRigid, MotionLinear]:
    """Return a plate that keeps a ball on a plank, and its motion off the plank at `RELEASE`."""
    assert isinstance(rider.geometry, Sphere)
    pitch, turn = math.radians(slope), math.radians(yaw)
    along = math.cos(pitch) * math.cos(turn), math.cos(pitch) * math.sin(turn), -math.sin(pitch)
    up = math.sin(pitch) * math.cos(turn), math.sin(pitch) * math.sin(turn), math.cos(pitch)
    ahead, lift = rider.geometry.radius + 0.006, 0.012
    x, y, z = (c + ahead * a + lift * u for c, a, u in zip(rider.position, along, up, strict=True))
    plate = rigid(
        "gate", Box(size=(0.01, 0.14, 0.09)), (x, y, z), turn=plank.orientation, material="oak", mobility="kinematic"
    )
    velocity = (2.0 * up[0], 2.0 * up[1], 2.0 * up[2])
    return plate, MotionLinear(body="gate", start=RELEASE, stop=RELEASE + AWAY, velocity=velocity)
