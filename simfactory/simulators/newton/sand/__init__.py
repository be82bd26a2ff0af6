"""Grains: one implicit material-point solver an environment, and what grains and rigid bodies do to each other."""

from simfactory.simulators.newton.sand.bed import Bed

__all__ = ["Bed"]
