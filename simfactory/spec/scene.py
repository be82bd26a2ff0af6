"""The scene spec: everything that one episode needs, resolved."""

import hashlib
import json
import math
from typing import Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from simfactory.robots import robot_model
from simfactory.spec.base import Model, Name, is_none
from simfactory.spec.body import Body, BodyCloth, BodyRigid, BodyRope, Motion, Push
from simfactory.spec.camera import CameraSpec
from simfactory.spec.environment import Environment, Ground, Light, Room, Sky
from simfactory.spec.joint import Joint
from simfactory.spec.protocol import BenchmarkLabel
from simfactory.spec.robot import ConditionFolded, ConditionJoint, ConditionPlace, ConditionWithin, RobotArm
from simfactory.spec.sibling import SiblingLabel

__all__ = ["SceneSpec", "Sensors", "Split", "Tier", "Violation", "json_schema"]

Tier = Literal["single", "two_body", "multi_object"]
Split = Literal["train", "val", "test", "benchmark", "evaluation"]
Violation = Literal["gravity", "restitution", "penetration", "teleport", "delay"]


class Sensors(Model):
    """What is recorded, and how densely."""

    modalities: tuple[str, ...] = Field(
        default=(), description="Names of the signals to record; empty = all (see `simfactory doctor`)"
    )
    track_spacing: int = Field(default=8, ge=1, le=256, description="Distance of tracked surface points [px], 1–256")
    point_stride: int = Field(default=2, ge=1, le=64, description="Every n-th pixel gives a 4D point, 1–64")


