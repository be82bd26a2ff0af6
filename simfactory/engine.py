"""The engine: specs in, recorded clips out, in stages that run side by side.

Slots simulate (`slots`), frames are rendered, annotated and checked as a stream, threads encode them, and episodes are
committed as a whole: each stage takes what the one before it has ready, and waits where the one after it has no room.
The engine takes specs from its caller and never samples.
"""

import itertools
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import warp

from simfactory import quality
from simfactory.ahead import Ahead
from simfactory.annotations import FrameContext
from simfactory.deadline import Deadline
from simfactory.encoders import Encoders
from simfactory.episode import Trajectory
from simfactory.errors import BackendUnavailable, SimfactoryError
from simfactory.lasting import lasting
from simfactory.launches import add_in_order
from simfactory.preflight import check_memory, check_scene
from simfactory.recording import Clip, MemoryRecorder, OpenRecorder
from simfactory.simulators import backend_class, create_simulator
from simfactory.slots import Control, Ended, EnvironmentPool, Occupancy
from simfactory.spec import SceneSpec
from simfactory.stages import Stages
from simfactory.store import JSON
from simfactory.takes import Record, Take
from simfactory.tiles import FrameStream, tile_groups
from simfactory.timeline import Timeline

__all__ = ["Engine", "Outcome"]

logger = logging.getLogger(__name__)

