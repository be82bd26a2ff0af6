"""Environment slots: each simulates one episode at its own clock, and takes the next one as soon as that has ended.

Every slot has a simulator of its own. An episode can therefore not depend on what is simulated beside it, scenes of
any kind follow each other in a slot, and nobody waits for the longest episode. One model for many environments
would not be faster on a CPU (sixteen scenes of five rigid bodies cost more a scene there than one does alone).
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from simfactory import quality
from simfactory.actions import Controller, Report
from simfactory.arms import plan_frames
from simfactory.deadline import Deadline
from simfactory.episode import Trajectory, WorldState
from simfactory.errors import SimfactoryError, SimulationError
from simfactory.preflight import check_environment, environment_bytes, memory_for_environments
from simfactory.simulators import Simulator
from simfactory.spec import SceneSpec
from simfactory.stages import Stages
from simfactory.timeline import Timeline, Work
from simfactory.violations import broken, given

__all__ = ["Deadline", "Ended", "EnvironmentPool", "Occupancy"]

logger = logging.getLogger(__name__)

Control = Callable[[int, SceneSpec], Controller | None]  # of an episode, by its number; None = it runs by itself

REST_SPEED, REST_SPIN = 1e-2, 0.1  # [m/s, rad/s] below which a point, a body rests
REST_SECONDS = 0.5  # for which all must
WAIT_SECONDS = 0.05
FAILURES_MAX = 8  # one after the other: then it is not the episodes


@dataclass(slots=True)
class Occupancy:
    """How well slots were used.

    Attributes:
        slot_frames: Frames that all slots could have simulated: their number times the turns taken.
        busy_frames: Frames that they did simulate.
    """

    slot_frames: int = 0
    busy_frames: int = 0

    def add(self, *, slots: int, busy: int) -> None:
        """Count a turn in which slots simulated a frame; one in which all waited for room does not count."""
        if busy:
            self.slot_frames += slots
            self.busy_frames += busy

    @property
    def share(self) -> float:
        """Share of slots that were in use; 1 before the first turn."""
        return self.busy_frames / self.slot_frames if self.slot_frames else 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """An episode that is simulated no further.

    Attributes:
        number: Its place in the sequence of specs.
        spec: The scene; of an episode that was controlled, with the commands it got, and as many frames as it took.
        trajectory: All states; None if the simulator failed.
        failure: What the simulator failed with; empty if it did not.
        log: (frame, action, status, reason) of every action of one that was controlled.
    """

    number: int
    spec: SceneSpec
    trajectory: Trajectory | None
    failure: str = ""
    log: tuple[Report, ...] = ()


class _Slot:
    """One environment."""

    def __init__(self, create: Callable[[], Simulator], *, row: str, timeline: Timeline) -> None:
        self._create, self._row, self._timeline = create, row, timeline
        self._simulator: Simulator | None = None
        self.number, self.size = -1, 0
        self.spec: SceneSpec | None = None
        self._states: list[WorldState] = []
        self._controller: Controller | None = None
        self._rested, self._seconds = 0, 0.0
        self.has_ended = False

    def begin(self, number: int, spec: SceneSpec, *, gate: bool, control: Control | None) -> None:
        """Take an episode up."""
        self.number, self.spec, self.size = number, spec, environment_bytes(spec)
        self._timeline.enter(self._row, _work("load", spec))
        self._controller = None if control is None else control(number, spec)
        self._rested, self._seconds = 0, 0.0
        if self._simulator is None:
            self._simulator = self._create()
        self._simulator.load([given(spec)])
        self._states = [self._simulator.state(0)]
        self.has_ended = self._ends(spec, gate=gate)

    def advance(self, *, gate: bool) -> None:
        """Simulate one frame, or end where a policy has nothing more to do."""
        assert self._simulator is not None
        assert self.spec is not None
        begin = time.monotonic()
        self._timeline.enter(self._row, _work("simulate", self.spec, frame=len(self._states)))
        if self._controller is not None:
            targets = self._controller.targets(self._states[-1])
            if self._controller.finished:
                self.has_ended = True
                return
            self._simulator.drive(0, targets)
        self._simulator.step()
        self._states.append(self._simulator.state(0))
        self.has_ended = self._ends(self.spec, gate=gate)
        self._seconds += time.monotonic() - begin

    def _ends(self, spec: SceneSpec, *, gate: bool) -> bool:
        """Tell whether the episode has all its frames, has come to rest where it may, or is bound to be refused.

        A simulation that explodes meets ever more contacts: its remaining frames would take minutes.
        """
        now = self._states[-1]
        if len(self._states) >= spec.frame_count or (gate and quality.has_left(now)):
            return True
        if not spec.until_rest or len(self._states) < 2:
            return False
        self._rested = self._rested + 1 if _rests(now, self._states[-2]) else 0
        return self._rested >= REST_SECONDS * spec.fps and now.time > _last_event(spec)

    def seconds_left(self) -> float:
        """Return how long the episode still takes at the pace of its frames so far [s]."""
        assert self.spec is not None
        done = len(self._states) - 1
        return (self.spec.frame_count - 1 - done) * self._seconds / done if done else float("inf")

    def end(self, failure: str = "") -> Ended:
        """Give the episode up or hand it over; the slot is free then."""
        assert self.spec is not None
        trajectory = None
        if self._simulator is not None and not failure:
            trajectory = broken(self.spec, Trajectory.from_states(self._states, self._simulator.properties(0)))
        spec, log = self.spec, tuple[Report, ...]()
        if self._controller is not None:
            log = tuple(self._controller.log)
            if trajectory is not None:
                spec = self._controller.executed().model_copy(update={"frame_count": trajectory.frame_count})
        ended = Ended(number=self.number, spec=spec, trajectory=trajectory, failure=failure, log=log)
        self.give_up()
        if failure:
            self.close()
        return ended

    def give_up(self) -> None:
        """Forget the episode; the slot is free then."""
        self.spec, self._states = None, []
        self._timeline.leave(self._row)

    def wait(self) -> None:
        """Say that it cannot go on, or begin, since those after it have no room."""
        work = Work(stage="wait") if self.spec is None else _work("wait", self.spec, frame=len(self._states))
        self._timeline.enter(self._row, work)

    def close(self) -> None:
        """Free the simulator; what has failed is not trusted with another episode."""
        self._timeline.leave(self._row)
        if self._simulator is not None:
            self._simulator.release()
        self._simulator = None


class EnvironmentPool:
    """Slots that simulate episodes side by side, with no barrier between them.

    Args:
        create: Makes a simulator for a slot.
        slots: Number of slots.
        control: Gives the controller of an episode that a policy drives, each at its own pace.
        memory: Bytes that all episodes in slots may take, by estimate; None = half of what is available.
        in_flight: How many episodes may be begun that `released` was not called for; None = any number.
        stages: Where CPU time is noted.
        timeline: Where it is noted what each slot does.
        deadline: When to stop.

    Attributes:
        occupancy: How well the slots were used.
    """

    def __init__(
        self,
        create: Callable[[], Simulator],
        *,
        slots: int,
        stages: Stages,
        control: Control | None = None,
        memory: int | None = None,
        in_flight: int | None = None,
        timeline: Timeline | None = None,
        deadline: Deadline | None = None,
    ) -> None:
        noted = timeline or Timeline()
        self._slots = [_Slot(create, row=str(number), timeline=noted) for number in range(slots)]
        self._room = None if in_flight is None else threading.Semaphore(in_flight)
        self._memory = memory_for_environments() if memory is None else memory
        self._stages, self._deadline, self._control = stages, deadline or Deadline(), control
        self._exhausted = False  # there are no more specs
        self.occupancy = Occupancy()

    def simulate(self, specs: Iterable[tuple[int, SceneSpec]], *, gate: bool = True) -> Iterator[Ended]:
        """Simulate specs; yield each episode as it ends, in any order.

        An episode whose simulator fails comes with its failure; the slot goes on with a new simulator. Slots stay empty
        where the episodes in the others leave no memory.

        Args:
            specs: Numbered specs, pulled as slots become free.
            gate: Whether an episode that has left all bounds ends at once.

        Raises:
            SimulationError: One episode after the other failed.
            ResourceError: An episode does not fit into memory even alone.
            SimfactoryError: A spec cannot be simulated; the message says why.
        """
        for ended in self._ended(iter(specs), gate=gate):
            for slot in self._slots:  # until it is taken, none of them goes on
                if slot.spec is not None or not self._exhausted:
                    slot.wait()
            yield ended

    def _ended(self, waiting: Iterator[tuple[int, SceneSpec]], *, gate: bool) -> Iterator[Ended]:
        failures, taken, self._exhausted = 0, None, False
        while True:
            for slot in [slot for slot in self._slots if slot.spec is None and not self._exhausted]:
                if taken is None:
                    if not self._has_room():
                        self._note_waiting()
                        break
                    taken = next(waiting, None)
                    self._exhausted = taken is None
                if taken is None or self._deadline.is_set:
                    self._note_resting()
                    break
                if not self._fits(taken[1]):
                    self._note_waiting()
                    break
                failure = self._attempt(slot, partial(slot.begin, *taken, gate=gate, control=self._control))
                taken = None
                if failure:
                    failures = _counted(failures, failure)
                    yield slot.end(failure)
            busy = [slot for slot in self._slots if slot.spec is not None]
            if not busy and (self._exhausted or self._deadline.is_set):
                return
            self.occupancy.add(slots=len(self._slots), busy=len(busy))
            for slot in busy:
                failure = "" if slot.has_ended else self._attempt(slot, partial(slot.advance, gate=gate))
                if failure:
                    failures = _counted(failures, failure)
                    yield slot.end(failure)
                elif slot.has_ended:
                    failures = 0
                    yield slot.end()
                elif self._deadline.is_set and not self._deadline.allows(slot.seconds_left()):
                    slot.give_up()  # given back: nobody hears of it

    def released(self) -> None:
        """There is room for one more episode."""
        if self._room is not None:
            self._room.release()

    def close(self) -> None:
        """Free all simulators."""
        for slot in self._slots:
            slot.close()

    def _note_waiting(self) -> None:
        if not self._deadline.is_set:
            for slot in self._slots:
                if slot.spec is None:
                    slot.wait()

    def _note_resting(self) -> None:
        for slot in self._slots:
            if slot.spec is None:
                slot.give_up()

    def _has_room(self) -> bool:
        """Tell whether one more episode may begin; with nothing else to do, wait for that a while."""
        if self._deadline.is_set:
            return False
        if self._room is None:
            return True
        idle = all(slot.spec is None for slot in self._slots)
        return self._room.acquire(timeout=WAIT_SECONDS) if idle else self._room.acquire(blocking=False)

    def _fits(self, spec: SceneSpec) -> bool:
        """Tell whether there is memory for one more episode beside those in slots.

        Raises:
            ResourceError: There never will be.
        """
        check_environment(spec, limit=self._memory)
        used = sum(slot.size for slot in self._slots if slot.spec is not None)
        return used + environment_bytes(spec) <= self._memory

    def _attempt(self, slot: _Slot, work: Callable[[], None]) -> str:
        """Do a slot's work; return what it failed with."""
        try:
            with self._stages.measure("simulate"):
                work()
        except SimulationError as error:
            return str(error)
        except SimfactoryError:
            raise  # the spec's fault, or the machine's
        except Exception as error:
            logger.warning("the simulator failed", exc_info=True, extra={"episode": slot.number})
            return f"{type(error).__name__}: {error}"
        return ""


