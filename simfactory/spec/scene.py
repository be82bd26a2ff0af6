"""The scene spec: everything that one episode needs, resolved."""

import hashlib
import json
import math
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from simfactory.spec.base import Model, Name
from simfactory.spec.body import Body, Motion, Push
from simfactory.spec.camera import CameraSpec
from simfactory.spec.environment import Environment, Ground, Light, Room, Sky

__all__ = ["SceneSpec", "Sensors", "Tier", "json_schema"]

Tier = Literal["single", "two_body", "multi_object"]

# Fields that came later, with the values that mean what there was before: at these they are left out of digests, so
# that the digests of older specs, and with them the ids of clips, stay as they are.
LATER_FIELDS: dict[str, object] = {
    "environment_map": None,
    "normal_map": None,
    "octaves": 5,
    "gain": 0.55,
    "warp": 0.0,
    "ridged": False,
}


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
    seed: int = Field(ge=0, lt=2**63, description="Seed of the job")
    index: int = Field(default=0, ge=0, lt=2**63, description="Number of the episode within the job")
    attempt: int = Field(default=0, ge=0, le=1000, description="Number of the replacement; 0 = first try")
    frame_count: int = Field(ge=1, le=100_000, description="Recorded frames, 1–100,000; frame k is at k/fps")
    fps: float = Field(gt=0.0, le=1000.0, description="Frames per second [Hz], 0 < fps ≤ 1,000")
    substeps: int | None = Field(default=None, ge=1, le=10_000, description="Steps per frame; default ceil(240/fps)")
    environment: Environment = Environment()
    ground: Ground | None = None
    room: Room | None = None
    sky: Sky = Sky()
    lights: tuple[Light, ...] = Field(default=(), max_length=16)
    bodies: tuple[Body, ...] = Field(min_length=1, max_length=1000)
    motions: tuple[Motion, ...] = ()
    triggers: tuple[Push, ...] = ()
    cameras: tuple[CameraSpec, ...] = Field(min_length=1, max_length=64)
    sensors: Sensors = Sensors()
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

    def digest(self, *, cameras: bool = True) -> str:
        """Return the SHA-256 (hex) of the spec's canonical JSON, with or without its cameras."""
        record = _as_before(self.model_dump(mode="json", exclude=None if cameras else {"cameras"}))
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
        if self.room is not None and self.ground is None:
            raise ValueError("a room stands on a ground: give `ground` too")
        return self


def _as_before(record: Any) -> Any:  # Any: JSON
    """Return a record without the later fields that say nothing new."""
    if isinstance(record, dict):
        kept = (pair for pair in record.items() if not (pair[0] in LATER_FIELDS and pair[1] == LATER_FIELDS[pair[0]]))
        return {key: _as_before(value) for key, value in kept}
    return [_as_before(item) for item in record] if isinstance(record, list) else record


def _check_unique(field: str, names: list[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"{field} repeats {repeated}: each may appear once")


def json_schema() -> dict[str, Any]:  # Any: JSON
    """Return the JSON schema of `SceneSpec`."""
    return SceneSpec.model_json_schema()
