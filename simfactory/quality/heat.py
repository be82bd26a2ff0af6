"""Whether temperatures stay between those of the warmest and the coldest thing."""

import numpy as np

from simfactory.air import air_temperature
from simfactory.episode import Trajectory
from simfactory.spec import SceneSpec
from simfactory.temperatures import kept_temperatures

__all__ = ["temperature_excess"]


def temperature_excess(spec: SceneSpec, trajectory: Trajectory) -> float:
    """Return how far a body gets warmer or colder than anything that could make it so, over the largest difference [1].

    Heat only flows from warm to cold.
    """
    values = list(trajectory.temperatures.values())
    sources = [*kept_temperatures(spec).values(), *(float(each[0].max()) for each in values)]
    sources += [float(each[0].min()) for each in values]
    if spec.environment.air_density > 0.0:
        reach = np.concatenate([trajectory.vertices[body].reshape(-1, 3) for body in trajectory.temperatures])
        around = air_temperature(spec.environment, reach.astype(np.float64))
        sources += [float(around.min()), float(around.max())]
    beyond = max(
        max(float(each.max()) - max(sources) for each in values),
        max(min(sources) - float(each.min()) for each in values),
    )
    return max(beyond, 0.0) / max(max(sources) - min(sources), 1.0)
