"""Solver steps of scenes with loose particles: their own solver for them, XPBD for rigid bodies, impulses between."""

import copy
from abc import abstractmethod
from collections.abc import Callable, Hashable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.episode import Contacts
from simfactory.launches import recorded
from simfactory.loose_room import check_room
from simfactory.simulators.newton.contacts import joined
from simfactory.simulators.newton.forces import LooseDrag
from simfactory.simulators.newton.steps.base import Steps
from simfactory.simulators.newton.steps.rigid import StepsRigid
from simfactory.simulators.newton.worlds import Worlds
from simfactory.spec import SceneSpec

__all__ = ["Crowd", "StepsLoose"]

LONGEST = 0.01  # [s] step of particles that move fast: as many solver steps as fit, and divide a frame

Array = npt.NDArray[np.float64]


class Crowd(Protocol):
    """The particles of one environment and their solver."""

    body_mass: Array

    def advance(
        self,
        grains: tuple[Any, Any],  # Any: warp arrays
        bodies: tuple[Array, Array],
        target: tuple[Any, Any],  # Any: warp arrays
    ) -> Array:
        """Move particles by one step and return the changes of velocity `(body, 6)` that they give to rigid bodies."""

    def contacts(self, grains: Any, poses: Array) -> Contacts:  # Any: a warp array
        """Return where particles touch the ground, the room and rigid bodies."""

    def forget(self) -> None:
        """Drop what the solver remembers: the next step is as the first."""


