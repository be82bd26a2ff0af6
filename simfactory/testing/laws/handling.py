"""Laws of a gripper that holds cloth or rope: what friction can hold stays, what it cannot slips, and lets go."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from simfactory.arms import Arm, arm_states, equipped
from simfactory.cords import tube_line
from simfactory.episode import Trajectory
from simfactory.robots import inverse, robot_model
from simfactory.spec import Body, Rectangle, SceneSpec
from simfactory.testing.laws.law import GRAVITY, Law
from simfactory.testing.specs import make_cloth, make_material, make_rope, make_spec
from simfactory.transforms import quat_to_matrix

__all__ = ["handling_laws"]

Array = npt.NDArray[np.float64]

HOME = np.array([0.0, -0.4, 0.0, -2.2, 0.0, 1.8, 0.785])  # [rad]
FPS = 60.0
TOOL = np.array([0.45, 0.0, 0.5])  # [m]
WIDTH, LENGTH = 0.04, 0.12  # [m] of the strip
FRICTION = 0.5  # of cloth and pads [1]
DENSITY = 4.0  # [kg/m²]
WEIGHT = DENSITY * WIDTH * LENGTH * GRAVITY  # [N]
RADIUS, LONG = 0.01, 0.3  # [m] of the rope
UPRIGHT = (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5))  # local y upwards, the sheet across the way of the fingers


def handling_laws(*, substeps: int = 4) -> list[Law]:
    """Return the laws of a gripper that holds something soft, in at most 1/60 s / substeps a solver step."""
    light, heavy, lost = _strip(substeps, 0.85), _strip(substeps, 1.25), _strip(substeps, 0.5, opens=0.2)
    missed, cord, carried = _strip(substeps, 0.5, aside=0.06), _cord(substeps), _strip(substeps, 0.25, turns=True)
    return [
        Law(
            name="gripper: slip in 0.3 s of a strip of cloth of 0.85 times what friction holds",
            spec=light,
            figure=_drop(light, 6, 24),
            exact=0.0,
            tolerance=1e-4,
            reason="springs that hold the points between the pads do not creep; what swings is damped out",
            unit="m",
            needs=("joints", "cloth"),
        ),
        Law(
            name="gripper: acceleration at which a strip of cloth of 1.25 times what friction holds slips",
            spec=heavy,
            figure=_acceleration(heavy, 1, 6),
            exact=GRAVITY * (1.0 - 1.0 / 1.25),
            tolerance=0.03 * GRAVITY,
            reason="points leave the pads as it slips, those that stay hold as much; the strip stretches by 1 %",
            unit="m/s2",
            needs=("joints", "cloth"),
        ),
        Law(
            name="gripper: fall of a strip of cloth in 0.15 s after the fingers open, over gt²/2",
            spec=lost,
            figure=lambda path: _drop(lost, 12, 21)(path) / (0.5 * GRAVITY * 0.15**2),
            exact=1.0,
            tolerance=0.1,
            reason="it is free once the pads are a layer and 1 mm apart, within 2 ms: 2 · 0.002/0.15; no swing is left",
            unit="1",
            needs=("joints", "cloth"),
        ),
        Law(
            name="gripper: fall in 0.2 s of a strip of cloth that is not between the fingers, over gt²/2",
            spec=missed,
            figure=lambda path: _drop(missed, 0, 12)(path) / (0.5 * GRAVITY * 0.04),
            exact=1.0,
            tolerance=0.02,
            reason="free fall by semi-implicit Euler: dt/t",
            unit="1",
            needs=("joints", "cloth"),
        ),
        Law(
            name="gripper: largest way of held cloth from its place between the pads while the arm swings",
            spec=carried,
            figure=_wandering(carried),
            exact=0.0,
            tolerance=2e-3,
            reason="springs of 2e4 N/m give way by less than 0.1 mm; the upper edge of the strip, 5 mm beyond the held "
            "points, bends with it",
            unit="m",
            needs=("joints", "cloth"),
        ),
        Law(
            name="gripper: slip in 0.5 s of a rope that two fingers press by 0.15 mm each",
            spec=cord,
            figure=_drop(cord, 12, 42),
            exact=0.0,
            tolerance=1e-3,
            reason="friction of ropes is viscous below 2 mm/s: at a load of a hundredth of its bound it creeps by 0.5 "
            "% of that, 5e-6 m in 0.5 s; the rope stretches by less",
            unit="m",
            needs=("joints", "rope"),
        ),
    ]


def _lowest(spec: SceneSpec, path: Trajectory) -> Array:
    """Height of the lower end over the tool [m]."""
    assert spec.robot is not None
    tool = arm_states(spec, spec.robot, path).tool_position[:, 2]
    vertices = path.vertices[len(spec.bodies) - 1]
    if spec.bodies[-1].kind == "rope":
        return np.asarray(tube_line(vertices)[:, -1, 2] - tool)
    rest = vertices[0][:, 2]
    end = rest < rest.min() + 1e-4
    return np.asarray(vertices[:, end, 2].mean(axis=1) - tool, np.float64)


def _drop(spec: SceneSpec, first: int, last: int) -> Callable[[Trajectory], float]:
    def figure(path: Trajectory) -> float:
        height = _lowest(spec, path)
        return float(height[first] - height[last])

    return figure


def _acceleration(spec: SceneSpec, first: int, last: int) -> Callable[[Trajectory], float]:
    def figure(path: Trajectory) -> float:
        rows = np.arange(first, last + 1)
        return float(-2.0 * np.polyfit(rows / FPS, _lowest(spec, path)[rows], 2)[0])

    return figure


def _wandering(spec: SceneSpec) -> Callable[[Trajectory], float]:
    def figure(path: Trajectory) -> float:
        assert spec.robot is not None
        arm = arm_states(spec, spec.robot, path)
        vertices = path.vertices[len(spec.bodies) - 1].astype(np.float64)
        local = np.einsum("tvx,txy->tvy", vertices - arm.tool_position[:, None], quat_to_matrix(arm.tool_quat))
        held = (np.abs(local[2, :, 2]) < 0.009) & (np.abs(local[2, :, 0]) < 0.009)
        return float(np.linalg.norm(local[2:, held] - local[2, held], axis=-1).max())

    return figure


def _arm(opening: float, *, grip: float, opens: float | None = None, turns: bool = False) -> Arm:
    """An arm that looks down, fingers closed to an opening each [m]; it may open them or swing."""
    model = robot_model("panda")
    target = np.diag([1.0, -1.0, -1.0, 1.0])
    target[:3, 3] = TOOL
    joints = inverse(model, target, base=np.eye(4), start=HOME)
    closed, apart = np.append(joints, [opening] * 2), np.append(joints, [0.03] * 2)
    times, rows = np.array([0.0, 2.0]), np.array([closed, closed])
    if opens is not None:
        times, rows = np.array([0.0, opens, opens + 0.1, 2.0]), np.array([closed, closed, apart, apart])
    if turns:
        times = np.linspace(0.0, 0.4, 25)
        rows = np.tile(closed, (len(times), 1))
        rows[:, 0] += 0.3 * np.sin(math.pi * times / 0.4) ** 2
    return equipped(model, np.eye(4), times, rows, grip=grip, pads=FRICTION)


def _strip(
    substeps: int, load: float, *, opens: float | None = None, aside: float = 0.0, turns: bool = False
) -> SceneSpec:
    """A strip of cloth that hangs from closed fingers, whose friction holds 1/load of its weight."""
    cloth = make_cloth(
        geometry=Rectangle(size=(WIDTH, LENGTH)),
        resolution=12,
        orientation=UPRIGHT,
        position=(TOOL[0] + aside, TOOL[1], TOOL[2] + 0.008 - 0.5 * LENGTH),
        area_density=DENSITY,
        membrane_stiffness=1000.0,
        physical=make_material(friction=FRICTION, damping=0.0 if opens or aside else 1.0),
    )
    arm = _arm(2.4e-3, grip=WEIGHT / load / (2.0 * FRICTION), opens=opens, turns=turns)
    return _scene(substeps, [*arm.bodies, cloth], arm)


def _cord(substeps: int) -> SceneSpec:
    """A rope that hangs from fingers which press into it by 0.15 mm each."""
    top = TOOL[2] + 0.02
    rope = make_rope(
        points=((0.0, 0.0, 0.5 * LONG), (0.0, 0.0, -0.5 * LONG)),
        radius=RADIUS,
        position=(TOOL[0], TOOL[1], top - 0.5 * LONG),
        physical=make_material(density=1000.0, friction=FRICTION),
    )
    arm = _arm(RADIUS - 1.5e-4, grip=40.0)
    return _scene(substeps, [*arm.bodies, rope], arm)


def _scene(substeps: int, bodies: Sequence[Body], arm: Arm) -> SceneSpec:
    plain = make_spec(
        bodies=bodies,
        joints=arm.joints,
        fps=FPS,
        frame_count=43 if bodies[-1].kind == "rope" else 26,
        substeps=substeps,
        ground=False,
    )
    return SceneSpec.model_validate({**dict(plain), "robot": arm.robot})
