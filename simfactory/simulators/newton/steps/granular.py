"""Solver steps of scenes with grains: implicit material points."""

from collections.abc import Mapping
from typing import ClassVar, final

from simfactory.simulators.newton.sand import Bed
from simfactory.simulators.newton.steps.loose import StepsLoose
from simfactory.spec import SceneSpec

__all__ = ["STEPS", "StepsGranular"]

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
        return Bed(spec, device=device, dt=dt)


STEPS = StepsGranular
