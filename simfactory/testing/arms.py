"""Small scenes with a robot arm that has no plan yet, and arms that obey without physics: for actions and policies."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from simfactory.actions import Controller
from simfactory.arms import DOWN, equipped, robot_base
from simfactory.episode import FIRST_BODY, Contacts, WorldState
from simfactory.robots import inverse, part_poses, robot_model
from simfactory.spec import BodyRigid, Box, Geometry, Push, SceneSpec, Vec3
from simfactory.testing.specs import make_body, make_material, make_spec
from simfactory.transforms import quat_from_matrix

__all__ = ["BENCH", "arm_state", "arm_thing", "make_arm_spec", "obeyed"]

BENCH = 0.3  # [m] height of the bench
HOME = (0.0, -0.4, 0.0, -2.3, 0.0, 1.9, 0.785)  # [rad] elbow up, hand down before it
START = (0.45, 0.0, 0.3)  # [m] of the tool, from the base
OPEN = 0.0395  # [m] each finger
RATE = 480.0  # [Hz] solver steps


def arm_thing(
    name: str, geometry: Geometry, at: tuple[float, float], *, below: float, density: float = 600.0
) -> BodyRigid:
    """Return a body that stands on the bench.

    Args:
        name: Its name.
        geometry: Its shape.
        at: Where it stands, ahead of the arm's base and to its left [m].
        below: Height of its origin over what it stands on [m].
        density: [kg/m³].
    """
    position = (at[0], at[1], BENCH + below + 2e-4)
    return make_body(name, geometry, position=position, physical=make_material(density=density, friction=0.6))


def make_arm_spec(
    *things: BodyRigid,
    frame_count: int = 200,
    fps: float = 20.0,
    start: Vec3 = START,
    triggers: Sequence[Push] = (),
    grip: float = 30.0,
) -> SceneSpec:
    """Return a scene of an arm at the origin of a bench, looking along x, with things before it.

    Args:
        things: What lies on the bench, see `arm_thing`.
        frame_count: Most frames.
        fps: Frames a second [Hz].
        start: Of the tool, which looks down with an open hand, from the base [m].
        triggers: Pushes.
        grip: Largest force of a finger [N].
    """
    model, base = robot_model("panda"), np.eye(4)
    base[2, 3] = BENCH + 2e-4
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = DOWN, base[:3, 3] + np.asarray(start)
    rows = np.tile([*inverse(model, pose, base=base, start=HOME), OPEN, OPEN], (2, 1))
    arm = equipped(model, base, np.array([0.0, 1.0]), rows, grip=grip)
    bench = make_body(
        "bench",
        Box(size=(1.2, 1.2, BENCH)),
        position=(0.3, 0.0, 0.5 * BENCH),
        mobility="static",
        physical=make_material(friction=0.5),
    )
    plain = make_spec(
        bodies=[bench, *things, *arm.bodies],
        joints=arm.joints,
        triggers=triggers,
        frame_count=frame_count,
        fps=fps,
        substeps=round(RATE / fps),
    )
    return SceneSpec.model_validate({**dict(plain), "robot": arm.robot})


def arm_state(
    spec: SceneSpec,
    frame: int,
    moved: Mapping[str, float],
    *,
    held: str | None = None,
    places: Mapping[str, Vec3] | None = None,
) -> WorldState:
    """Return the state of a scene whose robot is exactly where its joints are told to be; all else stands still.

    Args:
        spec: The scene.
        frame: Number of the frame.
        moved: Positions of the robot's joints since t = 0 [rad or m] by name; those left out are 0.
        held: Name of a body that all fingers touch.
        places: Where bodies are that are not where they began [m].
    """
    robot = spec.robot
    assert robot is not None
    model, names = robot_model(robot.model), [body.name for body in spec.bodies]
    position = np.array([body.position for body in spec.bodies])
    quat = np.array([body.orientation for body in spec.bodies])
    positions = np.asarray(robot.start) + [moved.get(name, 0.0) for name in robot.joints]
    poses = part_poses(model, positions, robot_base(spec, robot))
    for name, part, pose in zip(robot.bodies, model.parts, poses, strict=True):
        position[names.index(name)] = pose[:3, :3] @ part.center + pose[:3, 3]
        quat[names.index(name)] = quat_from_matrix(pose[:3, :3])
    for name, place in (places or {}).items():
        position[names.index(name)] = place
    fingers = [names.index(name) for name in robot.bodies[len(model.arm) + 1 :]] if held else []
    return WorldState(
        time=frame / spec.fps,
        position=position.astype(np.float32),
        quat_xyzw=quat.astype(np.float32),
        linear_velocity=np.zeros((len(names), 3), np.float32),
        angular_velocity=np.zeros((len(names), 3), np.float32),
        contacts=_touching(fingers, names.index(held)) if held else Contacts.none(),
    )


def obeyed(
    controller: Controller, spec: SceneSpec, *, frames: int, held: Mapping[int, str] | None = None
) -> list[dict[str, float]]:
    """Let a controller command an arm that obeys exactly, until it is finished; return its targets by frame.

    Args:
        controller: Of the scene.
        spec: The scene.
        frames: Most frames.
        held: Frame → name of the body that the fingers touch from then on, "" for none.
    """
    told: list[dict[str, float]] = []
    touched = ""
    for frame in range(frames):
        touched = (held or {}).get(frame, touched)
        told.append(dict(controller.targets(arm_state(spec, frame, told[-1] if told else {}, held=touched or None))))
        if controller.finished:
            break
    return told


def _touching(fingers: list[int], body: int) -> Contacts:
    count = len(fingers)
    ids: npt.NDArray[np.uint16] = np.array(fingers, np.uint16) + np.uint16(FIRST_BODY)
    return Contacts(
        a=ids,
        b=np.full(count, FIRST_BODY + body, np.uint16),
        point=np.zeros((count, 3), np.float32),
        normal=np.tile(np.array([0.0, 0.0, 1.0], np.float32), (count, 1)),
        impulse=np.full(count, np.nan, np.float32),
    )
