"""A clip while it is recorded: its identity, its frames, and the recorder protocol that takes them."""

import contextlib
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np
import numpy.typing as npt

from simfactory import quality
from simfactory.annotations import keyframes
from simfactory.annotations.base import Annotation, ClipContext, FrameContext, Keyframe, Visible
from simfactory.cameras import camera_to_world, intrinsics
from simfactory.encoders import Encoding
from simfactory.episode import ClipRecording, Surface, Trajectory, scene_surfaces
from simfactory.signals import Signal
from simfactory.spec import CameraSpec, SceneSpec
from simfactory.stages import Stages
from simfactory.store import CLIP_SCHEMA, JSON, ClipWriter, Stored, clip_id
from simfactory.timeline import Timeline, Work

__all__ = ["Clip", "ClipHeader", "MemoryRecorder", "OpenRecorder", "Recorder", "open_writer"]

Arrays = Mapping[str, npt.NDArray[np.generic]]
Attributes = Mapping[str, JSON]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipHeader:
    """What is known of a clip before its first frame.

    Attributes:
        spec: The scene.
        camera: The camera that records.
        signals: What is recorded.
        modalities: Names of the annotations that are recorded.
        backend: Simulator backend.
        preset: Render preset.
        profile: Precision profile of the dataset, or `memory`.
        frame_count: Frames that are recorded: the spec's, or fewer where the episode ended at rest.
    """

    spec: SceneSpec
    camera: CameraSpec
    signals: tuple[Signal, ...]
    modalities: tuple[str, ...]
    backend: str
    preset: str
    profile: str
    frame_count: int

    @classmethod
    def of(
        cls,
        spec: SceneSpec,
        camera: CameraSpec,
        active: tuple[Annotation, ...],
        *,
        backend: str,
        preset: str,
        profile: str,
        frame_count: int | None = None,
    ) -> "ClipHeader":
        """Return the header of the clip that a camera records of a spec: of all its frames unless told otherwise."""
        return cls(
            spec=spec,
            camera=camera,
            signals=tuple(signal for annotation in active for signal in annotation.signals),
            modalities=tuple(annotation.name for annotation in active),
            backend=backend,
            preset=preset,
            profile=profile,
            frame_count=spec.frame_count if frame_count is None else frame_count,
        )

    @property
    def clip_id(self) -> str:
        """The clip's id: a hash of all that its bytes depend on; the scene's other cameras do not enter."""
        modalities: list[JSON] = [*sorted(self.modalities)]
        return clip_id(
            {
                "scene": self.spec.digest(cameras=False),
                "camera": self.camera.model_dump(mode="json"),
                "backend": self.backend,
                "preset": self.preset,
                "modalities": modalities,
                "profile": self.profile,
                "schema": CLIP_SCHEMA,
            }
        )

    @property
    def pair(self) -> str:
        """Id of the intact clip of the same episode and camera; empty if this one is intact."""
        if self.spec.violation is None:
            return ""
        return replace(self, spec=self.spec.model_copy(update={"violation": None})).clip_id

    def row(self) -> dict[str, JSON]:
        """Return the clip's row in the catalogue."""
        spec, camera = self.spec, self.camera
        return {
            "source": "simulation",
            "scene": spec.scene,
            "category": spec.category,
            "tier": spec.tier,
            "split": spec.split,
            "seed": spec.seed,
            "index": spec.index,
            "replacement": spec.attempt,
            "camera": camera.name,
            "rig": camera.rig,
            "backend": self.backend,
            "preset": self.preset,
            "frame_count": self.frame_count,
            "fps": spec.fps,
            "width": camera.width,
            "height": camera.height,
            "modalities": list(self.modalities),
            "scene_digest": spec.digest(cameras=False),
            "caption": spec.caption,
            "violation": spec.violation or "",
            "pair": self.pair,
            **({} if spec.sibling is None else {"sibling": spec.sibling.model_dump(mode="json")}),
        }

    def attributes(self) -> dict[str, JSON]:
        """Return the attributes that are known before the first frame."""
        return {
            "spec": self.spec.model_dump(mode="json"),
            "camera_name": self.camera.name,
            "fps": self.spec.fps,
            "modalities": list(self.modalities),
            "backend": self.backend,
            "preset": self.preset,
            "caption": self.spec.caption,
            "phenomena": list(self.spec.phenomena),
            "instances": {surface.name: surface.instance for surface in scene_surfaces(self.spec)},
            "source": "simulation",
            "violation": self.spec.violation or "",
            "pair": self.pair,
        }


