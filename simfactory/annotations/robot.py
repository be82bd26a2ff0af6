"""A robot at every frame: joints and commands, tool, gripper, phase of the plan, and whether the task is done."""

import math

import numpy as np
import numpy.typing as npt

from simfactory.annotations.base import Annotation, Arrays, ClipContext
from simfactory.arms import arm_states
from simfactory.episode import FIRST_BODY
from simfactory.signals import Signal

__all__ = ["ANNOTATION"]


def _clip(context: ClipContext) -> Arrays:
    if context.spec.robot is None:
        return _nothing(context.trajectory.frame_count)
    states = arm_states(context.spec, context.spec.robot, context.trajectory)
    return {
        "robot/joint_position": states.position.astype(np.float32),
        "robot/joint_velocity": states.rate.astype(np.float32),
        "robot/command": states.command.astype(np.float32),
        "robot/end_effector_position": states.tool_position.astype(np.float32),
        "robot/end_effector_quat_xyzw": states.tool_quat.astype(np.float32),
        "robot/gripper_opening": states.opening.astype(np.float32),
        "robot/holding": np.where(states.holding < 0, 0, states.holding + FIRST_BODY).astype(np.uint16),
        "robot/phase": states.phase.astype(np.int32),
        "robot/success": states.success,
    }


def _nothing(frame_count: int) -> Arrays:
    """Return what a scene without a robot has: no joints, and all else at 0."""
    shapes = {"joint_position": (0,), "joint_velocity": (0,), "command": (0,)}
    shapes |= {"end_effector_position": (3,), "end_effector_quat_xyzw": (4,)}
    made: dict[str, npt.NDArray[np.generic]] = {
        f"robot/{name}": np.zeros((frame_count, *shape), np.float32) for name, shape in shapes.items()
    }
    made["robot/gripper_opening"] = np.zeros(frame_count, np.float32)
    made["robot/holding"] = np.zeros(frame_count, np.uint16)
    made["robot/phase"] = np.full(frame_count, -1, np.int32)
    made["robot/success"] = np.zeros(frame_count, np.bool_)
    return made


def _signal(name: str, dims: tuple[str, ...], dtype: str, unit: str, description: str) -> Signal:
    return Signal(
        name=f"robot/{name}",
        dims=("time", *dims),
        dtype=dtype,
        unit=unit,
        description=description,
        fill=math.nan if name == "command" else None,
    )


ANNOTATION = Annotation(
    name="robot",
    signals=(
        _signal(
            "joint_position",
            ("robot_joint",),
            "float32",
            "rad or m",
            "Joint positions of the robot's model, in the order of robot.joints. Only in scenes with a robot.",
        ),
        _signal("joint_velocity", ("robot_joint",), "float32", "rad/s or m/s", "Their rates."),
        _signal("command", ("robot_joint",), "float32", "rad or m", "Positions commanded; NaN without a drive."),
        _signal("end_effector_position", ("xyz",), "float32", "m", "Tool between the finger tips, world frame."),
        _signal("end_effector_quat_xyzw", ("quat_xyzw",), "float32", "1", "Tool-to-world rotation: z forwards."),
        _signal("gripper_opening", (), "float32", "m", "Distance of the fingers."),
        _signal("holding", (), "uint16", "id", "Instance id of the body that all fingers touch; 0 without."),
        _signal("phase", (), "int32", "1", "Number of the phase in robot.phases of the spec; -1 before the first."),
        _signal("success", (), "bool", "1", "Whether all conditions of robot.success hold; the last frame decides."),
    ),
    clip=_clip,
    kinds=frozenset({"robot_arm"}),
)
