"""Solver steps of scenes with ropes: ropes by implicit steps along each, rigid bodies as in rigid scenes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from simfactory.episode import Contacts
from simfactory.simulators.newton.contacts import joined
from simfactory.simulators.newton.ropes import RopeMotion
from simfactory.simulators.newton.steps.base import Steps
from simfactory.simulators.newton.steps.rigid import StepsRigid
from simfactory.simulators.newton.worlds import Worlds
from simfactory.spec import SceneSpec

__all__ = ["STEPS", "StepsRope"]

RATE = 960.0  # [1/s] solver steps at least: a rope at 10 m/s goes a centimetre in one

RULES = {
    "rope": "masses along a line, EA and EI as in the spec, no twist; implicit Euler, solved directly along each rope",
    "rope_contact": "balls of the rope's radius, half a radius apart, against shapes; segments against segments; "
    "springs of finite stiffness, without rebound",
    "rope_friction": "a pair uses the mean of its two bodies' dynamic coefficients; slip below 2 mm/s is viscous",
    "rope_drag": "½ ρ C_d d |u| u over length with C_d = 1.2, u the wind across the line; none along it",
    "rope_mass": "density × section × length",
    "rope_young_modulus": "gives EA and EI of the solid section where the spec has none of its own",
}


@final
class StepsRope(Steps):
    """Contact of ropes, ropes, and then the solver of rigid scenes.

    Args:
        worlds: The model's environments.
        dt: Solver step [s].
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"rigid", "rope"})
    cost: ClassVar[int] = 1
    rules: ClassVar[Mapping[str, str]] = RULES
    guides_robots: ClassVar[bool] = True

    @classmethod
    def per_substep(cls, spec: SceneSpec) -> int:
        """Return the solver steps per substep of a scene: a power of two, so that there are few signatures."""
        steps = 1
        while spec.fps * spec.substep_count * steps < RATE - 1e-6:
            steps *= 2
        return steps

    def __init__(self, worlds: Worlds, *, dt: float) -> None:
        self._worlds = worlds
        self._rigid: StepsRigid | None = None
        with _without_nodes(worlds.model):
            if worlds.model.body_count:
                self._rigid = StepsRigid(worlds, dt=dt)
        self._ropes = RopeMotion(worlds, dt=dt)

    def advance(self, source: Any, target: Any) -> None:  # Any: newton States
        """Launch one solver step from a state to another."""
        self._ropes.advance(source, target)
        if self._rigid is not None:
            with _without_nodes(self._worlds.model):
                self._rigid.advance(source, target)

    def detect(self, state: Any) -> None:  # Any: a newton State
        """Launch contact detection on a state."""
        self._ropes.detect(state)
        if self._rigid is not None:
            with _without_nodes(self._worlds.model):
                self._rigid.detect(state)

    def read_contacts(self, nodes: npt.NDArray[np.float32], poses: npt.NDArray[np.float32]) -> list[Contacts]:
        """Return what `detect` found, by environment; see `Steps.read_contacts`."""
        parts = [self._ropes.read_contacts(nodes)]
        if self._rigid is not None:
            parts.append(self._rigid.read_contacts(nodes, poses))
        return [joined(list(group)) for group in zip(*parts, strict=True)]

    def forget(self, state: Any, environment: int | None = None) -> None:  # Any: a newton State
        """Begin ropes of an environment, or of all, anew."""
        self._ropes.forget(state, environment)


@contextmanager
def _without_nodes(model: Any) -> Iterator[None]:  # Any: a newton Model
    """Hide the nodes of ropes from Newton's own solver and collision pipeline."""
    count, model.particle_count = model.particle_count, 0
    try:
        yield
    finally:
        model.particle_count = count


STEPS = StepsRope
