"""Solver steps of scenes with grains: implicit material points for them, XPBD for rigid bodies, impulses between."""

import copy
from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.episode import Contacts
from simfactory.simulators.newton.contacts import joined
from simfactory.simulators.newton.sand import Bed, check_room
from simfactory.simulators.newton.steps.base import Steps
from simfactory.simulators.newton.steps.rigid import StepsRigid
from simfactory.simulators.newton.worlds import Worlds
from simfactory.spec import SceneSpec

__all__ = ["STEPS", "StepsGranular"]

GRAIN_STEP = 0.01  # [s] longest step of grains: as many solver steps as fit, and divide a frame

RULES = {
    "friction": "of granular bodies: the spec's dynamic one is that between grains; against floor, walls and rigid "
    "bodies the mean of the other's and the grains' (of several granular bodies: their mean). A pair of rigid bodies "
    "uses the mean of its two bodies'",
    "cohesion": "shear strength at zero pressure; tension is borne up to cohesion over friction",
    "restitution": "grains do not rebound, and take the energy of what falls on them; a pair of rigid bodies uses the "
    "mean of its two bodies'",
    "grains": "an incompressible Drucker-Prager continuum carried by one particle a grain: grains do not spin, and "
    "neighbours may overlap",
    "repose": "heaps of some ten grains in height slump to atan(friction) within 12 %; those of friction 0.7 and more "
    "stand steeper before they slump (a cone of 48° stands at friction 0.7)",
    "mass": "density × volume of the shape; of grains: density × spacing³ each, spacing = grain_radius (4π/3/0.62)^⅓",
    "drag": "of every grain: that of a ball of its share of the volume",
}


@final
class StepsGranular(Steps):
    """Material points for grains, XPBD with our impacts for rigid bodies.

    Grains take a step of their own at the beginning of every few solver steps. It is solved together with the rigid
    bodies, which come with the velocities that gravity will have given them by its end; the impulses that it yields
    are spread evenly over those solver steps. So momentum is kept, and bodies at rest on grains stay at rest.

    Args:
        worlds: The model's environments.
        dt: Solver step [s].
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"rigid", "granular"})
    cost: ClassVar[int] = 3
    rules: ClassVar[Mapping[str, str]] = RULES
    recordable: ClassVar[bool] = False

    @classmethod
    def variant(cls, spec: SceneSpec) -> tuple[Hashable, ...]:
        """Return the solver's name.

        Raises:
            SpecError: There is no floor, or grains begin where something else is.
        """
        check_room(spec)
        return ("material points",)

    def __init__(self, worlds: Worlds, *, dt: float) -> None:
        self._worlds, self._dt = worlds, dt
        spec = worlds.specs[0]
        total = max(1, round(1.0 / (spec.fps * dt)))
        self._every = max(k for k in range(1, total + 1) if total % k == 0 and (k == 1 or k * dt <= GRAIN_STEP))
        device = str(worlds.model.device)
        self._beds = [Bed(spec, device=device, dt=self._every * dt) for spec in worlds.specs]
        model = copy.copy(worlds.model)  # the rigid solver must not see the grains
        model.particle_count = 0
        self._rigid = StepsRigid(replace(worlds, model=model), dt=dt) if model.body_count else None
        self._replays: dict[tuple[int, int], Any] = {}  # Any: warp graphs
        self._warm = False
        self._gain = np.zeros((model.body_count, 6))
        self._fall = np.zeros((model.body_count, 6))
        if model.body_count:
            mass = np.concatenate([bed.body_mass for bed in self._beds])
            world = model.body_world.numpy()
            gravity = np.array([spec.environment.gravity for spec in worlds.specs])
            self._fall[:, :3] = np.where(mass[:, None] > 0.0, gravity[world] * self._every * dt, 0.0)
        self._phase = 0
        self._found: list[Contacts] = []

    def advance(self, source: Any, target: Any) -> None:  # Any: newton States
        """Take one solver step from a state to another."""
        if self._phase == 0:
            self._move_grains(source, target)
        else:
            wp.copy(target.particle_q, source.particle_q)
            wp.copy(target.particle_qd, source.particle_qd)
        self._phase = (self._phase + 1) % self._every
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
            bed.contacts(state.particle_q[slice(*nodes)], poses[slice(*rows)])
            for bed, nodes, rows in zip(self._beds, self._worlds.node_ranges, self._worlds.row_ranges, strict=True)
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
        for bed in self._beds if environment is None else (self._beds[environment],):
            bed.forget()
        if environment is None:
            self._phase = 0
            self._gain[:] = 0.0
        else:
            self._gain[slice(*self._worlds.row_ranges[environment])] = 0.0

    def _move_grains(self, source: Any, target: Any) -> None:  # Any: newton States
        poses, velocities = np.zeros((0, 7)), np.zeros((0, 6))
        if self._rigid is not None:
            poses = source.body_q.numpy().astype(np.float64)
            velocities = source.body_qd.numpy().astype(np.float64) + self._fall
        for bed, nodes, rows in zip(self._beds, self._worlds.node_ranges, self._worlds.row_ranges, strict=True):
            begin, end = nodes
            gained = bed.advance(
                (source.particle_q[begin:end], source.particle_qd[begin:end]),
                (poses[slice(*rows)], velocities[slice(*rows)]),
                (target.particle_q[begin:end], target.particle_qd[begin:end]),
            )
            self._gain[slice(*rows)] = gained / self._every

    def _push(self, state: Any) -> None:  # Any: a newton State
        """Give rigid bodies half of what grains do to them in a solver step."""
        if self._gain.any():
            state.body_qd.assign((state.body_qd.numpy() + 0.5 * self._gain).astype(np.float32))

    def _advance_rigid(self, source: Any, target: Any) -> None:  # Any: newton States
        """Step the rigid bodies: directly at first, which compiles, then as a recorded graph."""
        assert self._rigid is not None
        device = self._worlds.model.device
        key = id(source), id(target)
        if not self._warm or (device.is_cuda and not wp.is_mempool_enabled(device)):
            self._rigid.advance(source, target)
            self._warm = True
            return
        if key not in self._replays:
            with wp.ScopedCapture(device=device) as capture:
                self._rigid.advance(source, target)
            self._replays[key] = capture.graph
        wp.capture_launch(self._replays[key])


STEPS = StepsGranular
