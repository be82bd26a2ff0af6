"""Ropes: implicit steps solved directly along each rope, in contact with rigid bodies and each other."""

from simfactory.simulators.newton.ropes.motion import RopeMotion
from simfactory.simulators.newton.ropes.touches import read_rope_contacts

__all__ = ["RopeMotion", "read_rope_contacts"]