EPISODES_WAITING = 1  # beyond those in slots: simulated, rendered and not yet committed
CLIPS_TOGETHER = 10  # rendered in one launch, if as many wait


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one spec.

    Attributes:
        number: Its place in the sequence of specs.
        spec: The spec.
        committed: Ids of the clips this run added.
        quality: The episode's quality report (JSON); empty if it failed.
        trajectory: All states; None if the simulator failed.
        failure: What simulating or rendering failed with, through no fault of the spec's; empty if neither did.
    """

    number: int
    spec: SceneSpec
    committed: tuple[str, ...]
    quality: Mapping[str, object]
    trajectory: Trajectory | None
    failure: str = ""

    @property
    def passed(self) -> bool:
        """Whether the quality gate let the episode through."""
        return not self.failure and bool(self.quality["passed"])

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the quality gate refused the episode."""
        reasons = self.quality.get("reasons")
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
        deterministic: bool = False,
        encoders: int = 1,
        deadline: Deadline | None = None,
        on_frames: Callable[[int], None] | None = None,
        on_look: Callable[[FrameContext], None] | None = None,
        timeline: Timeline | None = None,
    ) -> None:
        """Create an engine.

        Args:
            backend: Simulator backend.
            preset: Render preset.
            profile: Precision profile of the dataset that records; it enters the clips' ids.
            device: `cpu` or a CUDA device such as `cuda:0`.
            deterministic: Whether reruns on a GPU give the same bytes, which costs time there; on a CPU they always do.
                For all of this process.
            encoders: Threads that encode frames.
            deadline: When to stop. Once it is set, nothing new is begun, and only what ends in time is finished; specs
                whose outcome is not yielded then are as they were before.
            on_frames: Called with the number of frames just recorded, by the thread that renders.
            on_look: Called with each frame of one clip of those rendered together, before it is recorded; it may read
                the frame and must not keep it.
            timeline: Where it is noted what each slot and each stage does.

        Raises:
            BackendError: Unknown backend.
            BackendUnavailable: Its packages are not installed, or there is no such device.
        """
        _start_warp(device)
        if deterministic:
            add_in_order()
        self.backend, self.preset, self.profile, self.device = backend, preset, profile, device
        self.stages, self.occupancy = Stages(), Occupancy()
        self._version = backend_class(backend).version()
        self._encoders, self._deadline = encoders, deadline or Deadline()
        self._on_frames = on_frames or (lambda count: None)
        self._on_look = on_look or (lambda context: None)
        self._timeline = timeline or Timeline()

    def run(
        self,
        specs: Iterable[SceneSpec],
        *,
        open_recorder: OpenRecorder,
        environments: int = 2,
        gate: bool = True,
        control: Control | None = None,
    ) -> Iterator[Outcome]:
        """Simulate and record specs, several environments at a time; yield each outcome as it is known, in any order.

        Clips of an episode are committed together, after its quality gate; a refused episode leaves nothing. One whose
        bodies leave all bounds is refused at once: it is simulated no further. Siblings are committed as a group. An
        episode whose simulation or rendering breaks off is reported with its failure, and the others go on.

        Args:
            specs: Resolved specs; pulled as environments become free.
            open_recorder: Opens the recorder of a clip, or returns None for a clip that need not be recorded.
            environments: How many specs are simulated at a time.
            gate: Whether a failed quality report keeps an episode from being committed.
            control: Gives the controller of an episode that a policy drives; what is recorded then is the spec as it
                was executed.

        Raises:
            SpecError: A camera sees nothing by construction, or a name is unknown.
            UnsupportedBody: The backend does not simulate a body kind.
            ResourceError: A frame does not fit into memory, or a clip onto the disk.
            SimulationError: One episode after the other failed.
        """
        ending = Deadline(within=self._deadline)
        pool = EnvironmentPool(
            partial(create_simulator, self.backend, device=self.device),
            slots=environments,
            in_flight=environments + EPISODES_WAITING,
            stages=self.stages,
            control=control,
            timeline=self._timeline,
            deadline=ending,
        )
        self.occupancy = pool.occupancy
        numbered = enumerate(self._checked(specs))
        with Encoders(self._encoders) as encoders, closing(pool):
            record = Record(
                open_recorder=open_recorder,
                encoders=encoders,
                stages=self.stages,
                timeline=self._timeline,
                names={"backend": self.backend, "preset": self.preset, "profile": self.profile},
                gate=gate,
            )
            with Ahead(pool.simulate(numbered, gate=gate), size=EPISODES_WAITING, name="simulate") as ended:
                takes = Ahead(self._rendered(ended, record), size=EPISODES_WAITING, name="render")
                try:
                    yield from self._committed(_telling(takes, pool.released), gate=gate)
                finally:
                    ending.set(0.0)
                    for take in takes.close():
                        take.abort()

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
        return time.perf_counter() - begin

    def _checked(self, specs: Iterable[SceneSpec]) -> Iterator[SceneSpec]:
        for spec in specs:
            check_scene(spec, backend=self.backend, preset=self.preset)
            check_memory(spec, preset=self.preset, in_memory=False)
            yield spec

    def _rendered(self, ended: Ahead[Ended], record: Record) -> Iterator[Take]:
        """Render what has been simulated; clips of episodes that wait together share launches."""
        open_takes: list[Take] = []
        try:
            for first in ended:
                views = len(first.spec.cameras)
                together = [first, *ended.waiting(CLIPS_TOGETHER // views - 1)]
                open_takes = [Take(episode) for episode in together]
                self._render_takes(open_takes, record)
                while open_takes:
                    yield open_takes[0]
                    open_takes.pop(0)
        finally:
            for take in open_takes:  # nobody wants them any more
                take.abort()

    def _render_takes(self, takes: Sequence[Take], record: Record) -> None:
        for take in takes:
            if take.trajectory is None:
                continue
            if not record.gate or self._report(take).passed:  # what physics refuses is not rendered
                take.open(record)
        for group in tile_groups([clip for take in takes for clip in take.clips]):
            owners = [take for take in takes if set(take.clips) & set(group)]
            try:
                self._render(group)
            except SimfactoryError:
                raise
            except Exception as error:
                logger.warning("rendering failed", exc_info=True)
                for take in owners:
                    take.failure = f"{type(error).__name__}: {error}"

    def _render(self, clips: Sequence[Clip]) -> None:
        self._timeline.enter("render", clips[0].work("render", 0))
        stream = FrameStream(clips, preset=self.preset, device=self.device, stages=self.stages)
        begin = time.monotonic()
        try:
            for frame in range(stream.frame_count):
                left = (stream.frame_count - frame) * (time.monotonic() - begin) / frame if frame else float("inf")
                if self._deadline.is_set and not self._deadline.allows(left):
                    for clip in clips:
                        clip.given_back = True
                    return
                self._timeline.enter("render", clips[0].work("render", frame))
                contexts = stream.frame(frame)
                self._on_look(contexts[0])
                for clip, context in zip(clips, contexts, strict=True):
                    clip.take(context)
                self._on_frames(len(clips))
            for clip in clips:
                clip.finish()
        finally:
            stream.close()
            self._timeline.leave("render")

    def _committed(self, takes: Iterable[Take], *, gate: bool) -> Iterator[Outcome]:
        """Commit what passes, siblings once all of their group are there."""
        groups: dict[str, list[Take]] = {}
        try:
            for take in takes:
                if take.given_back:
                    take.abort()
                    continue
                label = take.spec.sibling
                if label is None:
                    yield self._decided(take, gate=gate, whole=True)
                    continue
                group = groups.setdefault(label.group, [])
                group.append(take)
                if len(group) == len(label.values):
                    yield from self._decided_group(groups.pop(label.group), gate=gate)
            if not self._deadline.is_set:
                for name in list(groups):  # the caller left some of their siblings out
                    yield from self._decided_group(groups.pop(name), gate=gate)
        finally:
            for take in itertools.chain.from_iterable(groups.values()):
                take.abort()

    def _decided_group(self, takes: Sequence[Take], *, gate: bool) -> Iterator[Outcome]:
        lost = gate and any(take.failure or not self._report(take).passed for take in takes)
        return iter([self._decided(take, gate=gate, whole=not lost) for take in takes])

    def _report(self, take: Take) -> quality.QualityReport:
        assert take.trajectory is not None
        with self.stages.measure("check"):
            checks = [clip.checks for clip in take.clips]
            return quality.episode_report(take.spec, take.trajectory, take.surfaces, checks)

    def _decided(self, take: Take, *, gate: bool, whole: bool) -> Outcome:
        """Commit an episode that passed, with all of its siblings if it has any."""
        committed: list[str] = []
        verdict: dict[str, JSON] = {}
        try:
            if not take.failure:
                report = self._report(take)
                verdict = report.to_json()
                if (report.passed and whole) or not gate:
                    with self.stages.measure("commit"):
                        committed = self._commit(take, report.to_json())
                elif not report.passed:
                    reasons = ", ".join(report.reasons)
                    about = {"episode": take.spec.index, "attempt": take.spec.attempt}
                    logger.info("refused: %s", reasons, extra=about)
        finally:
            take.abort()  # nothing is left of what was not committed
        return Outcome(
            number=take.number,
            spec=take.spec,
            committed=tuple(committed),
            quality=verdict,
            trajectory=take.trajectory,
            failure=take.failure,
        )

    def _commit(self, take: Take, verdict: Mapping[str, JSON]) -> list[str]:
        """Commit the clips of an episode; return the ids of those that nobody had committed before."""
        added = []
        for clip in take.clips:
            with self._timeline.during("commit", clip.work("commit", clip.header.frame_count)):
                if clip.commit(verdict, self._version):
                    added.append(clip.clip_id)
        return added


def _telling(takes: Iterable[Take], told: Callable[[], None]) -> Iterator[Take]:
    """Tell of every take: it is held no more by the stages before this one."""
    for take in takes:
        told()
        yield take


def _start_warp(device: str) -> None:
    """Start Warp; on the CPU without the lines in which its native library reports that there is no GPU."""
    warp.config.log_level = logging.ERROR  # loaded modules are no news to users
    if device != "cpu":
        warp.init()
        _check_device(device)
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


def _check_device(device: str) -> None:
    """Raise `BackendUnavailable` unless Warp finds a device of this name."""
    try:
        warp.get_device(device)
    except Exception as error:  # a ValueError or a RuntimeError, by what is wrong with it
        there = ", ".join(str(each.alias) for each in warp.get_devices())
        raise BackendUnavailable(
            f"there is no device {device!r}: this machine has {there}. Name one of these; a GPU needs NVIDIA's driver"
        ) from error
