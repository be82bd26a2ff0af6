"""Solver steps of rigid scenes: XPBD with our joints in it and our impacts around it."""

from collections.abc import Hashable, Mapping
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.episode import Contacts
from simfactory.joints import Way
from simfactory.simulators.newton.collision import collision_pipeline
from simfactory.simulators.newton.contacts import read_contacts
from simfactory.simulators.newton.grip import Grip, has_firm
from simfactory.simulators.newton.impacts import Impacts
from simfactory.simulators.newton.linkage import LinkedSolver
from simfactory.simulators.newton.steps.base import Steps
from simfactory.simulators.newton.worlds import Worlds
from simfactory.spec import SceneSpec

__all__ = ["STEPS", "StepsRigid"]

# Corrections of one body's contacts are summed, not averaged: averaging (Newton's default) halves the momentum of a
# ball that hits a box standing on a frictionless floor. A sum overshoots when relaxation × contacts of one manifold
# exceeds 1; Newton's manifolds have at most 5 contacts.
ITERATIONS = 32
RELAXATION = 0.2


@final
class StepsRigid(Steps):
    """Contact detection, impacts, joints and XPBD.

    Args:
        worlds: The model's environments.
        dt: Solver step [s].
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"rigid"})
    cost: ClassVar[int] = 0
    has_joints: ClassVar[bool] = True

    @classmethod
    def variant(cls, spec: SceneSpec) -> tuple[Hashable, ...]:
        """Return whether there are robots or vessels: their contacts are solved otherwise."""
        return (has_firm(spec),)

    def __init__(self, worlds: Worlds, *, dt: float) -> None:
        model, cuda = worlds.model, worlds.model.device.is_cuda
        self._dt, self._worlds = dt, worlds
        firm = any(has_firm(spec) for spec in worlds.specs)
        self._solver = LinkedSolver(
            worlds,
            dt=dt,
            firm=firm,
            iterations=ITERATIONS,
            rigid_contact_relaxation=RELAXATION,
            rigid_contact_con_weighting=False,
            enable_restitution=False,  # see Impacts
            deterministic=wp.DeterministicMode.RUN_TO_RUN if cuda else None,
        )
        self._pipeline = collision_pipeline(worlds)
        self._contacts, self._control = self._pipeline.contacts(), model.control()
        self._impacts = Impacts(model, self._contacts, dt=dt)
        self._grip: Grip | None = None
        if firm:
            self._grip = Grip(worlds, self._contacts, self._solver.bodies, dt=dt)
            self._solver.between_sweeps = self._grip.hold

    def advance(self, source: Any, target: Any) -> None:  # Any: newton States
        """Launch one solver step from a state to another."""
        self._pipeline.collide(source, self._contacts, dt=self._dt)
        self._solver.begin(source)
        if self._grip is not None:
            self._grip.take()
        self._impacts.before_step(source)
        self._solver.step(source, target, self._control, self._contacts, self._dt)
        self._impacts.after_step(target)

    def drive(self, environment: int, ways: Mapping[str, Way]) -> None:
        """Let the drives of an environment take other ways than their waypoints, by name of the joint."""
        self._solver.drive(environment, ways)

    def upload_frame(self) -> None:
        """Send what was commanded since the last frame to the device."""
        self._solver.upload_frame()

    def detect(self, state: Any) -> None:  # Any: a newton State
        """Launch contact detection on a state."""
        self._pipeline.collide(state, self._contacts, dt=0.0)

    def read_contacts(self, nodes: npt.NDArray[np.float32], poses: npt.NDArray[np.float32]) -> list[Contacts]:
        """Return what `detect` found, by environment; see `Steps.read_contacts`."""
        return read_contacts(self._worlds, self._contacts, poses)

    def forget(self, state: Any, environment: int | None = None) -> None:  # Any: a newton State
        """Drop what the solver remembers of an environment, or of all: the time, by which drives go, and commands."""
        self._solver.forget(environment)


STEPS = StepsRigid
