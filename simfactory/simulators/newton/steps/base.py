"""The contract of a solver family: which bodies it moves together, and one solver step."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from simfactory.episode import Contacts
from simfactory.joints import Way
from simfactory.simulators.newton.worlds import Worlds
from simfactory.spec import SceneSpec

__all__ = ["Steps"]


class Steps(ABC):
    """Contact detection and a solver, for a model whose scenes hold bodies of `kinds` only.

    Attributes:
        kinds: Body kinds that it moves together.
        cost: Families are chosen by this, the cheapest that moves all bodies of a scene.
        has_joints: Whether it holds joints.
        guides_robots: Whether it takes the joints of a robot that is guided: it need not hold them.
        rules: What it makes of physical parameters, in words, by parameter name.
        recordable: Whether a step can be recorded as a graph: it decides nothing on the host.
    """

    kinds: ClassVar[frozenset[str]]
    cost: ClassVar[int]
    has_joints: ClassVar[bool] = False
    guides_robots: ClassVar[bool] = False
    rules: ClassVar[Mapping[str, str]] = {}
    recordable: ClassVar[bool] = True

    @classmethod
    def per_substep(cls, spec: SceneSpec) -> int:
        """Return the solver steps per substep of a scene.

        Raises:
            SpecError: The scene cannot be stepped.
        """
        return 1

    @classmethod
    def variant(cls, spec: SceneSpec) -> tuple[Hashable, ...]:
        """Return what scenes must have in common to be stepped together, beyond time steps."""
        return ()

    @abstractmethod
    def __init__(self, worlds: Worlds, *, dt: float) -> None:
        """Prepare for a model's environments and a solver step [s]."""

    @abstractmethod
    def advance(self, source: Any, target: Any) -> None:  # Any: newton States
        """Launch one solver step from a state to another."""

    def drive(self, environment: int, ways: Mapping[str, Way]) -> None:
        """Let the drives of an environment take other ways than their waypoints, by name of the joint."""
        raise NotImplementedError(f"{type(self).__name__} holds no joints")

    def upload_frame(self) -> None:
        """Send what was commanded since the last frame to the device."""
        return

    @abstractmethod
    def detect(self, state: Any) -> None:  # Any: a newton State
        """Launch contact detection on a state."""

    @abstractmethod
    def read_contacts(self, nodes: npt.NDArray[np.float32], poses: npt.NDArray[np.float32]) -> list[Contacts]:
        """Return what `detect` found, by environment.

        Args:
            nodes: `(row, 3)` positions of all nodes [m].
            poses: `(row, 7)` position and quaternion of every Newton body.
        """

    def temperatures(self) -> npt.NDArray[np.float32] | None:
        """Return the temperature `(row,)` of all nodes [K], 0 for nodes without heat; None if no body has any."""
        return None

    @abstractmethod
    def forget(self, state: Any, environment: int | None = None) -> None:  # Any: a newton State
        """Drop what the solver remembers of an environment, or of all."""
