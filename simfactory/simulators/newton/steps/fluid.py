"""Solver steps of scenes with liquids: particles and a pressure solve on a grid."""

from collections.abc import Mapping
from typing import ClassVar, final

from simfactory.simulators.newton.liquid import Pool
from simfactory.simulators.newton.steps.loose import StepsLoose
from simfactory.spec import SceneSpec

__all__ = ["STEPS", "StepsFluid"]

RULES = {
    "friction": "a pair of rigid bodies uses the mean of its two bodies'; liquids have none, they stick to floor, "
    "walls and bodies by their viscosity",
    "restitution": "a pair of rigid bodies uses the mean of its two bodies'",
    "density": "liquids of one scene move as one of their mean density",
    "viscosity": "momentum diffuses as ν ∇²u within the liquid and towards solids, nothing is exchanged with air; a "
    "spinning free blob therefore loses spin",
    "particles": "an incompressible liquid on a staggered grid of cells two spacings wide, carried by affine "
    "particle-in-cell; no surface tension; where cells are crowded, particles are spread a little in each step",
    "mass": "density × volume of the shape; of a liquid that of its region, shared evenly among particles",
    "wetting": "contacts of liquids are not recorded: they touch all that they wet",
    "drag": "of every particle: that of a drop of its volume, C_d = 0.47, as far as no particle within 2.5 spacings "
    "upwind covers it; wind along a surface: 0.0025 ρ u² on the highest particles. Bodies give no shelter",
}


@final
class StepsFluid(StepsLoose):
    """A staggered grid and particles for liquids."""

    kinds: ClassVar[frozenset[str]] = frozenset({"rigid", "fluid"})
    cost: ClassVar[int] = 3
    rules: ClassVar[Mapping[str, str]] = RULES
    foresees_support: ClassVar[bool] = True

    @staticmethod
    def crowd(spec: SceneSpec, *, device: str, dt: float) -> Pool:
        """Return the liquids of a scene."""
        return Pool(spec, device=device, dt=dt)


STEPS = StepsFluid
