"""The contract of a simulator backend: specs in, geometry in motion out."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from typing import ClassVar

from simfactory.episode import BodyProperties, WorldState
from simfactory.spec import SceneSpec

__all__ = ["Simulator"]


class Simulator(ABC):
    """Advances several environments at once, one scene spec each.

    Life: `load` → ([`drive` →] `step` → `state`)… with `reset` at any time → `release`. Environments never influence
    one another: resetting one leaves the others bit-identical, and an episode does not depend on what else
    is loaded beside it beyond the solver's documented tolerance.
    """

    name: ClassVar[str]

    @classmethod
    @abstractmethod
    def supports(cls, kind: str) -> bool:
        """Return whether bodies, joints or flows of air of this kind can be simulated."""

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """Return name and versions of what computes, e.g. `newton 1.8.0, warp 1.19.0`."""

    @abstractmethod
    def signature(self, spec: SceneSpec) -> Hashable:
        """Return a key; specs with equal keys may be loaded together and follow each other in a slot."""

    @abstractmethod
    def load(self, specs: Sequence[SceneSpec]) -> None:
        """Build one environment per spec, each at its t = 0; replaces whatever was loaded.

        Raises:
            UnsupportedBody: A spec holds a body kind that this backend does not simulate.
            SpecError: The specs' signatures differ, or there are none.
            AssetError: A user mesh is missing or unreadable.
        """

    @abstractmethod
    def drive(self, environment: int, targets: Mapping[str, float]) -> None:
        """Tell drives of an environment where their joints shall be at the end of the next frame.

        What a drive wants goes there in a straight line from where its last command ended: at first, from where its
        waypoints are. It follows these no longer and stays where it was sent until it is sent on; other drives and
        environments do not notice. An episode whose commands are written back as waypoints, one a frame, repeats
        itself.

        Args:
            environment: Number of the environment.
            targets: Position [rad or m] by name of the joint, 0 = as at t = 0; measured as `Waypoint.position`.

        Raises:
            SpecError: A joint is unknown or has no drive, or a position is out of bounds.
        """

    @abstractmethod
    def step(self) -> None:
        """Advance every environment by one frame (1/fps), in `SceneSpec.substep_count` solver steps."""

    @abstractmethod
    def state(self, environment: int) -> WorldState:
        """Return an environment's current state, copied to the host."""

    @abstractmethod
    def properties(self, environment: int) -> BodyProperties:
        """Return the effective physical parameters of an environment's bodies."""

    @abstractmethod
    def reset(self, environment: int) -> None:
        """Put one environment back to t = 0, and its drives to their waypoints; all others stay bit-identical."""

    @abstractmethod
    def release(self) -> None:
        """Free everything; the simulator may `load` again."""