class Recorder(Protocol):
    """Takes the frames of one clip. `store.ClipWriter` is one, `MemoryRecorder` another."""

    @property
    def steps(self) -> Mapping[str, float]:
        """Signals that may come in stored form, and the step between stored values."""

    def append(self, frame: Mapping[str, npt.NDArray[np.generic] | Stored]) -> None:
        """Take one frame: each signal's slice without the time axis."""

    def commit(self, *, arrays: Arrays, attributes: Attributes, row: Attributes) -> bool:
        """Finish the clip; False if another writer already had committed it."""

    def abort(self) -> None:
        """Drop the clip unless it is committed; may be called again."""


OpenRecorder = Callable[[ClipHeader], Recorder | None]


def open_writer(dataset: str | os.PathLike[str], header: ClipHeader) -> ClipWriter:
    """Return what writes a clip into a dataset.

    Raises:
        StoreError: The dataset is missing or cannot be written.
        ResourceError: The disk is full.
    """
    return ClipWriter(
        dataset,
        header.clip_id,
        signals=header.signals,
        frame_count=header.frame_count,
        height=header.camera.height,
        width=header.camera.width,
        attributes=header.attributes(),
    )


class MemoryRecorder:
    """Keeps a clip's frames in memory."""

    def __init__(self, header: ClipHeader) -> None:
        """Open a recorder for a clip."""
        self._header = header
        self._frames: list[dict[str, npt.NDArray[np.generic]]] = []
        self.recording: ClipRecording | None = None

    @property
    def steps(self) -> Mapping[str, float]:
        """None: values are kept as they are."""
        return {}

    def append(self, frame: Mapping[str, npt.NDArray[np.generic] | Stored]) -> None:
        """Take one frame, copied."""
        self._frames.append({name: np.array(array) for name, array in frame.items()})

    def commit(self, *, arrays: Arrays, attributes: Attributes, row: Attributes) -> bool:
        """Stack the frames into a `ClipRecording`."""
        stacked = dict(arrays)
        for signal in self._header.signals:
            if signal.name not in self._frames[0]:
                continue
            slices = [frame[signal.name] for frame in self._frames]
            if signal.ragged:
                group = signal.name.rpartition("/")[0]
                stacked[f"{group}/offsets"] = np.cumsum([0, *map(len, slices)], dtype=np.int64)
                stacked[signal.name] = np.concatenate(slices)
            else:
                stacked[signal.name] = np.stack(slices)
        self.recording = ClipRecording(
            clip_id=self._header.clip_id, camera=self._header.camera, arrays=stacked, attributes=dict(attributes)
        )
        return True

    def abort(self) -> None:
        """Drop the frames."""
        self._frames = []


