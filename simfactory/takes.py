"""An episode between simulation and commit."""

from collections.abc import Mapping
from dataclasses import dataclass

from simfactory.annotations import annotations
from simfactory.encoders import Encoders
from simfactory.episode import scene_surfaces
from simfactory.recording import Clip, ClipHeader, OpenRecorder
from simfactory.slots import Ended
from simfactory.stages import Stages
from simfactory.timeline import Timeline

__all__ = ["Record", "Take"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """Where and how clips are recorded.

    Attributes:
        open_recorder: Opens the recorder of a clip, or returns None for a clip that need not be recorded.
        encoders: Threads that encode frames.
        stages: Where CPU time is noted.
        timeline: Where it is noted what each stage does.
        names: `backend`, `preset` and `profile`, which enter the clips' ids.
        gate: Whether what physics refuses is left out.
    """

    open_recorder: OpenRecorder
    encoders: Encoders
    stages: Stages
    timeline: Timeline
    names: Mapping[str, str]
    gate: bool


class Take:
    """An episode that is recorded, or was not simulated to its end.

    Args:
        episode: What the pool made of it.

    Attributes:
        clips: One for each camera that is wanted; none before `open`.
        failure: What simulating or rendering failed with.
    """

    def __init__(self, episode: Ended) -> None:
        self.number, self.spec, self.trajectory = episode.number, episode.spec, episode.trajectory
        self.failure = episode.failure
        self.surfaces = scene_surfaces(episode.spec)
        self.clips: list[Clip] = []

    def open(self, record: Record) -> None:
        """Open a recorder for each camera that is still wanted."""
        assert self.trajectory is not None
        active = annotations(self.spec.sensors.modalities, spec=self.spec)
        for camera in self.spec.cameras:
            header = ClipHeader.of(self.spec, camera, active, **record.names, frame_count=self.trajectory.frame_count)
            recorder = record.open_recorder(header)
            if recorder is not None:
                clip = Clip(
                    header,
                    recorder,
                    active,
                    self.trajectory,
                    self.surfaces,
                    encoding=record.encoders.encoding(),
                    stages=record.stages,
                    timeline=record.timeline,
                )
                self.clips.append(clip)

    @property
    def given_back(self) -> bool:
        """Whether there was no time left to render it."""
        return any(clip.given_back for clip in self.clips)

    def abort(self) -> None:
        """Drop all clips that are not committed."""
        for clip in self.clips:
            clip.abort()
