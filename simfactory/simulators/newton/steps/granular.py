"""Solver steps of scenes with grains: implicit material points."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar, final

import numpy as np

from simfactory.simulators.newton.sand import Bed
from simfactory.simulators.newton.steps.loose import StepsLoose
from simfactory.spec import SceneSpec

__all__ = ["STEPS", "StepsGranular"]

SLOWEST = 0.0145  # [s] longest step of grains that move: with 0.02 s gentle slopes slump by a tenth
COURANT = 0.75  # [cell] farthest that grains or bodies may move in a step of grains, down to the shortest one

RULES = {
    "friction": "of granular bodies: the spec's dynamic one is that between grains; against floor, walls and rigid "
    "bodies the mean of the other's and the grains' (of several granular bodies: their mean). A pair of rigid bodies "
    "uses the mean of its two bodies'",
    "cohesion": "shear strength at zero pressure; tension is borne up to cohesion over friction",
    "restitution": "grains do not rebound, and take the energy of what falls on them; a pair of rigid bodies uses the "
    "mean of its two bodies'",
    "grains": "an incompressible Drucker-Prager continuum carried by one particle a grain: grains do not spin, and "
    "neighbours may overlap",
    "time step": "of grains: at most 0.0145 s; shorter, down to 0.01 s, where grains or bodies would move by more than "
    "three quarters of a cell of 2.5 spacings",
    "speed": "in a step no grain becomes more than twice as fast as the fastest grain or surface was, beyond twice "
    "what gravity adds: in cells that few grains fill the solver may end far from its solution",
    "repose": "heaps of some ten grains in height slump to atan(friction) within 12 %; those of friction 0.7 and more "
    "stand steeper before they slump (a cone of 48° stands at friction 0.7)",
    "mass": "density × volume of the shape; of grains: density × spacing³ each, spacing = grain_radius (4π/3/0.62)^⅓",
    "drag": "of every grain: that of a ball, C_d = 0.47, as far as no grain within 2.5 spacings upwind covers it; wind "
    "along a surface: 0.0025 ρ u² on the highest grains. Bodies give no shelter",
}


@final
class StepsGranular(StepsLoose):
    """Material points for grains."""

    kinds: ClassVar[frozenset[str]] = frozenset({"rigid", "granular"})
    cost: ClassVar[int] = 3
    rules: ClassVar[Mapping[str, str]] = RULES

    @staticmethod
    def crowd(spec: SceneSpec, *, device: str, dt: float) -> Bed:
        """Return the grains of a scene."""
        return Bed(spec, device=device)

    def stride(self, environment: int, source: Any, left: int) -> int:  # Any: a newton State
        """Return how many solver steps the grains' next step spans: few where grains or bodies are fast."""
        bed = self._crowds[environment]
        assert isinstance(bed, Bed)
        rows, nodes = (slice(*ranges[environment]) for ranges in (self._worlds.row_ranges, self._worlds.node_ranges))
        speeds = np.linalg.norm(source.particle_qd[nodes].numpy(), axis=1)
        if self._rigid is not None:
            linear, angular = np.split(source.body_qd.numpy()[rows], 2, axis=1)
            spin = np.linalg.norm(angular, axis=1) * bed.body_reach
            speeds = np.concatenate([speeds, np.linalg.norm(linear, axis=1) + spin])
        fastest = float(speeds.max())
        longest = min(SLOWEST, COURANT * bed.cell / max(fastest, 1e-9))
        most = max(math.floor(longest / self._dt), self._every)
        steps = math.ceil(left / math.ceil(left / most))
        bed.dt, bed.fastest = steps * self._dt, fastest
        return steps


STEPS = StepsGranular
