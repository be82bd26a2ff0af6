"""Laws of a robot arm: it follows its commands, its tool is where its joints say, its grip holds what friction can."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from simfactory.arms import Arm, ArmStates, arm_states, equipped
from simfactory.episode import Trajectory
from simfactory.robots import inverse, robot_model, tool_pose
from simfactory.spec import BodyRigid, Box, SceneSpec
from simfactory.testing.laws.law import GRAVITY, Law
from simfactory.testing.specs import make_body, make_material, make_spec

__all__ = ["robot_laws"]

Array = npt.NDArray[np.float64]

HOME = np.array([0.0, -0.4, 0.0, -2.2, 0.0, 1.8, 0.785])  # [rad]
FPS = 60.0
WIDTH, HEIGHT = 0.05, 0.14  # [m] of the block between the fingers
FRICTION, FORCE = 0.5, 8.0  # of the pair [1]; of a finger [N]
LIMIT = 2.0 * FRICTION * FORCE / GRAVITY  # [kg] that two fingers just hold


def robot_laws(*, substeps: int = 8) -> list[Law]:
    """Return the laws of a robot arm, in steps of 1/60 s / substeps.

    One scene each: an arm that swings three joints to and fro, and one that holds a block in the air.
    """
    swung, light, heavy = _swung(substeps), _held(substeps, 0.85 * LIMIT), _held(substeps, 1.1 * LIMIT)
    dt = 1.0 / (FPS * substeps)
    return [
        Law(
            name="robot: largest difference of joint positions and commands",
            spec=swung,
            figure=_of_arm(swung, lambda arm: float(np.abs(arm.position - arm.command)[:, :7].max())),
            exact=0.0,
            tolerance=4e-3,
            reason="motors give way by torque over stiffness, 50 N·m over 4e4 N·m/rad, and the sweeps over a chain of "
            "nine joints end before it carries its weight: measured 2e-3",
            unit="rad",
            needs=("joints",),
        ),
        Law(
            name="robot: largest distance of the tool from that of forward kinematics",
            spec=swung,
            figure=lambda path: _tool_error(swung, path),
            exact=0.0,
            tolerance=1.5e-3,
            reason="gaps of seven joints, each at most 0.5 mm, which do not all point one way",
            unit="m",
            needs=("joints",),
        ),
        Law(
            name="robot: slip in 0.75 s of a block of 0.85 times what friction holds",
            spec=light,
            figure=_slip(light, 30, 75),
            exact=0.0,
            tolerance=3e-4,
            reason="sweeps end with a rest of some 1e-7 m a step: measured 1e-4",
            unit="m",
            needs=("joints", "contact"),
        ),
        Law(
            name="robot: acceleration at which a block of 1.1 times what friction holds slips",
            spec=heavy,
            figure=_acceleration(heavy, 6, 15),
            exact=GRAVITY * (1.0 - 1.0 / 1.1),
            tolerance=0.01 * GRAVITY,
            reason="what sweeps leave over, and the arm that springs back as the load slips: measured 0.04",
            unit="m/s2",
            needs=("joints", "contact"),
        ),
        Law(
            name="robot: opening of a gripper that a block stops",
            spec=light,
            figure=_of_arm(light, lambda arm: float(arm.opening[-1])),
            exact=WIDTH,
            tolerance=2.0 * 2.0 * FORCE / (0.1 / dt**2) + 2e-4,
            reason="a force-limited motor stalls on what it presses: what a step of it moves a finger by, and rounding",
            unit="m",
            needs=("joints", "contact"),
        ),
    ]


def _of_arm(spec: SceneSpec, read: Callable[[ArmStates], float]) -> Callable[[Trajectory], float]:
    assert spec.robot is not None
    robot = spec.robot
    return lambda path: read(arm_states(spec, robot, path))


def _tool_error(spec: SceneSpec, path: Trajectory) -> float:
    assert spec.robot is not None
    arm = arm_states(spec, spec.robot, path)
    model = robot_model(spec.robot.model)
    wanted = np.array([tool_pose(model, row[:7], np.eye(4))[:3, 3] for row in arm.position])
    return float(np.linalg.norm(arm.tool_position - wanted, axis=1).max())


def _relative(spec: SceneSpec, path: Trajectory) -> Array:
    """Height of the block over the tool [m]."""
    assert spec.robot is not None
    block = [body.name for body in spec.bodies].index("block")
    return np.asarray(path.position[:, block, 2] - arm_states(spec, spec.robot, path).tool_position[:, 2], np.float64)


def _slip(spec: SceneSpec, first: int, last: int) -> Callable[[Trajectory], float]:
    def figure(path: Trajectory) -> float:
        height = _relative(spec, path)
        return float(height[first] - height[last])

    return figure


def _acceleration(spec: SceneSpec, first: int, last: int) -> Callable[[Trajectory], float]:
    def figure(path: Trajectory) -> float:
        rows = np.arange(first, last + 1)
        return float(-2.0 * np.polyfit(rows / FPS, _relative(spec, path)[rows], 2)[0])

    return figure


def _swung(substeps: int) -> SceneSpec:
    times = np.linspace(0.0, 1.5, 46)
    way = np.sin(math.pi * times / 1.5) ** 2
    rows = np.tile(np.append(HOME, (0.02, 0.02)), (len(times), 1))
    for joint, size in ((0, 0.5), (1, 0.4), (3, -0.3), (5, 0.4)):
        rows[:, joint] += size * way
    arm = equipped(robot_model("panda"), np.eye(4), times, rows, grip=20.0)
    return _scene(substeps, [*arm.bodies], arm, frame_count=91)


def _held(substeps: int, mass: float) -> SceneSpec:
    """A block between closed fingers, 30 cm above the floor; it is let go as time begins."""
    model = robot_model("panda")
    target = np.diag([1.0, -1.0, -1.0, 1.0])
    target[:3, 3] = (0.45, 0.0, 0.5)
    joints = inverse(model, target, base=np.eye(4), start=HOME)
    start, end = np.append(joints, [0.5 * WIDTH + 1e-4] * 2), np.append(joints, [0.0] * 2)
    arm = equipped(model, np.eye(4), np.array([0.0, 0.01, 2.0]), np.array([start, end, end]), grip=FORCE, pads=FRICTION)
    block = make_body(
        "block",
        Box(size=(0.03, WIDTH, HEIGHT)),
        position=(0.45, 0.0, 0.5 - 0.5 * HEIGHT + 0.033),
        physical=make_material(density=mass / (0.03 * WIDTH * HEIGHT), friction=FRICTION),
    )
    return _scene(substeps, [*arm.bodies, block], arm, frame_count=77)


def _scene(substeps: int, bodies: list[BodyRigid], arm: Arm, *, frame_count: int) -> SceneSpec:
    plain = make_spec(bodies=bodies, joints=arm.joints, fps=FPS, frame_count=frame_count, substeps=substeps)
    return SceneSpec.model_validate({**dict(plain), "robot": arm.robot})
