"""The engine: specs in, recorded clips out. Simulates environments together, renders all their tiles at once.

It takes specs from its caller and never samples. Physics runs first (states are small), then frames are
rendered, annotated, checked and handed to recorders as a stream: memory does not grow with a clip's length.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import warp

from simfactory import quality
from simfactory.annotations import annotations
from simfactory.episode import Trajectory, scene_surfaces
from simfactory.lasting import lasting
from simfactory.preflight import check_memory, check_scene
from simfactory.recording import Clip, ClipHeader, MemoryRecorder, OpenRecorder
from simfactory.simulators import Simulator, create_simulator
from simfactory.spec import SceneSpec
from simfactory.stages import Stages
from simfactory.tiles import FrameStream, tile_groups

__all__ = ["Engine", "Outcome"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one spec.

    Attributes:
        spec: The spec.
        committed: Ids of the clips this run added.
        quality: The episode's quality report (JSON).
        trajectory: All states.
    """

    spec: SceneSpec
    committed: tuple[str, ...]
    quality: Mapping[str, object]
    trajectory: Trajectory

    @property
    def passed(self) -> bool:
        """Whether the quality gate let the episode through."""
        return bool(self.quality["passed"])

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the quality gate refused the episode."""
        reasons = self.quality["reasons"]
        return tuple(str(reason) for reason in reasons) if isinstance(reasons, Iterable) else ()


class Engine:
    """Runs specs on one backend and one device."""

    def __init__(
        self,
        *,
        backend: str = "newton",
        preset: str = "draft",
        profile: str = "memory",
        device: str = "cpu",
        on_frames: Callable[[int], None] | None = None,
    ) -> None:
        """Create an engine.

        Args:
            backend: Simulator backend.
            preset: Render preset.
            profile: Precision profile of the dataset that records; it enters the clips' ids.
            device: `cpu` or a CUDA device such as `cuda:0`.
            on_frames: Called with the number of frames just recorded.

        Raises:
            BackendError: Unknown backend.
            BackendUnavailable: Its packages are not installed.
        """
        _start_warp(device)
        self.backend, self.preset, self.profile, self.device = backend, preset, profile, device
        self.stages = Stages()
        self._simulator: Simulator = create_simulator(backend, device=device)
        self._on_frames = on_frames or (lambda count: None)

    def run(
        self,
        specs: Iterable[SceneSpec],
        *,
        open_recorder: OpenRecorder,
        environments: int = 2,
        gate: bool = True,
    ) -> Iterator[Outcome]:
        """Simulate and record specs, several environments at a time; yield each outcome as it is known.

        Clips of an episode are committed together, after its quality gate; a refused episode leaves nothing. One whose
        bodies leave all bounds is refused at once: it is simulated no further.

        Args:
            specs: Resolved specs; pulled as environments become free.
            open_recorder: Opens the recorder of a clip, or returns None for a clip that need not be recorded.
            environments: How many specs to simulate together.
            gate: Whether a failed quality report keeps an episode from being committed.

        Raises:
            SpecError: A camera sees nothing by construction, or a name is unknown.
            UnsupportedBody: The backend does not simulate a body kind.
            ResourceError: A frame does not fit into memory.
        """
        for batch in self._batches(specs, environments):
            yield from self._record(batch, self._simulated(batch, gate=gate), open_recorder, gate=gate)

    def prepare(self, spec: SceneSpec) -> float:
        """Compile (or load from the cache) every kernel a spec needs, on two of its frames at 16×16 px.

        Returns:
            Wall time [s].
        """
        begin = time.perf_counter()
        cameras = tuple(camera.model_copy(update={"width": 16, "height": 16}) for camera in spec.cameras[:1])
        small = spec.model_copy(update={"frame_count": 2, "cameras": cameras})
        with lasting():
            silent = Engine(backend=self.backend, preset=self.preset, device=self.device)
            for _ in silent.run([small], open_recorder=MemoryRecorder, gate=False):
                pass
            silent.close()
        return time.perf_counter() - begin

    def close(self) -> None:
        """Free the simulator."""
        self._simulator.release()

    def _batches(self, specs: Iterable[SceneSpec], environments: int) -> Iterator[list[SceneSpec]]:
        batch: list[SceneSpec] = []
        for spec in specs:
            check_scene(spec, backend=self.backend, preset=self.preset)
            check_memory(spec, preset=self.preset, in_memory=False)
            if batch and not self._goes_with(batch, spec):
                yield batch
                batch = []
            batch.append(spec)
            if (len(batch) >= environments or spec.sibling is not None) and not self._goes_on(batch):
                yield batch
                batch = []
        if batch:
            yield batch

    def _goes_with(self, batch: Sequence[SceneSpec], spec: SceneSpec) -> bool:
        """Tell whether a spec can be simulated along with a batch; siblings come as a batch of their own."""
        if spec.sibling is not None or batch[-1].sibling is not None:
            return _group(spec) == _group(batch[-1])
        return self._simulator.signature(batch[0]) == self._simulator.signature(spec)

    @staticmethod
    def _goes_on(batch: Sequence[SceneSpec]) -> bool:
        """Tell whether siblings of the batch's last spec are still to come: a group is committed as a whole."""
        label = batch[-1].sibling
        return label is not None and sum(_group(spec) == label.group for spec in batch) < len(label.values)

    def _simulated(self, specs: Sequence[SceneSpec], *, gate: bool) -> list[Trajectory]:
        """Simulate a batch: at once, or one after the other where siblings need different steps."""
        if len({self._simulator.signature(spec) for spec in specs}) == 1:
            return self._simulate(specs, gate=gate)
        return [trajectory for spec in specs for trajectory in self._simulate([spec], gate=gate)]

    def _simulate(self, specs: Sequence[SceneSpec], *, gate: bool) -> list[Trajectory]:
        """Return a trajectory per spec; with the gate, one that is bound to be refused ends where it left all bounds.

        A simulation that explodes meets ever more contacts: its remaining frames would take minutes.
        """
        with self.stages.measure("simulate"):
            self._simulator.load(specs)
            states = [[self._simulator.state(env)] for env in range(len(specs))]
            for frame in range(1, max(spec.frame_count for spec in specs)):
                going = [env for env, spec in enumerate(specs) if len(states[env]) == frame < spec.frame_count]
                if gate:
                    going = [env for env in going if not quality.has_left(states[env][-1])]
                if not going:
                    break
                self._simulator.step()
                for env in going:
                    states[env].append(self._simulator.state(env))
            return [
                Trajectory.from_states(recorded, self._simulator.properties(env)) for env, recorded in enumerate(states)
            ]

    def _record(
        self,
        specs: Sequence[SceneSpec],
        trajectories: Sequence[Trajectory],
        open_recorder: OpenRecorder,
        *,
        gate: bool,
    ) -> list[Outcome]:
        takes = [_Take(spec, trajectory) for spec, trajectory in zip(specs, trajectories, strict=True)]
        try:
            for take in takes:
                if not gate or self._physics_report(take).passed:  # what physics refuses is not rendered
                    take.open(open_recorder, backend=self.backend, preset=self.preset, profile=self.profile)
            for group in tile_groups([clip for take in takes for clip in take.clips]):
                self._render(group)
            reports = [self._report(take) for take in takes]
            lost = {
                _group(take.spec)
                for take, report in zip(takes, reports, strict=True)
                if gate and not report.passed and take.spec.sibling is not None
            }
            return [
                self._decide(take, report, gate=gate, whole=_group(take.spec) not in lost)
                for take, report in zip(takes, reports, strict=True)
            ]
        finally:
            for take in takes:
                for clip in take.clips:
                    clip.recorder.abort()  # nothing is left of what was not committed

    def _physics_report(self, take: "_Take") -> quality.QualityReport:
        with self.stages.measure("check"):
            return quality.episode_report(take.spec, take.trajectory, take.surfaces, [])

    def _report(self, take: "_Take") -> quality.QualityReport:
        with self.stages.measure("check"):
            return quality.episode_report(
                take.spec, take.trajectory, take.surfaces, [clip.checks for clip in take.clips]
            )

    def _decide(self, take: "_Take", report: quality.QualityReport, *, gate: bool, whole: bool) -> Outcome:
        """Commit an episode that passed, with all of its siblings if it has any."""
        verdict = report.to_json()
        committed: list[str] = []
        if (report.passed and whole) or not gate:
            with self.stages.measure("commit"):
                committed = [clip.clip_id for clip in take.clips if clip.commit(verdict, self._simulator.version())]
        elif not report.passed:
            logger.info("episode %d.%d refused: %s", take.spec.index, take.spec.attempt, ", ".join(report.reasons))
        return Outcome(spec=take.spec, committed=tuple(committed), quality=verdict, trajectory=take.trajectory)

    def _render(self, clips: Sequence["Clip"]) -> None:
        stream = FrameStream(clips, preset=self.preset, device=self.device, stages=self.stages)
        try:
            for frame in range(stream.frame_count):
                for clip, context in zip(clips, stream.frame(frame), strict=True):
                    clip.take(context, self.stages)
                self._on_frames(len(clips))
            with self.stages.measure("annotate"):
                for clip in clips:
                    clip.finish()
        finally:
            stream.close()


