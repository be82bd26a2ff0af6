"""Policies and specs, simulated in closed loops: several environments at once, each with actions of its own length."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from simfactory.actions import Controller, Policy, Report
from simfactory.episode import Trajectory
from simfactory.errors import SimulationError, SpecError
from simfactory.simulators import create_simulator
from simfactory.slots import EnvironmentPool
from simfactory.spec import SceneSpec
from simfactory.stages import Stages

__all__ = ["Rollout", "rollout", "rollouts"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rollout:
    """What a policy made of one spec.

    Attributes:
        spec: The spec as executed: its drives hold the commands, its frames end where the policy was finished.
        trajectory: All states.
        log: (frame, action, status, reason) of every action as it begins and ends.
    """

    spec: SceneSpec
    trajectory: Trajectory
    log: tuple[Report, ...]

    @property
    def outcomes(self) -> tuple[tuple[str, str], ...]:
        """Name and status of every action that ended, in order."""
        ended = (entry for entry in self.log if entry.status != "running")
        return tuple((getattr(entry.action, "name", ""), entry.status) for entry in ended)


def rollout(spec: SceneSpec, policy: Policy, *, backend: str = "newton", device: str = "cpu") -> Rollout:
    """Simulate a spec under a policy, without pictures; `simulate(rollout(…).spec)` makes them.

    See `rollouts` for arguments and what is raised.
    """
    return rollouts([spec], [policy], backend=backend, device=device)[0]


def rollouts(
    specs: Sequence[SceneSpec], policies: Sequence[Policy], *, backend: str = "newton", device: str = "cpu"
) -> list[Rollout]:
    """Simulate specs side by side, each under a policy of its own, until all are finished or their frames are over.

    What was executed repeats itself bit for bit on the CPU beside the same others; alone, too, where an environment
    does not depend on its neighbours, as it does with beads in a cup.

    Args:
        specs: Scenes with a robot; `frame_count` is the most that is run.
        policies: One for each.
        backend: Simulator backend.
        device: `cpu` or a CUDA device such as `cuda:0`.

    Raises:
        SpecError: A scene has no robot, or a policy is missing.
        SimulationError: The simulator failed.
    """
    if len(specs) != len(policies):
        raise SpecError(f"{len(specs)} specs come with {len(policies)} policies; allowed is one for each")
    controllers = [Controller(spec, policy) for spec, policy in zip(specs, policies, strict=True)]
    pool = EnvironmentPool(
        partial(create_simulator, backend, device=device),
        slots=len(specs),
        stages=Stages(),
        control=lambda number, spec: controllers[number],
    )
    made: dict[int, Rollout] = {}
    with closing(pool):
        for episode in pool.simulate(enumerate(specs), gate=False):
            if episode.trajectory is None:
                raise SimulationError(f"scene {episode.spec.scene!r} could not be simulated: {episode.failure}")
            made[episode.number] = Rollout(spec=episode.spec, trajectory=episode.trajectory, log=episode.log)
    return [made[number] for number in range(len(specs))]
