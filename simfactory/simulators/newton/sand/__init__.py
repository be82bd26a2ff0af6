"""Grains: one implicit material-point solver an environment, and what grains and rigid bodies do to each other."""

from simfactory.simulators.newton.sand.bed import Bed
from simfactory.simulators.newton.sand.room import check_room

__all__ = ["Bed", "check_room"]
