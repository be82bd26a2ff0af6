"""Builders of small scenes with a robot arm that has no plan yet: for actions and policies."""

from collections.abc import Sequence

import numpy as np

from simfactory.arms import DOWN, equipped
from simfactory.robots import inverse, robot_model
from simfactory.spec import BodyRigid, Box, Geometry, Push, SceneSpec, Vec3
from simfactory.testing.specs import make_body, make_material, make_spec

__all__ = ["BENCH", "arm_thing", "make_arm_spec"]

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
