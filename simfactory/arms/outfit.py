"""The bodies and joints of a robot arm that follows joint positions over time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simfactory.robots import Part, RobotModel, part_poses
from simfactory.spec import (
    BodyRigid,
    Condition,
    Drive,
    Joint,
    JointHinge,
    JointSlider,
    Phase,
    PhysicalMaterial,
    RobotArm,
    RobotPart,
    VisualMaterial,
    Waypoint,
)
from simfactory.transforms import quat_from_matrix

__all__ = ["Arm", "equipped"]

Vector = npt.NDArray[np.float64]

TURN = 0.94 * np.pi  # [rad] limits of a hinge from where it begins
STIFFNESS, DAMPING = 4e4, 4e2  # [N·m/rad, N·m·s/rad] of the arm's motors, which are geared: they hardly give
FINGER = (2e4, 2e2)  # [N/m, N·s/m]
WHITE = VisualMaterial(base_color=(0.92, 0.93, 0.94), roughness=0.35)
DARK = VisualMaterial(base_color=(0.16, 0.16, 0.17), roughness=0.5)
SHELL = PhysicalMaterial(
    name="coated_metal", density=2700.0, static_friction=0.4, dynamic_friction=0.4, restitution=0.1
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """What a robot adds to a scene."""

    bodies: tuple[BodyRigid, ...]
    joints: tuple[Joint, ...]
    robot: RobotArm


def equipped(
    model: RobotModel,
    base: Vector,
    times: Vector,
    positions: Vector,
    *,
    grip: float,
    phases: Sequence[Phase] = (),
    pads: float = 1.0,
    success: tuple[Condition, ...] = (),
    name: str = "robot",
) -> Arm:
    """Return a robot whose motors follow joint positions over time.

    Args:
        model: The robot.
        base: Pose `(4, 4)` of its base.
        times: `(waypoint,)` rising, from 0 [s].
        positions: `(waypoint, joint)` of arm and fingers then [rad or m]; it begins at the first.
        grip: Largest force of each finger [N].
        phases: What it does when.
        pads: Friction of the fingers [1].
        success: When its task is done.
        name: Prefix of the names of bodies and joints.
    """
    poses = part_poses(model, positions[0], base)
    rubber = SHELL.model_copy(update={"name": "rubber", "static_friction": pads, "dynamic_friction": pads})
    bodies, joints = [], []
    names = [f"{name}_{part.name}" for part in model.parts]
    column = 0
    for label, part, pose in zip(names, model.parts, poses, strict=True):
        is_finger = part.joint == "slider"
        bodies.append(
            BodyRigid(
                name=label,
                geometry=RobotPart(robot=model.name, part=part.name),
                position=_snapped(pose[:3, :3] @ part.center + pose[:3, 3]),  # type: ignore[arg-type]  # three numbers
                orientation=_snapped(quat_from_matrix(pose[:3, :3])),  # type: ignore[arg-type]  # four numbers
                physical=rubber if is_finger else SHELL,
                visual=DARK if is_finger else WHITE,
                mobility="static" if part.parent is None else "dynamic",
            )
        )
        if part.parent is not None:
            drive = _drive(times, positions[:, column], part, grip)
            joints.append(_joint(label, names[part.parent], part, pose, float(positions[0, column]), drive))
            column += 1
    robot = RobotArm(
        name=name,
        model=model.name,
        bodies=tuple(names),
        joints=tuple(joint.name for joint in joints),
        start=_snapped(positions[0]),
        phases=tuple(phases),
        success=success,
    )
    return Arm(bodies=tuple(bodies), joints=tuple(joints), robot=robot)


def _drive(times: Vector, values: Vector, part: Part, grip: float) -> Drive:
    """The motor of one joint; waypoints on a straight line between others are left out."""
    way = values - values[0]
    keep = [0]
    for k in range(1, len(way) - 1):
        slopes = np.diff(way[[keep[-1], k, k + 1]]) / np.diff(times[[keep[-1], k, k + 1]])
        if abs(float(slopes[1] - slopes[0])) > 1e-6:
            keep.append(k)
    keep.append(len(way) - 1)
    points = tuple(Waypoint(time=round(float(times[k]), 6), position=round(float(way[k]), 7)) for k in keep)
    if part.joint == "slider":
        return Drive(waypoints=points, stiffness=FINGER[0], damping=FINGER[1], strength=min(grip, part.strength))
    return Drive(waypoints=points, stiffness=STIFFNESS, damping=DAMPING, strength=part.strength)


def _snapped(values: Iterable[float]) -> tuple[float, ...]:
    """Round to 1e-9, absolutely: the noise of a cancelled sum would otherwise survive the spec's 9 digits."""
    return tuple(round(float(value), 9) + 0.0 for value in values)


def _joint(label: str, parent: str, part: Part, pose: Vector, start: float, drive: Drive) -> Joint:
    fields = {
        "name": f"{label}_joint",
        "parent": parent,
        "child": label,
        "anchor": _snapped(pose[:3, 3]),
        "axis": _snapped(pose[:3, :3] @ part.axis),
        "lower": max(part.lower - start, -TURN if part.joint == "hinge" else -np.inf),
        "upper": min(part.upper - start, TURN if part.joint == "hinge" else np.inf),
        "drive": drive,
    }
    return (JointHinge if part.joint == "hinge" else JointSlider).model_validate(fields)