class SceneSpec(Model):
    """One episode, fully resolved: nothing is left to draw.

    Same (seed, index, attempt) and sampler → same spec on any machine. Distances in metres, times in
    seconds, z up (see the conventions page for all).
    """

    schema_version: Literal["simfactory.scene/1"] = "simfactory.scene/1"
    scene: Name = Field(description="Base scene it was sampled from")
    category: Name = Field(description="Physics category, e.g. rigid")
    tier: Tier = Field(description="Curriculum tier")
    split: Split | None = Field(default=None, description="What the episode is for; null = not decided")
    seed: int = Field(ge=0, lt=2**63, description="Seed of the job, 0 – 2^63−1")
    index: int = Field(default=0, ge=0, lt=2**63, description="Number of the episode within the job, 0 – 2^63−1")
    attempt: int = Field(default=0, ge=0, le=1000, description="Number of the replacement, 0–1,000; 0 = first try")
    frame_count: int = Field(ge=1, le=100_000, description="Recorded frames, 1–100,000; frame k is at k/fps")
    until_rest: bool = Field(default=False, description="End early once nothing moves any more; then has fewer frames")
    fps: float = Field(gt=0.0, le=1000.0, description="Frames per second [Hz], 0 < fps ≤ 1,000")
    substeps: int | None = Field(default=None, ge=1, le=10_000, description="Steps per frame; default ceil(240/fps)")
    environment: Environment = Field(default=Environment(), description="Gravity and air")
    ground: Ground | None = Field(default=None, description="The floor, if there is one")
    room: Room | None = Field(default=None, description="Walls, if there are any; they need a ground")
    sky: Sky = Field(default=Sky(), description="Light from all sides")
    lights: tuple[Light, ...] = Field(default=(), max_length=16, description="Up to 16 lights")
    bodies: tuple[Body, ...] = Field(min_length=1, max_length=1000, description="1–1,000 bodies")
    motions: tuple[Motion, ...] = Field(default=(), description="Prescribed motions, at most 1 per kinematic body")
    joints: tuple[Joint, ...] = Field(default=(), max_length=1000, description="Up to 1,000 joints of rigid bodies")
    robot: RobotArm | None = Field(default=None, description="Which bodies and joints are a robot, and its task")
    triggers: tuple[Push, ...] = Field(default=(), description="Any number (0 or more) of events that happen once")
    cameras: tuple[CameraSpec, ...] = Field(min_length=1, max_length=64, description="1–64 cameras, one clip each")
    sensors: Sensors = Field(default=Sensors(), description="What is recorded")
    benchmark: BenchmarkLabel | None = Field(default=None, description="Set in recordings of benchmark scenes")
    sibling: SiblingLabel | None = Field(default=None, description="Set in episodes that differ in one parameter alone")
    violation: Violation | None = Field(
        default=None,
        exclude_if=is_none,
        description="The law of physics that is broken on purpose, while all else is as declared; null = none",
    )
    caption: str = Field(default="", max_length=2000, description="What happens, in words")
    phenomena: tuple[str, ...] = Field(default=(), description="Physical phenomena to be seen, e.g. collision")

    @property
    def substep_count(self) -> int:
        """Simulation steps per frame."""
        return self.substeps if self.substeps is not None else max(1, math.ceil(240.0 / self.fps - 1e-9))

    @property
    def duration(self) -> float:
        """Time of the last frame [s]."""
        return (self.frame_count - 1) / self.fps

    @property
    def episode(self) -> str:
        """Number of the episode within the job, after a point that of the replacement: `12`, `12.1`."""
        return f"{self.index}.{self.attempt}" if self.attempt else str(self.index)

    def digest(self, *, cameras: bool = True) -> str:
        """Return the SHA-256 (hex) of the spec's canonical JSON, with or without its cameras."""
        record = self.model_dump(mode="json", exclude=None if cameras else {"cameras"})
        if self.robot is None:  # younger than the schema: specs without one keep their digests
            record.pop("robot")
        if not self.until_rest:  # the same
            record.pop("until_rest")
        return hashlib.sha256(json.dumps(record, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def configuration_digest(self) -> str:
        """Return the SHA-256 (hex) of the physical configuration alone.

        Names, looks, lights, cameras and what is recorded do not enter: two specs with the same digest show the same
        physics, however they are filmed.
        """
        record = self.model_dump(
            mode="json", include={"environment", "ground", "room", "bodies", "motions", "joints", "triggers"}
        )
        order = {body["name"]: number for number, body in enumerate(record["bodies"])}
        for entry in (*record["bodies"], record["ground"] or {}, record["room"] or {}):
            entry.pop("visual", None)
            entry.pop("name", None)
            entry.get("physical", {}).pop("name", None)
        for entry in (*record["motions"], *record["triggers"]):
            entry["body"] = order[entry["body"]]
        for entry in record["joints"]:
            entry.pop("name")
            entry.update({side: order.get(entry[side], -1) for side in ("parent", "child")})
        return hashlib.sha256(json.dumps(record, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _check_unique("bodies", [body.name for body in self.bodies])
        _check_unique("cameras", [camera.name for camera in self.cameras])
        mobility = {body.name: getattr(body, "mobility", "prescribed") for body in self.bodies}
        for field, wanted, names in (
            ("motions", "kinematic", [motion.body for motion in self.motions]),
            ("triggers", "dynamic", [push.body for push in self.triggers]),
        ):
            for name in names:
                if mobility.get(name) != wanted:
                    allowed = sorted(key for key, value in mobility.items() if value == wanted)
                    raise ValueError(f"{field} names body {name!r}; allowed are the {wanted} bodies: {allowed}")
        _check_unique("motions", [motion.body for motion in self.motions])
        _check_unique("joints", [joint.name for joint in self.joints])
        self._check_joints()
        self._check_robot()
        if self.room is not None and self.ground is None:
            raise ValueError("a room stands on a ground: give `ground` too")
        return self

    @model_validator(mode="after")
    def _benchmark_stays_apart(self) -> Self:
        if (self.split == "benchmark") != (self.benchmark is not None):
            raise ValueError(
                f"split is {self.split!r} and benchmark is {self.benchmark}: a benchmark's recordings, and no others, "
                "have split 'benchmark' and a label"
            )
        return self

    @model_serializer(mode="wrap")
    def _without_an_empty_label(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:  # Any: JSON
        """Leave the label out where there is none."""
        record: dict[str, Any] = handler(self)  # Any: JSON
        if self.benchmark is None:
            record.pop("benchmark", None)
        return record

    def _check_joints(self) -> None:
        rigid = {body.name: body.mobility for body in self.bodies if isinstance(body, BodyRigid)}
        moving = sorted(name for name, mobility in rigid.items() if mobility == "dynamic")
        for joint in self.joints:
            if joint.child not in moving:
                raise ValueError(
                    f"joint {joint.name!r} has child {joint.child!r}; allowed are the dynamic rigid bodies: {moving}"
                )
            if joint.parent is not None and joint.parent not in rigid:
                raise ValueError(
                    f"joint {joint.name!r} has parent {joint.parent!r}; allowed are the rigid bodies: {sorted(rigid)}, "
                    "or none for the fixed world"
                )
            if joint.parent == joint.child:
                raise ValueError(f"joint {joint.name!r} joins {joint.child!r} with itself: name two bodies")

    def _check_robot(self) -> None:
        robot = self.robot
        if robot is None:
            return
        parts, names = robot_model(robot.model).parts, {body.name for body in self.bodies}
        joints = {joint.name: joint.kind for joint in self.joints}
        moving = [part for part in parts if part.parent is not None]
        if len(robot.bodies) != len(parts) or not len(robot.joints) == len(robot.start) == len(moving):
            raise ValueError(
                f"robot {robot.name!r} lists {len(robot.bodies)} bodies, {len(robot.joints)} joints and "
                f"{len(robot.start)} positions; a {robot.model} has {len(parts)}, {len(moving)} and "
                f"{len(moving)}: list all"
            )
        for name, part in zip(robot.joints, moving, strict=True):
            if joints.get(name) != part.joint:
                raise ValueError(
                    f"robot {robot.name!r} names joint {name!r}; allowed there is a {part.joint} of the scene"
                )
        sliding = {name for name, kind in joints.items() if kind in ("hinge", "slider")}
        wanted: list[str] = list(robot.bodies)
        for condition in robot.success:
            if isinstance(condition, ConditionJoint):
                if condition.joint not in sliding:
                    raise ValueError(f"success names joint {condition.joint!r}; allowed are {sorted(sliding)}")
            elif isinstance(condition, ConditionPlace):
                wanted += [*condition.bodies, *([condition.relative_to] if condition.relative_to else [])]
            elif isinstance(condition, ConditionWithin | ConditionFolded):
                self._check_matter(condition)
            else:
                wanted.append(condition.body)
        unknown = sorted(set(wanted) - names)
        if unknown:
            raise ValueError(f"robot {robot.name!r} names bodies {unknown}; allowed are {sorted(names)}")

    def _check_matter(self, condition: ConditionWithin | ConditionFolded) -> None:
        flat = [body.name for body in self.bodies if isinstance(body, BodyCloth) and body.geometry.shape == "rectangle"]
        lines = [body.name for body in self.bodies if isinstance(body, BodyCloth | BodyRope)]
        allowed = flat if isinstance(condition, ConditionFolded) else lines
        if condition.body not in allowed:
            what = "rectangles of cloth" if isinstance(condition, ConditionFolded) else "cloths and ropes"
            raise ValueError(f"success names body {condition.body!r}; allowed are the scene's {what}: {allowed}")


def _check_unique(field: str, names: list[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"{field} repeats {repeated}: each may appear once")


def json_schema() -> dict[str, Any]:  # Any: JSON
    """Return the JSON schema of `SceneSpec`."""
    return SceneSpec.model_json_schema()
