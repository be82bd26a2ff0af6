"""Grains: one implicit material-point solver an environment, and what grains and rigid bodies do to each other."""

from simfactory.simulators.newton.sand.bed import Bed, bed_model

__all__ = ["Bed", "bed_model"]