class StepsLoose(Steps):
    """A solver of their own for particles, XPBD with our impacts for rigid bodies.

    Particles take a step of their own at the beginning of every few solver steps, see `stride`. It is solved together
    with the rigid bodies, which come with the velocities that gravity will have given them by its end; the impulses
    that it yields are spread evenly over those solver steps. So momentum is kept, and bodies at rest on them stay at
    rest.

    Args:
        worlds: The model's environments.
        dt: Solver step [s].
    """

    recordable: ClassVar[bool] = False
    foresees_support: ClassVar[bool] = False  # whether bodies that stand on something are not taken to fall

    @classmethod
    def variant(cls, spec: SceneSpec) -> tuple[Hashable, ...]:
        """Return the solver's name.

        Raises:
            SpecError: There is no floor, or particles begin where something else is.
        """
        check_room(spec)
        return (cls.__name__,)

    @staticmethod
    @abstractmethod
    def crowd(spec: SceneSpec, *, device: str, dt: float) -> Crowd:
        """Return the particles of a scene and their solver, in steps of `dt` [s]."""

    def __init__(self, worlds: Worlds, *, dt: float) -> None:
        self._worlds, self._dt = worlds, dt
        spec = worlds.specs[0]
        self._total = max(1, round(1.0 / (spec.fps * dt)))
        every = range(1, self._total + 1)
        self._every = max(k for k in every if self._total % k == 0 and (k == 1 or k * dt <= LONGEST))
        device = str(worlds.model.device)
        self._crowds = [self.crowd(spec, device=device, dt=self._every * dt) for spec in worlds.specs]
        self._winds = [LooseDrag(spec, world, worlds.air, device=device) for world, spec in enumerate(worlds.specs)]
        model = copy.copy(worlds.model)  # the rigid solver must not see the particles
        model.particle_count = 0
        self._rigid = StepsRigid(replace(worlds, model=model), dt=dt) if model.body_count else None
        self._replays: dict[tuple[int, int], Callable[[], None]] = {}
        self._warm = False
        self._gain = np.zeros((model.body_count, 6))
        self._fall = np.zeros((model.body_count, 6))  # in a solver step
        if model.body_count:
            mass = np.concatenate([crowd.body_mass for crowd in self._crowds])
            world = model.body_world.numpy()
            gravity = np.array([spec.environment.gravity for spec in worlds.specs])
            self._fall[:, :3] = np.where(mass[:, None] > 0.0, gravity[world] * dt, 0.0)
        self._before = np.zeros((model.body_count, 6))
        self._known = np.zeros((model.body_count, 1), np.bool_)  # whether `_before` is of the same episode
        self._phase = 0  # solver steps since the frame began
        self._strides = np.ones(len(self._crowds), np.int64)  # solver steps in the particles' step, by environment
        self._due = np.zeros(len(self._crowds), np.int64)  # when they take the next one
        self._found: list[Contacts] = []

    def stride(self, environment: int, source: Any, left: int) -> int:  # Any: a newton State
        """Return how many solver steps the next step of an environment's particles spans.

        Args:
            environment: Index of the environment.
            source: State before it.
            left: Solver steps that are left of the frame: the most that are allowed.
        """
        return min(self._every, left)

    def advance(self, source: Any, target: Any) -> None:  # Any: newton States
        """Take one solver step from a state to another."""
        due = np.flatnonzero(self._due <= self._phase)
        if len(due) < len(self._crowds):
            wp.copy(target.particle_q, source.particle_q)
            wp.copy(target.particle_qd, source.particle_qd)
        if len(due):
            self._move_particles(source, target, due)
        self._phase += 1
        if self._phase == self._total:
            self._phase, self._due[:] = 0, 0
        if self._rigid is None:
            return
        # Half of the blow before and half after: a constant force then moves bodies as it should.
        self._push(source)
        self._advance_rigid(source, target)
        self._push(target)

    def detect(self, state: Any) -> None:  # Any: a newton State
        """Detect contacts on a state."""
        poses = state.body_q.numpy().astype(np.float64) if self._rigid is not None else np.zeros((0, 7))
        self._found = [
            crowd.contacts(state.particle_q[slice(*nodes)], poses[slice(*rows)])
            for crowd, nodes, rows in zip(self._crowds, self._worlds.node_ranges, self._worlds.row_ranges, strict=True)
        ]
        if self._rigid is not None:
            self._rigid.detect(state)

    def read_contacts(self, nodes: npt.NDArray[np.float32], poses: npt.NDArray[np.float32]) -> list[Contacts]:
        """Return what `detect` found, by environment; see `Steps.read_contacts`."""
        if self._rigid is None:
            return [joined([found]) for found in self._found]
        rigid = self._rigid.read_contacts(nodes, poses)
        return [joined([found, other]) for found, other in zip(self._found, rigid, strict=True)]

    def forget(self, state: Any, environment: int | None = None) -> None:  # Any: a newton State
        """Drop what the solvers remember of an environment, or of all; called between frames only."""
        for crowd in self._crowds if environment is None else (self._crowds[environment],):
            crowd.forget()
        if environment is None:
            self._phase, self._due[:] = 0, 0
            self._gain[:], self._known[:] = 0.0, False
        else:
            rows = slice(*self._worlds.row_ranges[environment])
            self._gain[rows], self._known[rows] = 0.0, False

    def _move_particles(
        self,
        source: Any,  # Any: a newton State
        target: Any,  # Any: a newton State
        due: npt.NDArray[np.int64],  # Any: newton States
    ) -> None:
        """Take a step of the particles of some environments, given by their indices."""
        poses, now = np.zeros((0, 7)), np.zeros((0, 6))
        if self._rigid is not None:
            poses = source.body_q.numpy().astype(np.float64)
            now = source.body_qd.numpy().astype(np.float64)
        for index in due:
            begin, end = self._worlds.node_ranges[index]
            rows = slice(*self._worlds.row_ranges[index])
            before = int(self._strides[index])
            self._strides[index] = steps = self.stride(int(index), source, self._total - self._phase)
            self._due[index] = self._phase + steps
            self._winds[index].act(source.particle_q[begin:end], source.particle_qd[begin:end], steps * self._dt)
            gained = self._crowds[index].advance(
                (source.particle_q[begin:end], source.particle_qd[begin:end]),
                (poses[rows], now[rows] + self._foreseen(now, rows, steps, before)),
                (target.particle_q[begin:end], target.particle_qd[begin:end]),
            )
            self._gain[rows] = gained / steps

    def _foreseen(self, now: Array, rows: slice, steps: int, before: int) -> Array:
        """Return the changes of velocity `(body, 6)` that a step will bring without particles: as the last one did.

        What stands on something does not fall. After a blow the last step tells nothing of the next one.

        Args:
            now: Velocities `(body, 6)` of all bodies.
            rows: Those of one environment.
            steps: Solver steps in the step.
            before: Solver steps in the last one.
        """
        fall = self._fall[rows]
        if not self.foresees_support:
            return np.asarray(fall * steps)
        brought = np.zeros_like(fall)
        brought[:, :3] = (now[rows] - self._before[rows])[:, :3] / before - self._gain[rows, :3]
        limit = 2.0 * np.linalg.norm(fall, axis=1, keepdims=True)
        steady = self._known[rows] & (np.linalg.norm(brought - fall, axis=1, keepdims=True) <= limit)
        self._before[rows], self._known[rows] = now[rows], True
        return np.where(steady, brought, fall) * steps

    def _push(self, state: Any) -> None:  # Any: a newton State
        """Give rigid bodies half of what particles do to them in a solver step."""
        if self._gain.any():
            state.body_qd.assign((state.body_qd.numpy() + 0.5 * self._gain).astype(np.float32))

    def _advance_rigid(self, source: Any, target: Any) -> None:  # Any: newton States
        """Step the rigid bodies: directly at first, which compiles, then as a recorded graph."""
        assert self._rigid is not None
        device = self._worlds.model.device
        key = id(source), id(target)
        if not self._warm:
            self._rigid.advance(source, target)
            self._warm = True
            return
        if key not in self._replays:
            self._replays[key] = recorded(partial(self._rigid.advance, source, target), device)
        self._replays[key]()
