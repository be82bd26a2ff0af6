"""Physical laws with closed forms: scenes, what is measured in them, and what the answer must be."""

from simfactory.testing.laws.cloth import bending_strip_law, cloth_laws, heavy_elastica
from simfactory.testing.laws.contact import contact_laws
from simfactory.testing.laws.fluid import fluid_laws
from simfactory.testing.laws.free import free_laws
from simfactory.testing.laws.grains import grain_laws, repose_angle
from simfactory.testing.laws.handling import handling_laws
from simfactory.testing.laws.inflatable import inflatable_laws
from simfactory.testing.laws.law import Law, measure
from simfactory.testing.laws.linkage import joint_laws
from simfactory.testing.laws.robot import robot_laws
from simfactory.testing.laws.rope import beam_law, rope_laws
from simfactory.testing.laws.soft import bending_law, soft_laws
from simfactory.testing.laws.thermal import air_laws, heat_laws
from simfactory.testing.laws.wind import wind_laws

__all__ = [
    "Law",
    "air_laws",
    "beam_law",
    "bending_law",
    "bending_strip_law",
    "cloth_laws",
    "fluid_laws",
    "grain_laws",
    "handling_laws",
    "heat_laws",
    "heavy_elastica",
    "inflatable_laws",
    "joint_laws",
    "measure",
    "repose_angle",
    "rigid_laws",
    "robot_laws",
    "rope_laws",
    "soft_laws",
    "wind_laws",
]


def rigid_laws(*, substeps: int = 4) -> list[Law]:
    """Return all laws of rigid bodies, to be simulated with `substeps` steps of 1/60 s / substeps each."""
    return [*free_laws(substeps=substeps), *contact_laws(substeps=substeps)]