def _group(spec: SceneSpec) -> str | None:
    """The group of siblings that a spec belongs to, if it does."""
    return None if spec.sibling is None else spec.sibling.group


def _start_warp(device: str) -> None:
    """Start Warp; on the CPU without the lines in which its native library reports that there is no GPU."""
    warp.config.log_level = logging.ERROR  # loaded modules are no news to users
    if device != "cpu":
        warp.init()
        return
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as sink:
            os.dup2(sink.fileno(), 2)
            warp.init()
    finally:
        os.dup2(kept, 2)
        os.close(kept)


class _Take:
    """One episode between simulation and commit."""

    def __init__(self, spec: SceneSpec, trajectory: Trajectory) -> None:
        self.spec, self.trajectory = spec, trajectory
        self.surfaces = scene_surfaces(spec)
        self.clips: list[Clip] = []

    def open(self, open_recorder: OpenRecorder, *, backend: str, preset: str, profile: str) -> None:
        """Open a recorder for each camera that is still wanted."""
        active = annotations(self.spec.sensors.modalities, spec=self.spec)
        for camera in self.spec.cameras:
            header = ClipHeader.of(self.spec, camera, active, backend=backend, preset=preset, profile=profile)
            recorder = open_recorder(header)
            if recorder is not None:
                self.clips.append(Clip(header, recorder, active, self.trajectory, self.surfaces))
