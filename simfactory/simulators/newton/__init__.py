"""The Newton backend: rigid and soft bodies on CPU and CUDA, many scenes in one model."""

import warp as wp

# Set before Newton creates its kernel modules: without adjoints they compile in half the time, and a library does not
# print a line per module to stdout.
wp.config.enable_backward = False
wp.config.log_level = max(wp.config.log_level, wp.LOG_WARNING)

import newton  # noqa: E402, F401  # fails here, on the first line that needs it, where the package is missing

from simfactory.simulators.base import Simulator  # noqa: E402
from simfactory.simulators.newton.simulator import NewtonSimulator  # noqa: E402

__all__ = ["BACKEND", "NewtonSimulator"]

BACKEND: type[Simulator] = NewtonSimulator