def _work(stage: str, spec: SceneSpec, *, frame: int = 0) -> Work:
    """Return what a slot does for an episode."""
    return Work(stage=stage, scene=spec.scene, episode=spec.episode, frame=frame, frames=spec.frame_count)


def _counted(failures: int, failure: str) -> int:
    """Return the number of failures in a row.

    Raises:
        SimulationError: There were too many.
    """
    if failures + 1 >= FAILURES_MAX:
        raise SimulationError(f"{FAILURES_MAX} episodes failed one after the other, the last one with: {failure}")
    return failures + 1


def _rests(now: WorldState, before: WorldState) -> bool:
    """Tell whether nothing has moved between two states, but for what no eye sees."""
    elapsed = now.time - before.time
    if np.abs(now.angular_velocity).max(initial=0.0) > REST_SPIN:
        return False
    pairs = [(now.position, before.position)]
    pairs += [(points, before.vertices[body]) for body, points in now.vertices.items()]
    pairs += [(points, before.particles[body]) for body, points in now.particles.items()]
    return all(np.abs(new - old).max(initial=0.0) <= REST_SPEED * elapsed for new, old in pairs)


def _last_event(spec: SceneSpec) -> float:
    """Return when the last thing that a scene prescribes is over [s]; infinity where one never is."""
    times = [event.time for event in spec.triggers] + [motion.stop for motion in spec.motions]
    if spec.robot is not None:
        times.append(plan_frames(spec) / spec.fps)
    return max(times, default=0.0)
