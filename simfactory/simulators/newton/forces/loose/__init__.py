"""Air on loose particles, grains and liquids."""

from simfactory.simulators.newton.forces.loose.drag import LooseDrag

__all__ = ["LooseDrag"]
