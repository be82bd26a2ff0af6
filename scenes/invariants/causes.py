"""Causes of motion, and scenes from which one of them is taken away."""

from collections.abc import Callable, Collection
from typing import Any, Literal

from simfactory.spec import BodyRigid, BodySoft, SceneSpec, Wind

__all__ = ["CAUSES", "Cause", "without"]

Cause = Literal[
    "gravity",
    "body",
    "floor",
    "speed",
    "motion",
    "push",
    "joints",
    "drive",
    "holds",
    "air",
    "wind",
    "heat",
    "friction",
    "bending",
]

Names = Collection[str] | None  # of bodies; None = all
Changes = dict[str, Any]  # Any: fields of a spec


def without(spec: SceneSpec, cause: Cause, of: Names = None) -> SceneSpec:
    """Return a scene from which a cause is taken away.

    Args:
        spec: The scene.
        cause: What is taken away (`CAUSES`).
        of: Names of the bodies whose part in it is taken away; None = all.
    """
    return spec.model_copy(update=CAUSES[cause](spec, of))


def _named(name: str, of: Names) -> bool:
    return of is None or name in of


def _gravity(spec: SceneSpec, of: Names) -> Changes:
    return {"environment": spec.environment.model_copy(update={"gravity": (0.0, 0.0, 0.0), "plumes": ()})}


def _bodies(spec: SceneSpec, of: Names) -> Changes:
    gone = set(of or ())
    if spec.robot is not None and gone & set(spec.robot.bodies):
        raise ValueError("a robot goes as a whole: take away its drive")
    return {
        "bodies": tuple(body for body in spec.bodies if body.name not in gone),
        "motions": tuple(motion for motion in spec.motions if motion.body not in gone),
        "triggers": tuple(push for push in spec.triggers if push.body not in gone),
        "joints": tuple(joint for joint in spec.joints if not gone & {joint.parent, joint.child}),
    }


def _floor(spec: SceneSpec, of: Names) -> Changes:
    return {"ground": None, "room": None}


def _speed(spec: SceneSpec, of: Names) -> Changes:
    still = (0.0, 0.0, 0.0)
    return _changed(spec, of, linear_velocity=still, angular_velocity=still)


def _motion(spec: SceneSpec, of: Names) -> Changes:
    return {"motions": tuple(motion for motion in spec.motions if not _named(motion.body, of))}


def _push(spec: SceneSpec, of: Names) -> Changes:
    return {"triggers": tuple(push for push in spec.triggers if not _named(push.body, of))}


def _joints(spec: SceneSpec, of: Names) -> Changes:
    return {"joints": tuple(joint for joint in spec.joints if not _named(joint.child, of))}


def _drive(spec: SceneSpec, of: Names) -> Changes:
    return {"joints": tuple(_undriven(joint) if _named(joint.child, of) else joint for joint in spec.joints)}


def _undriven(joint: Any) -> Any:  # Any: one of the kinds of joints
    drive = getattr(joint, "drive", None)
    if drive is None:
        return joint
    if drive.waypoints and drive.stiffness > 0.0:  # it holds its place
        return joint.model_copy(update={"drive": drive.model_copy(update={"waypoints": drive.waypoints[:1]})})
    return joint.model_copy(update={"drive": None})


def _holds(spec: SceneSpec, of: Names) -> Changes:
    return _changed(spec, of, held=(), clamped=False)


def _air(spec: SceneSpec, of: Names) -> Changes:
    return {
        "environment": spec.environment.model_copy(
            update={"air_density": 0.0, "wind": Wind(), "plumes": (), "flows": ()}
        ),
    }


def _wind(spec: SceneSpec, of: Names) -> Changes:
    return {"environment": spec.environment.model_copy(update={"wind": Wind(), "plumes": (), "flows": ()})}


def _heat(spec: SceneSpec, of: Names) -> Changes:
    """No warmth comes: rigid bodies and ground keep none, the air is as warm as the bodies."""
    rigid = tuple(
        body.model_copy(update={"temperature": None}) if isinstance(body, BodyRigid) and _named(body.name, of) else body
        for body in spec.bodies
    )
    begin = [body.heat.temperature for body in spec.bodies if isinstance(body, BodySoft) and body.heat is not None]
    air = {} if not begin else {"temperature": min(begin), "temperature_gradient": (0.0, 0.0, 0.0)}
    ground = spec.ground if spec.ground is None or of else spec.ground.model_copy(update={"temperature": None})
    environment = spec.environment if of else spec.environment.model_copy(update={"plumes": (), **air})
    return {"bodies": rigid, "ground": ground, "environment": environment}


def _friction(spec: SceneSpec, of: Names) -> Changes:
    smooth = {"static_friction": 0.0, "dynamic_friction": 0.0}
    bodies = tuple(
        body.model_copy(update={"physical": body.physical.model_copy(update=smooth)}) if _named(body.name, of) else body
        for body in spec.bodies
    )
    ground = spec.ground
    if ground is not None and of is None:
        ground = ground.model_copy(update={"physical": ground.physical.model_copy(update=smooth)})
    return {"bodies": bodies, "ground": ground}


def _bending(spec: SceneSpec, of: Names) -> Changes:
    """Ropes and cloth do not spring back to their shape."""
    return _changed(spec, of, bending_stiffness=0.0)


def _changed(spec: SceneSpec, of: Names, **values: object) -> Changes:
    return {
        "bodies": tuple(
            body.model_copy(update={name: value for name, value in values.items() if hasattr(body, name)})
            if _named(body.name, of)
            else body
            for body in spec.bodies
        )
    }


CAUSES: dict[Cause, Callable[[SceneSpec, Names], Changes]] = {
    "gravity": _gravity,
    "body": _bodies,
    "floor": _floor,
    "speed": _speed,
    "motion": _motion,
    "push": _push,
    "joints": _joints,
    "drive": _drive,
    "holds": _holds,
    "air": _air,
    "wind": _wind,
    "heat": _heat,
    "friction": _friction,
    "bending": _bending,
}