class Clip:
    """One camera's clip while it is being recorded: frames in, annotated arrays to its recorder."""

    def __init__(
        self,
        header: ClipHeader,
        recorder: Recorder,
        active: tuple[Annotation, ...],
        trajectory: Trajectory,
        surfaces: tuple[Surface, ...],
        *,
        encoding: Encoding,
        stages: Stages,
        timeline: Timeline,
    ) -> None:
        """Start a clip of an episode."""
        self._encoding, self._stages, self._timeline = encoding, stages, timeline
        self._encoded = 0
        self.given_back = False  # it was not finished, since there was no time left
        self.header, self.recorder = header, recorder
        self.trajectory, self.surfaces = trajectory, surfaces
        self.poses = camera_to_world(header.camera, trajectory.time)
        self._active = active
        self._keyframes: dict[int, Keyframe] = {}
        self._keyframe_indices = frozenset(keyframes(trajectory.frame_count))
        self._arrays: dict[str, npt.NDArray[np.generic]] = {}

    @property
    def needs(self) -> frozenset[str]:
        """Which costly inputs its annotations read: any of `rgb`, `forward`, `backward`."""
        return frozenset().union(*(annotation.needs for annotation in self._active))

    @property
    def clip_id(self) -> str:
        """The clip's id."""
        return self.header.clip_id

    def work(self, stage: str, frame: int) -> Work:
        """Return what a stage does for this clip."""
        spec = self.header.spec
        return Work(stage=stage, scene=spec.scene, episode=spec.episode, frame=frame, frames=self.header.frame_count)

    def bind(self, visible: Visible) -> None:
        """Give the clip the ray caster of its tile."""
        self.context = ClipContext(
            spec=self.header.spec,
            camera=self.header.camera,
            intrinsics=intrinsics(self.header.camera),
            camera_to_world=self.poses,
            surfaces=self.surfaces,
            trajectory=self.trajectory,
            keyframes=self._keyframes,
            visible=visible,
        )
        self.checks = quality.ClipChecks(self.context)

    def take(self, context: FrameContext) -> None:
        """Annotate and check one frame, and have it recorded."""
        if context.frame in self._keyframe_indices:
            spacing = self.header.spec.sensors.track_spacing
            self._keyframes[context.frame] = Keyframe.of(context.surface, spacing=spacing)
        with self._stages.measure("annotate"):
            arrays: dict[str, npt.NDArray[np.generic]] = {}
            for annotation in self._active:
                if annotation.frame is None:
                    continue
                names = {signal.name for signal in annotation.signals}
                if names <= context.stored.keys():
                    arrays.update({name: context.stored[name] for name in names})
                else:
                    arrays.update(annotation.frame(context))
            owned = {name: array if array.flags.owndata else array.copy() for name, array in arrays.items()}
            quantised = {
                name: Stored(elements=owned[name], saturated=context.saturated.get(name, 0))
                for name in self.recorder.steps.keys() & context.stored.keys() & owned.keys()
            }
        with self._stages.measure("check"):
            self.checks.frame(context)
        self._encoding.add(partial(self._append, {**owned, **quantised}))

    def _append(self, arrays: Mapping[str, npt.NDArray[np.generic] | Stored]) -> None:
        work = self.work("encode", self._encoded)
        with self._timeline.during(self._encoding.name, work), self._stages.measure("encode"):
            self.recorder.append(arrays)
        self._encoded += 1

    def finish(self) -> None:
        """Compute the arrays that need all frames."""
        with self._stages.measure("annotate"):
            for annotation in self._active:
                if annotation.clip is not None:
                    self._arrays.update(annotation.clip(self.context))

    def abort(self) -> None:
        """Drop the clip unless it is committed: nothing is left of it."""
        with contextlib.suppress(Exception):
            self._encoding.wait()  # a recorder is not dropped in the middle of a frame
        self.recorder.abort()

    def commit(self, verdict: Attributes, simulator: str) -> bool:
        """Commit the clip; False if another writer already had."""
        properties = self.trajectory.properties
        ground = properties.ground_friction
        rules: dict[str, JSON] = {**properties.rules}
        attributes: dict[str, JSON] = {
            **self.header.attributes(),
            "quality": dict(verdict),
            "simulator": simulator,
            "solver_rules": rules,
            "ground_friction": None if math.isnan(ground) else ground,
        }
        self._encoding.wait()
        return self.recorder.commit(arrays=self._arrays, attributes=attributes, row=self.header.row())
