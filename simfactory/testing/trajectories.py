"""Simulation alone, without pictures."""

from collections.abc import Sequence

from simfactory.episode import Trajectory
from simfactory.simulators import create_simulator
from simfactory.spec import SceneSpec

__all__ = ["trajectories"]


def trajectories(specs: Sequence[SceneSpec], *, backend: str = "newton") -> list[Trajectory]:
    """Simulate specs of one signature together, without rendering."""
    simulator = create_simulator(backend, device="cpu")
    try:
        simulator.load(specs)
        states = [[simulator.state(env)] for env in range(len(specs))]
        for frame in range(1, max(spec.frame_count for spec in specs)):
            simulator.step()
            for env, spec in enumerate(specs):
                if frame < spec.frame_count:
                    states[env].append(simulator.state(env))
        return [Trajectory.from_states(recorded, simulator.properties(env)) for env, recorded in enumerate(states)]
    finally:
        simulator.release()
